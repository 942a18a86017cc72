// StandaloneStorage: the storage of one store that is alone: an engine, and nothing else.
//
// Reads go straight to the engine. A write that need not be synced does too, if the engine takes it
// without waiting. Any other write is handed to an actor, which gathers what waits, writes it as
// one batch with one sync and then answers all: the calling thread never waits for a disk, and the
// cost of a sync is shared by every request that arrived during the one before (group commit).
//
// Thread-safety: safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/env/executor.h"
#include "common/storage/storage.h"
#include "lsm/db.h"

namespace tinykv {

struct StandaloneStorageOptions {
  // How the engine is opened; its column families are set by Open().
  lsm::Options engine = {};
  // Runs the write actor; must outlive the storage. One thread is enough: it spends its time in
  // syncs.
  Executor* writer = nullptr;
  // True: an acknowledged write survives power loss. False: only a crash of the process.
  bool sync_writes = true;
  // Writes that wait for the actor; beyond this they are refused as "server is busy".
  uint64_t waiting_bytes_max = 64 << 20;
};

class StandaloneStorage : public Storage {
 public:
  // Opens or creates the engine in folder `path`. Errors: those of lsm::DB::Open().
  static absl::StatusOr<std::unique_ptr<StandaloneStorage>> Open(
      const StandaloneStorageOptions& options, const std::string& path);

  // As Close().
  ~StandaloneStorage() override;

  // Errors: kInvalidArgument for a key or a write set that is larger than the engine takes; "server
  // is busy" (nothing was written); those of the disk, after which every later write fails too and
  // reads go on.
  asio::awaitable<absl::Status> Write(const kvrpcpb::Context& context, WriteSet writes) override;

  asio::awaitable<absl::StatusOr<std::unique_ptr<StorageReader>>> Reader(
      const kvrpcpb::Context& context) override;

  // Answers the writes that wait, then closes the engine. REQUIRES: no request is running and no
  // reader is left.
  absl::Status Close();

  lsm::Statistics GetStatistics() { return db_->GetStatistics(); }

 private:
  class WriteActor;

  StandaloneStorage(const StandaloneStorageOptions& options, std::unique_ptr<lsm::DB> db);

  // Writes `batch`, and returns when it is as durable as the options say. Errors: as Write().
  asio::awaitable<absl::Status> Commit(lsm::WriteBatch batch);

  const bool sync_writes_;
  std::unique_ptr<lsm::DB> db_;
  std::unique_ptr<WriteActor> writer_;
};

}  // namespace tinykv
