#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "common/env/file_system.h"
#include "common/status.h"

namespace tinykv {
namespace {

// Calls `operation` again for as long as a signal interrupts it.
template <typename Operation>
auto RetryInterrupted(Operation operation) {
  while (true) {
    const auto result = operation();
    if (result >= 0 || errno != EINTR) return result;
  }
}

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Descriptor() { Close(); }

  // Zero, or the errno of the failure.
  int Close() {
    const int fd = std::exchange(fd_, -1);
    if (fd < 0 || ::close(fd) == 0) return 0;
    // Linux has freed the number even if a signal came; closing again might hit somebody else's.
    return errno == EINTR ? 0 : errno;
  }

  int fd() const { return fd_; }

 private:
  int fd_;
};

absl::StatusOr<Descriptor> OpenDescriptor(const std::string& path, int flags) {
  const int fd = RetryInterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0644); });
  if (fd < 0) return ErrnoStatus((flags & O_CREAT) != 0 ? "create" : "open", path, errno);
  return Descriptor(fd);
}

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(std::string path, Descriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {}
  ~PosixWritableFile() override { Close().IgnoreError(); }

  absl::Status Append(std::string_view data) override {
    while (!data.empty()) {
      const ssize_t written =
          RetryInterrupted([&] { return ::write(descriptor_.fd(), data.data(), data.size()); });
      if (written < 0) return ErrnoStatus("write", path_, errno);
      data.remove_prefix(static_cast<size_t>(written));
      size_ += static_cast<uint64_t>(written);
    }
    return absl::OkStatus();
  }

  void KeepZerosAhead(uint64_t bytes) override { zeros_ahead_ = bytes; }

  absl::Status Sync() override {
    if (zeros_ahead_ > 0 && size_ >= zeros_end_) AddZeros();
    if (RetryInterrupted([&] { return ::fdatasync(descriptor_.fd()); }) == 0) {
      return absl::OkStatus();
    }
    return ErrnoStatus("fdatasync", path_, errno);
  }

  absl::Status Close() override {
    const absl::Status cut = CutZerosOff();
    const int error = descriptor_.Close();
    return error == 0 ? cut : ErrnoStatus("close", path_, error);
  }

 private:
  // Page by page: what is written at once the kernel may keep as one large page, and a sync would
  // write all of it for the sake of one new byte.
  void AddZeros() {
    static constexpr std::array<char, 4096> kPage = {};
    zeros_end_ = size_;
    const uint64_t goal = size_ + zeros_ahead_;
    while (zeros_end_ < goal) {
      const size_t bytes = kPage.size() - zeros_end_ % kPage.size();
      const ssize_t written = RetryInterrupted([&] {
        return ::pwrite(descriptor_.fd(), kPage.data(), bytes, static_cast<off_t>(zeros_end_));
      });
      if (written <= 0) {
        zeros_ahead_ = 0;  // no room for them, most likely; what is appended will tell
        return;
      }
      zeros_end_ += static_cast<uint64_t>(written);
    }
  }

  absl::Status CutZerosOff() {
    if (std::exchange(zeros_end_, 0) <= size_) return absl::OkStatus();
    const auto size = static_cast<off_t>(size_);
    const int result = RetryInterrupted([&] { return ::ftruncate(descriptor_.fd(), size); });
    return result == 0 ? absl::OkStatus() : ErrnoStatus("truncate", path_, errno);
  }

  const std::string path_;
  Descriptor descriptor_;
  uint64_t size_ = 0;  // what was appended
  uint64_t zeros_ahead_ = 0;
  uint64_t zeros_end_ = 0;
};

class PosixRandomAccessFile final : public RandomAccessFile {
 public:
  PosixRandomAccessFile(std::string path, Descriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {}

  absl::StatusOr<std::string_view> Read(uint64_t offset, size_t size, char* buffer) const override {
    size_t done = 0;
    while (done < size) {
      const ssize_t read = RetryInterrupted([&] {
        return ::pread(descriptor_.fd(), buffer + done, size - done,
                       static_cast<off_t>(offset + done));
      });
      if (read < 0) return ErrnoStatus("read", path_, errno);
      if (read == 0) break;  // the file ends here
      done += static_cast<size_t>(read);
    }
    return std::string_view(buffer, done);
  }

  absl::StatusOr<uint64_t> Size() const override {
    struct stat info;
    if (::fstat(descriptor_.fd(), &info) != 0) return ErrnoStatus("stat", path_, errno);
    return static_cast<uint64_t>(info.st_size);
  }

 private:
  const std::string path_;
  const Descriptor descriptor_;
};

// flock() locks belong to the open file, not to the process: a second open in the same process is
// refused like one in another, and the kernel releases the lock when the process dies.
class PosixFileLock final : public FileLock {
 public:
  explicit PosixFileLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  const Descriptor descriptor_;
};

bool IsDirectory(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

class RealFileSystem final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    TKV_ASSIGN_OR_RETURN(auto file, OpenDescriptor(path, O_WRONLY | O_CREAT | O_TRUNC));
    return std::make_unique<PosixWritableFile>(path, std::move(file));
  }

