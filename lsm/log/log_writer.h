// LogWriter: an append-only file of checksummed records; the write-ahead log and the manifest are
// such files.
//
// Frame: [checksum:8][length:4][synced:8][payload], docs/formats/wal.md says why. `synced` is how
// much of the file was known to be durable when the frame was written: it lets a reader tell a torn
// end (allowed, cut silently) from damage to bytes that had been synced (an error).
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/env/file_system.h"

namespace tinykv::lsm {

class LogWriter {
 public:
  // Starts an empty log in `file`, which must outlive the writer. `log_number` is mixed into every
  // checksum, so that a frame of another log is never taken for one of this.
  LogWriter(WritableFile& file, uint64_t log_number);

  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Writes the file's header. Called once, before the first record. Errors: as AddRecord().
  absl::Status WriteHeader();

  // Appends one record, which may not be empty. Once this returned OK the record survives a crash
  // of the process, and once a later Sync() returned OK, power loss. Errors: those of the file; the
  // writer is then poisoned and every later call returns the same error.
  absl::Status AddRecord(std::string_view payload);

  // Makes every appended record durable. Errors: as AddRecord().
  absl::Status Sync();

  // Syncs, then appends and syncs an end mark, which vouches for everything before it: damage to a
  // log that was closed this way is always found. Any later call returns kFailedPrecondition.
  // Errors: as AddRecord().
  absl::Status Finish();

  // Bytes a reader would find, headers and the end mark included.
  uint64_t size() const { return size_; }

 private:
  absl::Status AppendFrame(std::string_view payload);

  WritableFile& file_;
  const uint64_t log_number_;
  uint64_t size_ = 0;
  uint64_t synced_size_ = 0;
  std::string frame_;    // reused from frame to frame
  absl::Status poison_;  // the first error, kept; or that Finish() has been called
};

}  // namespace tinykv::lsm
