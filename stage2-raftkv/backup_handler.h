// BackupHandler: answers the rpc Backup, by which tinykv-ctl has a backup made.
//
// Thread-safety: safe.
#pragma once

#include <asio/awaitable.hpp>

#include "absl/status/statusor.h"
#include "common/env/executor.h"
#include "common/server/server.h"
#include "common/storage/storage.h"
#include "stage2-raftkv/raftstore/backup.h"
#include "stage2-raftkv/raftstore/store.h"

namespace tinykv {

class BackupHandler {
 public:
  // `storage` reads from `store`; `executor` runs one task at a time, and may be held up by the
  // disk. All must outlive the handler.
  BackupHandler(Storage& storage, const raftstore::Store& store, raftstore::Backups& backups,
                Executor& executor)
      : storage_(storage), store_(store), backups_(backups), executor_(executor) {}

  BackupHandler(const BackupHandler&) = delete;
  BackupHandler& operator=(const BackupHandler&) = delete;

  // Of the region's leader only: the backup has all that was acknowledged before the call.
  // Errors: those of Storage::Reader() and Backups::Make(); kResourceExhausted while the disk is
  // nearly full.
  asio::awaitable<absl::StatusOr<kvrpcpb::BackupResponse>> Backup(
      const kvrpcpb::BackupRequest& request);

 private:
  absl::Status CheckRoom() const;

  Storage& storage_;
  const raftstore::Store& store_;
  raftstore::Backups& backups_;
  Executor& executor_;
};

// Serves the rpc of `server` by `handler`, which must outlive the server.
void InstallBackup(Server& server, BackupHandler& handler);

}  // namespace tinykv
