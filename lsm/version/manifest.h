// Manifest: the durable record of which tables make up the database (docs/formats/manifest.md).
//
// A manifest file is a log of VersionEdits; the first one is a snapshot, and each later one a
// change to what those before it add up to. The file CURRENT names the manifest in use. A change of
// the database (a flush, a compaction) happens at the moment at which its edit is durable: files
// that an edit adds are durable before it is appended, files that it makes superfluous are removed
// after.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/env/file_system.h"
#include "lsm/log/log_writer.h"
#include "lsm/version/version_edit.h"

namespace tinykv::lsm {

// What the edits of a manifest add up to.
struct ManifestState {
  std::vector<std::string> column_families;
  FileNumber next_file_number = 1;
  FileNumber oldest_log_number = 0;
  SequenceNumber last_sequence = 0;
  std::optional<FileNumber> closed_log_number;  // nullopt: the database was not closed
  std::map<FileNumber, AddedTable> tables;      // by table number

  // Errors: kDataLoss if `edit` contradicts what is here; the state is unspecified then.
  absl::Status Apply(const VersionEdit& edit);

  // The whole state of a database that is open, as one edit.
  VersionEdit Snapshot() const;
};

// What the manifest that CURRENT names says, or nullopt if there is no CURRENT. Changes nothing.
// Errors: kDataLoss naming the file; kFailedPrecondition for an unknown format version.
absl::StatusOr<std::optional<ManifestState>> ReadManifest(FileSystem& file_system,
                                                          const std::string& directory);

// Thread-safety: none.
class Manifest {
 public:
  // `file_system` must outlive the manifest. Writes nothing before the first Rewrite().
  Manifest(FileSystem& file_system, std::string directory, ManifestState state);

  // Starts file `number` with a snapshot of the state, makes CURRENT name it, and removes the file
  // used before. Errors: those of the file system; every later call returns the same error, since
  // nobody knows which edits the next start will find.
  absl::Status Rewrite(FileNumber number);

  // Makes `edit` durable and part of the state. REQUIRES: Rewrite() was called; `edit` fits the
  // state. Errors: as Rewrite().
  absl::Status Append(const VersionEdit& edit);

  // Notes that the database was closed with log `closed_log_number` finished, and marks the end of
  // the file. Nothing may be called after it. Errors: as Rewrite().
  absl::Status Close(FileNumber closed_log_number);

  // Bytes of edits since the last Rewrite().
  uint64_t edit_bytes() const { return writer_->size() - snapshot_bytes_; }
  const ManifestState& state() const { return state_; }

 private:
  absl::Status WriteSnapshot(FileNumber number);

  FileSystem& file_system_;
  const std::string directory_;
  ManifestState state_;
  FileNumber number_ = 0;  // 0 before the first Rewrite()
  std::unique_ptr<WritableFile> file_;
  std::unique_ptr<LogWriter> writer_;
  uint64_t snapshot_bytes_ = 0;
  absl::Status poison_;  // the first error, kept
};

}  // namespace tinykv::lsm
