// The column families of a store: separate key spaces that are written atomically together.
#pragma once

#include <array>
#include <string_view>

#include "absl/status/statusor.h"

namespace tinykv {

// Raw requests may use any of them; transactions keep values in kDefault, locks in kLock and commit
// records in kWrite (Percolator, section 2.2). The numbers are places in kColumnFamilyNames and are
// on disk.
enum class ColumnFamily { kDefault = 0, kLock = 1, kWrite = 2 };

inline constexpr std::array<std::string_view, 3> kColumnFamilyNames = {"default", "lock", "write"};

inline std::string_view NameOf(ColumnFamily column_family) {
  return kColumnFamilyNames[static_cast<size_t>(column_family)];
}

// The column family that a request names; "" means default, as in TinyKV's clients.
// Errors: kInvalidArgument, naming the unknown one and the three that exist.
absl::StatusOr<ColumnFamily> ParseColumnFamily(std::string_view name);

}  // namespace tinykv
