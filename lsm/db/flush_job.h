// From a memtable to tables of level 0.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "lsm/db/context.h"
#include "lsm/memtable/memtable.h"
#include "lsm/version/table_file.h"
#include "lsm/version/version_edit.h"

namespace tinykv::lsm {

struct FlushResult {
  // Adds a table for each column family that has entries, and moves on to the logs behind the
  // memtable's. Files and their names are durable.
  VersionEdit edit;
  TableList tables;  // those that the edit adds
};

// Writes the tables of one memtable, durable under names that are not durable yet, and adds them to
// `result`. Errors: those of the file system; `result` then holds tables that are to be removed.
absl::Status WriteTables(Context& context, const MemTable& memtable,
                         const std::vector<SequenceNumber>& snapshots, FlushResult* result);

// Versions that neither a snapshot nor a reader of the present sees are left out.
// Errors: those of the file system; no file is left then.
absl::StatusOr<FlushResult> FlushMemTable(Context& context, const MemTable& memtable,
                                          const std::vector<SequenceNumber>& snapshots);

}  // namespace tinykv::lsm
