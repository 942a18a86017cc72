// Backups: copies of a store's data that operators make, and how a new cluster begins with one.
//
// A backup is a folder of the machine on which it was made:
//
//   backups/NAME/BACKUP   what it has: a BackupManifest (raft_serverpb.proto), as JSON
//   backups/NAME/kv/      a checkpoint of the kv engine, a database whose tables the store shares
//   backups/NAME.tmp/     one that is being made, or was not finished: removed at start
//
// The folder may be copied elsewhere, and removed (rm -r) when it is not wanted any more.
//
// All stores of a new cluster begin with copies of ONE backup. If each store of a cluster were
// rolled back to a backup of its own instead, they would stand at different moments and have
// forgotten what they promised in between, votes and acknowledged entries: two leaders in one term
// could follow, and different entries at one place of the log. So a restored store keeps nothing
// but the clients' data. Its log begins behind an entry that never was, with the index up to which
// the backup is applied and the term of every new cluster: the same at all stores that have the
// same backup. A store that was given an older one, or none, is behind the others by that index; it
// is sent their data, or its log does not fit and it stops, but it never differs in silence.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/env/file_system.h"
#include "lsm/db.h"
#include "proto/raft_serverpb.pb.h"

namespace tinykv::raftstore {

// Errors: kInvalidArgument unless it has letters, digits, '-', '_' and '.' only, begins with a
// letter or digit, does not end in ".tmp", and is not too long.
absl::Status CheckBackupName(std::string_view name);

struct Backup {
  std::string directory = {};
  raft_serverpb::BackupManifest manifest = {};
  uint64_t bytes = 0;  // of all its files
};

// Thread-safety: none.
class Backups {
 public:
  // `engine` is how `kv` was opened; its file system holds `directory`. Everything must outlive it.
  Backups(lsm::DB& kv, const lsm::Options& engine, std::string directory);

  // Removes what was not finished.
  absl::Status Open();

  // Makes a backup that has all that the engine holds at the time of the call. It is there whole
  // and durable, or, after an error or a crash, not at all.
  // Errors: those of CheckBackupName() and DB::Checkpoint(); kAlreadyExists; kFailedPrecondition if
  // the store does not have exactly one region, with all keys.
  absl::StatusOr<Backup> Make(const std::string& name);

 private:
  absl::StatusOr<Backup> Build(const std::string& directory);

  lsm::DB& kv_;
  const lsm::Options engine_;
  FileSystem& file_system_;
  const std::string directory_;
};

// Makes the folder `kv` a database with the clients' data of the backup in folder `backup`, for
// InitializeStore() to begin with. All of it is read, and so checked, and copied: the backup is not
// needed any more when this is OK. A crash leaves no folder `kv` or the whole one, and then the
// restore is done again. `engine` is how a kv engine is opened.
// REQUIRES: `kv` is not there.
// Errors: kNotFound if there is no backup; kDataLoss if it is damaged, naming the file;
// kFailedPrecondition if its format is unknown, or it was made in cluster `cluster_id`: stores of
// that one must not meet stores of the new one.
absl::Status RestoreBackup(const lsm::Options& engine, const std::string& backup,
                           const std::string& kv, uint64_t cluster_id);

}  // namespace tinykv::raftstore
