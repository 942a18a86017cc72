// The work of DB::Ingest() on files: checking those that are to come in, and making tables of all
// that an ingestion says.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lsm/db.h"
#include "lsm/db/context.h"
#include "lsm/db/flush_job.h"

namespace tinykv::lsm {

// A file that may come in.
struct CheckedFile {
  ColumnFamilyId column_family = 0;
  std::string path = {};
  uint64_t file_bytes = 0;
  std::string smallest = {};  // user keys
  std::string largest = {};
};

// Reads all of it. Errors: as DB::Ingest().
absl::StatusOr<CheckedFile> CheckFile(FileSystem& file_system, const Ingestion::File& file);

struct IngestRequest {
  const Ingestion& ingestion;
  const std::vector<CheckedFile>& files;  // those of the ingestion
  SequenceNumber last_sequence = 0;       // of what was written before
};

// Tables for level 0, durable under names of the database, and the edit that adds them. Their
// sequence numbers go on from `last_sequence`, and their file numbers grow with them: first what is
// cleared, then each file, then the batch. REQUIRES: no file number is taken for a flush meanwhile.
// Errors: those of the file system. No file is left then, but the caller's.
absl::StatusOr<FlushResult> MakeIngestedTables(Context& context, const IngestRequest& request);

}  // namespace tinykv::lsm
