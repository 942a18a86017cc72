// Reading the write-ahead logs back into a memtable.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/env/file_system.h"
#include "lsm/memtable/memtable.h"

namespace tinykv::lsm {

struct LogReplayRequest {
  FileSystem& file_system;
  std::string directory;
  std::vector<FileNumber> logs = {};  // ascending
  // The newest log when the database was closed; nullopt if it was not closed but crashed.
  std::optional<FileNumber> closed_log = std::nullopt;
  // Of what is in tables; the first batch of the logs follows it.
  SequenceNumber last_sequence = 0;
  // For each column family id in the logs, the id that it has now.
  std::vector<ColumnFamilyId> column_families = {};
  size_t column_families_now = 0;
};

// Every batch of the logs, in one memtable that bears the number of the last log. Changes nothing.
//
// Sequence numbers have no gaps, from tables to logs and from log to log. That is checked here, and
// finds a log that is missing as a whole, which no checksum inside a file could. That the newest
// one is missing or cut shows only where the database was closed.
// Errors: kDataLoss naming file and offset; kFailedPrecondition for an unknown format version.
absl::StatusOr<std::unique_ptr<MemTable>> ReplayLogs(const LogReplayRequest& request);

}  // namespace tinykv::lsm