  absl::StatusOr<std::unique_ptr<RandomAccessFile>> Open(const std::string& path) override {
    TKV_ASSIGN_OR_RETURN(auto file, OpenDescriptor(path, O_RDONLY));
    return std::make_unique<PosixRandomAccessFile>(path, std::move(file));
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    return Check("rename", from, std::rename(from.c_str(), to.c_str()));
  }

  absl::Status Link(const std::string& from, const std::string& to) override {
    return Check("link", to, ::link(from.c_str(), to.c_str()));
  }

  absl::Status Remove(const std::string& path) override {
    return Check("remove", path, ::unlink(path.c_str()));
  }

  absl::Status Truncate(const std::string& path, uint64_t size) override {
    TKV_ASSIGN_OR_RETURN(const Descriptor file, OpenDescriptor(path, O_WRONLY));
    TKV_RETURN_IF_ERROR(Check("truncate", path, RetryInterrupted([&] {
                                return ::ftruncate(file.fd(), static_cast<off_t>(size));
                              })));
    return Check("fsync", path, RetryInterrupted([&] { return ::fsync(file.fd()); }));
  }

  absl::Status CreateDirectories(const std::string& path) override {
    const std::string parent = DirectoryOf(path);
    if (IsDirectory(path)) {
      // A run that died between mkdir and sync left a name that is not durable. Only the lowest
      // folder that is there can be such a one, because each is synced before the next is made.
      const absl::Status status = SyncDirectory(parent);
      // Where we may not even open the parent, it was not us who made the folder.
      return absl::IsPermissionDenied(status) ? absl::OkStatus() : status;
    }
    if (parent != path) TKV_RETURN_IF_ERROR(CreateDirectories(parent));
    if (::mkdir(path.c_str(), 0755) != 0 && !(errno == EEXIST && IsDirectory(path))) {
      return ErrnoStatus("create directory", path, errno);
    }
    return SyncDirectory(parent);
  }

  absl::Status RemoveDirectory(const std::string& path) override {
    return Check("remove directory", path, ::rmdir(path.c_str()));
  }

  absl::Status SyncDirectory(const std::string& path) override {
    TKV_ASSIGN_OR_RETURN(const Descriptor file, OpenDescriptor(path, O_RDONLY | O_DIRECTORY));
    return Check("fsync", path, RetryInterrupted([&] { return ::fsync(file.fd()); }));
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
    if (directory == nullptr) return ErrnoStatus("list", path, errno);
    std::vector<std::string> names;
    errno = 0;  // readdir() returns null both at the end and for an error
    while (const dirent* entry = ::readdir(directory.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return ErrnoStatus("list", path, errno);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::StatusOr<uint64_t> FileSize(const std::string& path) override {
    struct stat info;
    if (::stat(path.c_str(), &info) != 0) return ErrnoStatus("stat", path, errno);
    return static_cast<uint64_t>(info.st_size);
  }

  bool Exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    TKV_ASSIGN_OR_RETURN(Descriptor file, OpenDescriptor(path, O_RDWR | O_CREAT));
    if (RetryInterrupted([&] { return ::flock(file.fd(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno == EWOULDBLOCK) return Unavailable(path, ": lock: held by somebody else");
      return ErrnoStatus("lock", path, errno);
    }
    return std::make_unique<PosixFileLock>(std::move(file));
  }

 private:
  // The status of a call that returned `result` and set errno.
  static absl::Status Check(std::string_view operation, const std::string& path, int result) {
    return result == 0 ? absl::OkStatus() : ErrnoStatus(operation, path, errno);
  }
};

}  // namespace

FileSystem& PosixFileSystem() {
  static RealFileSystem file_system;
  return file_system;
}

}  // namespace tinykv
