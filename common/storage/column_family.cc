#include "common/storage/column_family.h"

#include "common/status.h"

namespace tinykv {

absl::StatusOr<ColumnFamily> ParseColumnFamily(std::string_view name) {
  if (name.empty()) return ColumnFamily::kDefault;
  for (size_t i = 0; i < kColumnFamilyNames.size(); ++i) {
    if (name == kColumnFamilyNames[i]) return static_cast<ColumnFamily>(i);
  }
  return InvalidArgument("column family ", Quote(name),
                         " does not exist; there are default, lock and write");
}

}  // namespace tinykv
