// Merging the tables of a compaction into new ones.
#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "lsm/db/context.h"
#include "lsm/version/compaction_picker.h"
#include "lsm/version/version.h"

namespace tinykv::lsm {

struct CompactionRequest {
  const Compaction& compaction;
  // The levels from which `compaction` was picked.
  const Levels& levels;
  std::vector<SequenceNumber> snapshots = {};
  std::function<bool()> cancelled = {};  // asked now and then
  std::function<void()> table_written = {};
};

// Writes the output tables; they and their names are durable.
// Errors: kAborted if cancelled() said so; kDataLoss for a damaged input; those of the file system.
// No file is left then.
absl::StatusOr<TableList> RunCompaction(Context& context, const CompactionRequest& request);

// The edit that puts `outputs` in the place of the inputs.
VersionEdit EditOf(ColumnFamilyId column_family, const Compaction& compaction,
                   const TableList& outputs);

}  // namespace tinykv::lsm
