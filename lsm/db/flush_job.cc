#include "lsm/db/flush_job.h"

#include <limits>
#include <memory>

#include "common/check.h"
#include "common/status.h"
#include "lsm/db/garbage_filter.h"
#include "lsm/db/table_output.h"

namespace tinykv::lsm {
namespace {

absl::StatusOr<TableList> FlushColumnFamily(Context& context, const MemTable& memtable,
                                            ColumnFamilyId column_family,
                                            const std::vector<SequenceNumber>& snapshots) {
  // One table, whatever its size: level 0 is counted in tables.
  TableOutput output(context, std::numeric_limits<uint64_t>::max());
  GarbageFilter filter(snapshots);
  const auto it = memtable.NewIterator(column_family);
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    ParsedInternalKey key;
    TKV_CHECK(ParseInternalKey(it->key(), &key) && "memtable keys are made by the engine");
    if (filter.IsGarbage(key)) continue;
    TKV_RETURN_IF_ERROR(output.Add(it->key(), it->value()));
  }
  return output.Finish();
}

}  // namespace

absl::StatusOr<FlushResult> FlushMemTable(Context& context, const MemTable& memtable,
                                          const std::vector<SequenceNumber>& snapshots) {
  FlushResult result;
  absl::Status status;
  for (ColumnFamilyId id = 0; status.ok() && id < memtable.column_families(); ++id) {
    auto tables = FlushColumnFamily(context, memtable, id, snapshots);
    status = tables.status();
    if (!status.ok()) break;
    for (const auto& table : *tables) {
      result.edit.added.push_back({id, 0, table->meta()});
      result.tables.push_back(table);
      AddTo(context.counters.flush_bytes, table->meta().file_bytes);
    }
  }
  // The names must be durable before a manifest that speaks of them is.
  if (status.ok()) status = context.file_system().SyncDirectory(context.directory);
  if (!status.ok()) {
    for (const auto& table : result.tables) table->MarkObsolete();
    return status;
  }
  result.edit.oldest_log_number = memtable.log_number() + 1;
  result.edit.last_sequence = memtable.largest_sequence();
  AddTo(context.counters.flushes);
  return result;
}

}  // namespace tinykv::lsm
