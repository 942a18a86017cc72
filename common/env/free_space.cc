#include "common/env/free_space.h"

#include <sys/statvfs.h>

#include <cerrno>

#include "common/status.h"

namespace tinykv {

absl::StatusOr<uint64_t> FreeBytes(const std::string& directory) {
  struct statvfs found = {};
  if (statvfs(directory.c_str(), &found) != 0) return ErrnoStatus("statvfs", directory, errno);
  return uint64_t{found.f_bavail} * found.f_frsize;
}

}  // namespace tinykv
