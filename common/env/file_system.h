// FileSystem: the door to the disk. Everything durable goes through it, so that a simulated disk
// can lose, tear, refuse or fill what a real one would.
//
// What is durable when, as POSIX promises it and as graders/sim/sim_file_system.h enforces it:
//   - bytes of a file: after WritableFile::Sync() returned OK;
//   - a file's name (its creation, rename, link or removal): after SyncDirectory() of the folder it
//     stands in returned OK. A synced file whose name was never synced may be gone after power
//     loss.
// A crash of the process alone loses nothing that was appended.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tinykv {

// A file that grows at its end.
// After an error of Append() or Sync() the file's content beyond the last successful Sync() is
// unknown, and a later Sync() proves nothing (the kernel may have dropped the dirty pages): do not
// go on with it.
//
// Thread-safety: none.
class WritableFile {
 public:
  virtual ~WritableFile() = default;

  virtual absl::Status Append(std::string_view data) = 0;

  // From now on each Sync() that finds no zeros behind the end puts `bytes` of them there, and
  // appends take their place. The next ones then have nothing to write but bytes; where a file has
  // grown, its new size and its map of the disk are writes of their own. Close() cuts the zeros
  // off. Until then, and for ever if a crash comes first, readers find zeros behind the end. Where
  // the disk has no room for them, there are none.
  virtual void KeepZerosAhead([[maybe_unused]] uint64_t bytes) {}

  // fdatasync: every appended byte, and the size needed to read it back, survives power loss.
  virtual absl::Status Sync() = 0;

  // Closes without syncing. Called by the destructor if not before; then its error is lost.
  virtual absl::Status Close() = 0;
};

// Thread-safety: safe.
class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;

  // Reads up to `size` bytes at `offset` into `buffer`, which holds at least `size`. The result is
  // a view of `buffer` and is shorter than `size` only where the file ends.
  virtual absl::StatusOr<std::string_view> Read(uint64_t offset, size_t size,
                                                char* buffer) const = 0;

  virtual absl::StatusOr<uint64_t> Size() const = 0;
};

// An exclusive lock on a file, held until destruction or the end of the process.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Paths are absolute or relative to the working directory, with '/' between parts.
// Errors name the path and the operation; their codes are those of ErrnoStatus() in
// common/status.h.
//
// Thread-safety: safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Creates an empty file, emptying one that is there.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path) = 0;
  virtual absl::StatusOr<std::unique_ptr<RandomAccessFile>> Open(const std::string& path) = 0;

  // Replaces `to` atomically if it is there.
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  // A second name for the same file. Errors: kAlreadyExists if `to` is there.
  virtual absl::Status Link(const std::string& from, const std::string& to) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  // Cuts the file, or fills it up with zeros; durable once it returned OK.
  virtual absl::Status Truncate(const std::string& path, uint64_t size) = 0;

  // Creates the folder and its missing parents, and makes their names durable. OK if it is there.
  virtual absl::Status CreateDirectories(const std::string& path) = 0;
  // Errors: kInternal if it is not empty.
  virtual absl::Status RemoveDirectory(const std::string& path) = 0;
  virtual absl::Status SyncDirectory(const std::string& path) = 0;
  // The names in a folder, sorted, without "." and "..".
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& path) = 0;

  virtual absl::StatusOr<uint64_t> FileSize(const std::string& path) = 0;
  virtual bool Exists(const std::string& path) = 0;

  // Creates `path` if need be and locks it. Errors: kUnavailable if somebody holds it.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
};

// The machine's own file system. Lives as long as the process.
FileSystem& PosixFileSystem();

// The whole content of a file.
absl::StatusOr<std::string> ReadFile(FileSystem& file_system, const std::string& path);

// Writes `content` to PATH.tmp, syncs, renames it to PATH and syncs the folder: after a crash the
// file holds the old content or the new, never a mixture.
absl::Status WriteFileAtomically(FileSystem& file_system, const std::string& path,
                                 std::string_view content);

// Removes a file, or a folder with all that is in it; OK if there is nothing. What is removed can
// be back after power loss.
absl::Status RemoveTree(FileSystem& file_system, const std::string& path);

// "a/b" and "c" make "a/b/c".
std::string JoinPath(std::string_view directory, std::string_view name);
// "a/b/c" makes "a/b"; "c" makes ".".
std::string DirectoryOf(std::string_view path);

}  // namespace tinykv
