#include "stage2-raftkv/backup_handler.h"

#include <string>
#include <utility>

#include "common/env/coroutine.h"
#include "common/log.h"
#include "common/status.h"

namespace tinykv {

asio::awaitable<absl::StatusOr<kvrpcpb::BackupResponse>> BackupHandler::Backup(
    const kvrpcpb::BackupRequest& request) {
  using Made = absl::StatusOr<raftstore::Backup>;
  TKV_CO_RETURN_IF_ERROR(raftstore::CheckBackupName(request.name()));
  // Whoever may read has in its engine all that was acknowledged before.
  const auto reader = co_await storage_.Reader(request.context());
  TKV_CO_RETURN_IF_ERROR(reader.status());
  TKV_CO_RETURN_IF_ERROR(CheckRoom());
  Made made = co_await AwaitCallback<Made>([&](absl::AnyInvocable<void(Made)> done) {
    executor_.Post([&backups = backups_, name = request.name(), done = std::move(done)]() mutable {
      done(backups.Make(name));
    });
  });
  TKV_CO_RETURN_IF_ERROR(made.status());
  log::Info("made a backup", {{"directory", made->directory},
                              {"applied", made->manifest.applied_index()},
                              {"bytes", made->bytes}});
  kvrpcpb::BackupResponse response;
  response.set_store_id(store_.id());
  response.set_directory(made->directory);
  response.set_applied(made->manifest.applied_index());
  response.set_bytes(made->bytes);
  co_return response;
}

// Not "server is busy", with which the client would try again until its deadline.
absl::Status BackupHandler::CheckRoom() const {
  const absl::Status room = store_.room().MayPropose();
  return room.ok() ? room : ResourceExhausted("no backup now: ", MessageOf(room));
}

void InstallBackup(Server& server, BackupHandler& handler) {
  server.handlers().backup = [&handler](const kvrpcpb::BackupRequest& request) {
    return handler.Backup(request);
  };
}

}  // namespace tinykv
