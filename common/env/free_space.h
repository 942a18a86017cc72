// FreeBytes: how much room the disk of a directory has left.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace tinykv {

// For this user: what is kept for the administrator does not count. Errors: as FileSystem's.
absl::StatusOr<uint64_t> FreeBytes(const std::string& directory);

}  // namespace tinykv
