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
  const auto tombstones = memtable.Tombstones(column_family);
  GarbageFilter filter(snapshots, /*nothing_below=*/{}, tombstones.get());
  // There may be older data for them to hide in any table.
  output.SetTombstones(filter.NeededTombstones([](const RangeTombstone&) { return false; }));
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

absl::Status WriteTables(Context& context, const MemTable& memtable,
                         const std::vector<SequenceNumber>& snapshots, FlushResult* result) {
  for (ColumnFamilyId id = 0; id < memtable.column_families(); ++id) {
    TKV_ASSIGN_OR_RETURN(const TableList tables,
                         FlushColumnFamily(context, memtable, id, snapshots));
    for (const auto& table : tables) {
      result->edit.added.push_back({id, 0, table->meta()});
      result->tables.push_back(table);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<FlushResult> FlushMemTable(Context& context, const MemTable& memtable,
                                          const std::vector<SequenceNumber>& snapshots) {
  FlushResult result;
  absl::Status status = WriteTables(context, memtable, snapshots, &result);
  // The names must be durable before a manifest that speaks of them is.
  if (status.ok()) status = context.file_system().SyncDirectory(context.directory);
  if (!status.ok()) {
    for (const auto& table : result.tables) table->MarkObsolete();
    return status;
  }
  result.edit.oldest_log_number = memtable.log_number() + 1;
  result.edit.last_sequence = memtable.largest_sequence();
  AddTo(context.counters.flushes);
  AddTo(context.counters.flush_bytes, TotalBytes(result.tables));
  return result;
}

}  // namespace tinykv::lsm
