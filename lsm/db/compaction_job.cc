#include "lsm/db/compaction_job.h"

#include <algorithm>
#include <memory>

#include "common/status.h"
#include "lsm/db/garbage_filter.h"
#include "lsm/db/table_output.h"
#include "lsm/table/merging_iterator.h"
#include "lsm/version/level_iterator.h"

namespace tinykv::lsm {
namespace {

constexpr uint64_t kEntriesBetweenQuestions = 4096;  // to cancelled()

std::unique_ptr<Iterator> NewInputIterator(const Compaction& compaction) {
  constexpr bool kFillCache = false;  // it would drive out what readers use
  std::vector<std::unique_ptr<Iterator>> iterators;
  for (const Compaction::Input& input : compaction.inputs) {
    if (input.level > 0) {
      iterators.push_back(NewLevelIterator(input.tables, kFillCache));
      continue;
    }
    for (const auto& table : input.tables) {
      iterators.push_back(table->table().NewIterator(kFillCache));
    }
  }
  return NewMergingIterator(std::move(iterators));
}

FragmentedTombstones TombstonesOf(const Compaction& compaction) {
  std::vector<RangeTombstone> result;
  for (const Compaction::Input& input : compaction.inputs) {
    for (const auto& table : input.tables) {
      if (table->tombstones() == nullptr) continue;
      const std::vector<RangeTombstone> tombstones = table->tombstones()->ToTombstones();
      result.insert(result.end(), tombstones.begin(), tombstones.end());
    }
  }
  return FragmentedTombstones(std::move(result));
}

// Deeper levels change by compactions only, and only one runs at a time: the answer stays true.
bool NothingBelow(const Levels& levels, int level, std::string_view user_key) {
  return std::none_of(
      levels.begin() + level + 1, levels.end(),
      [user_key](const TableList& tables) { return SortedLevelCovers(tables, user_key); });
}

bool NothingBelow(const Levels& levels, int level, const RangeTombstone& tombstone) {
  return std::none_of(levels.begin() + level + 1, levels.end(), [&](const TableList& tables) {
    return SortedLevelOverlaps(tables, tombstone.begin, tombstone.end);
  });
}

absl::Status Merge(const CompactionRequest& request, TableOutput* output) {
  const FragmentedTombstones tombstones = TombstonesOf(request.compaction);
  const auto nothing_below = [&request](const auto& what) {
    return NothingBelow(request.levels, request.compaction.output_level, what);
  };
  GarbageFilter filter(request.snapshots, nothing_below,
                       tombstones.empty() ? nullptr : &tombstones);
  output->SetTombstones(filter.NeededTombstones(nothing_below));
  size_t reported_tables = 0;
  uint64_t entries = 0;
  const auto it = NewInputIterator(request.compaction);
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    if (entries++ % kEntriesBetweenQuestions == 0 && request.cancelled()) {
      return absl::AbortedError("the compaction was told to stop");
    }
    if (output->tables() > reported_tables) {
      reported_tables = output->tables();
      request.table_written();
    }
    ParsedInternalKey key;
    if (!ParseInternalKey(it->key(), &key)) {
      return DataLoss("a compaction met the malformed internal key ", Quote(it->key()));
    }
    if (filter.IsGarbage(key)) continue;
    TKV_RETURN_IF_ERROR(output->Add(it->key(), it->value()));
  }
  return it->status();
}

}  // namespace

absl::StatusOr<TableList> RunCompaction(Context& context, const CompactionRequest& request) {
  TableOutput output(context, context.options.table_bytes);
  TKV_RETURN_IF_ERROR(Merge(request, &output));
  TKV_ASSIGN_OR_RETURN(TableList tables, output.Finish());
  // The names must be durable before a manifest that speaks of them is.
  const absl::Status synced = context.file_system().SyncDirectory(context.directory);
  if (!synced.ok()) {
    for (const auto& table : tables) table->MarkObsolete();
    return synced;
  }
  for (const Compaction::Input& input : request.compaction.inputs) {
    AddTo(context.counters.compaction_bytes_read, TotalBytes(input.tables));
  }
  AddTo(context.counters.compaction_bytes_written, output.bytes());
  return tables;
}

VersionEdit EditOf(ColumnFamilyId column_family, const Compaction& compaction,
                   const TableList& outputs) {
  VersionEdit edit;
  for (const Compaction::Input& input : compaction.inputs) {
    for (const auto& table : input.tables) {
      edit.removed.push_back({column_family, input.level, table->meta().number});
    }
  }
  for (const auto& table : outputs) {
    edit.added.push_back({column_family, compaction.output_level, table->meta()});
  }
  return edit;
}

}  // namespace tinykv::lsm
