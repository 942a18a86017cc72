// DB::Open(): checks options, takes the folder, recovers.
#include <set>
#include <utility>

#include "common/status.h"
#include "lsm/db.h"
#include "lsm/db/db_impl.h"
#include "lsm/db/recovery.h"
#include "lsm/version/file_names.h"

namespace tinykv::lsm {
namespace {

absl::Status CheckColumnFamilies(const std::vector<std::string>& names) {
  if (names.empty()) return InvalidArgument("options.column_families is empty");
  const std::set<std::string> distinct(names.begin(), names.end());
  if (distinct.size() < names.size()) {
    return InvalidArgument("options.column_families has a name twice");
  }
  return absl::OkStatus();
}

absl::Status CheckOptions(const Options& options) {
  if (options.file_system == nullptr) return InvalidArgument("options.file_system is not set");
  if (options.background == nullptr) return InvalidArgument("options.background is not set");
  TKV_RETURN_IF_ERROR(CheckColumnFamilies(options.column_families));
  if (options.levels < 2) {
    return InvalidArgument("options.levels is ", options.levels, "; it must be at least 2");
  }
  if (options.level_multiplier < 1) {
    return InvalidArgument("options.level_multiplier is ", options.level_multiplier,
                           "; it must be at least 1");
  }
  if (options.immutable_memtables_max < 1) {
    return InvalidArgument("options.immutable_memtables_max is ", options.immutable_memtables_max,
                           "; it must be at least 1");
  }
  if (options.memtable_bytes == 0 || options.table_bytes == 0 || options.level_bytes_base == 0) {
    return InvalidArgument(
        "options.memtable_bytes, table_bytes and level_bytes_base must be at least 1");
  }
  // With other orders, writers would wait for a compaction that is not due.
  if (options.l0_compact_tables < 1 || options.l0_slowdown_tables < options.l0_compact_tables ||
      options.l0_stop_tables < options.l0_slowdown_tables) {
    return InvalidArgument("options must have 1 <= l0_compact_tables (", options.l0_compact_tables,
                           ") <= l0_slowdown_tables (", options.l0_slowdown_tables,
                           ") <= l0_stop_tables (", options.l0_stop_tables, ")");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<DB>> DB::Open(const Options& options, const std::string& path) {
  TKV_RETURN_IF_ERROR(CheckOptions(options));
  FileSystem& file_system = *options.file_system;
  if (options.create_if_missing) {
    TKV_RETURN_IF_ERROR(file_system.CreateDirectories(path));
  } else if (!file_system.Exists(CurrentPath(path))) {
    return NotFound(path, ": there is no database, and options.create_if_missing is false");
  }
  TKV_ASSIGN_OR_RETURN(auto lock, file_system.Lock(LockPath(path)));
  auto context = std::make_unique<Context>(options, path);
  TKV_ASSIGN_OR_RETURN(Recovered recovered, Recover(*context));
  return std::make_unique<DBImpl>(std::move(lock), std::move(context), std::move(recovered));
}

}  // namespace tinykv::lsm
