// SimDisk: the state of a simulated disk, and what power loss does to it. Faults, handles and
// locking are the business of SimFileSystem, which owns one.
//
// Everything is there twice: as running processes see it, and as it would be found after power
// loss.
//   - A file's durable bytes are a prefix of its bytes, because files only grow at their end.
//   - A directory has its current entries, its durable entries, and the list of changes that lead
//     from the latter to the former.
//
// Paths are taken apart at '/'; "." and empty parts mean nothing, and the working directory is the
// root.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/random.h"
#include "graders/sim/fault_plan.h"

namespace tinykv::sim {

struct SimFile {
  std::string content;
  uint64_t synced_bytes = 0;  // of `content`; invariant: synced_bytes <= content.size()

  // The durable bytes of a file that was emptied, until the next sync.
  std::optional<std::string> content_before_emptied = {};

  // What a crash or the end of the process leaves behind the content; WritableFile says why.
  uint64_t zeros_ahead = 0;

  // A sync has failed: bytes from `synced_bytes` on never become durable.
  bool broken = false;
};

class SimDisk {
 public:
  using File = std::shared_ptr<SimFile>;  // shared: by its names, and by handles after its removal

  // Errors of all of these: as FileSystem says, with the same codes as the real one.
  absl::StatusOr<File> CreateFile(const std::string& path);
  absl::StatusOr<File> FindFile(const std::string& path) const;
  // Errors: kInternal if `to` is in another directory (EXDEV): nobody needs that.
  absl::Status Rename(const std::string& from, const std::string& to);
  absl::Status Link(const std::string& from, const std::string& to);
  absl::Status Remove(const std::string& path);
  absl::Status CreateDirectories(const std::string& path);
  absl::Status RemoveDirectory(const std::string& path);
  absl::Status SyncDirectory(const std::string& path);
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) const;
  bool Exists(const std::string& path) const;

  // Makes the bytes of `file` durable, if they still can be.
  static void SyncFile(SimFile& file);

  // The process has ended, and nothing is lost. Files that were open keep their zeros ahead.
  void EndProcess();

  // Power loss: what is left is durable afterwards.
  void Crash(const CrashOptions& options, Random& random);

  // Of all files that have a name.
  uint64_t used_bytes() const;
  // The paths of all files, sorted.
  std::vector<std::string> files() const;

 private:
  struct Directory;
  struct Entry {  // one of the two
    File file = nullptr;
    std::shared_ptr<Directory> directory = nullptr;
  };
  using Entries = std::map<std::string, Entry>;
  struct Change {
    std::optional<std::string> removed_name = {};
    std::optional<std::string> added_name = {};
    Entry added = {};
  };
  struct Directory {
    Entries current;
    Entries durable;
    std::vector<Change> unsynced;  // durable + unsynced == current
  };
  // A name and the directory it stands in, or would stand in.
  struct Place {
    Directory* directory;
    std::string name;
  };

  static std::vector<std::string> Split(std::string_view path);
  static void Apply(const Change& change, Entries& entries);
  static void ApplyNow(Directory& directory, Change change);
  static void CrashFile(SimFile& file, const CrashOptions& options, Random& random);
  static void CrashDirectory(Directory& directory, const CrashOptions& options, Random& random,
                             std::set<const SimFile*>& done);
  static void ListFiles(const Directory& directory, const std::string& prefix,
                        std::map<std::string, File>& files);

  absl::StatusOr<Directory*> FindDirectory(std::string_view operation,
                                           const std::string& path) const;
  absl::StatusOr<Place> FindPlace(std::string_view operation, const std::string& path) const;
  // As FindPlace(); an error if nothing is there.
  absl::StatusOr<Place> FindEntry(std::string_view operation, const std::string& path) const;

  std::shared_ptr<Directory> root_ = std::make_shared<Directory>();
};

}  // namespace tinykv::sim
