// SimStore: a StandaloneStorage whose disk, threads and time are simulated.
//
// Nothing runs but by RunOne() and RunToEnd(), on the caller's thread; the seed decides
// whose turn it is, so a seed is one interleaving of clients, write actor and background work.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <asio/awaitable.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graders/sim/coroutines.h"
#include "graders/sim/sim_clock.h"
#include "graders/sim/sim_executor.h"
#include "graders/sim/sim_file_system.h"
#include "graders/stage1/planned_write.h"
#include "stage1-standalone/standalone_storage.h"

namespace tinykv::grading {

struct SimStoreOptions {
  uint64_t seed = 0;
  bool sync_writes = true;
  // True: memtables and tables are so small that a few writes cause flushes and compactions.
  bool small_tables = false;
};

class SimStore {
 public:
  explicit SimStore(const SimStoreOptions& options);
  ~SimStore();

  SimStore(const SimStore&) = delete;
  SimStore& operator=(const SimStore&) = delete;

  // Fills the engine below the storage, some of it in tables. REQUIRES: not started.
  absl::Status Load(const Content& content);

  absl::Status Start();
  // REQUIRES: started.
  StandaloneStorage& storage() { return *storage_; }

  sim::SimFileSystem& disk() { return disk_; }
  sim::SimExecutor& executor() { return actors_; }

  // Gives one turn to somebody. False: nobody has anything to do.
  bool RunOne();

  // Runs a coroutine, and what else is ready, until it ends. Nothing if it waits for what nobody
  // will do. Throws what comes out of it.
  template <typename T>
  std::optional<T> RunToEnd(asio::awaitable<T> coroutine) {
    const auto pending = sim::Spawn(actors_, std::move(coroutine));
    while (!pending->done() && RunOne()) {
    }
    if (!pending->done()) return std::nullopt;
    return pending->Take();
  }

  // Closes the storage in good order. REQUIRES: no request is running and no reader is left.
  absl::Status Stop();

  // The process ends without warning; with power loss, the disk forgets what was not synced.
  // Coroutines that still run meet a disk where everything fails, and see ended(): what they learn
  // from then on nobody has learnt. REQUIRES: no reader is left outside of coroutines.
  enum class Crash { kProcess, kPower };
  void End(Crash crash);
  bool ended() const { return ended_; }

  // What the engine holds, read below the storage. REQUIRES: stopped or ended.
  absl::StatusOr<Content> ReadEngine();

 private:
  lsm::Options EngineOptions();
  absl::StatusOr<std::unique_ptr<lsm::DB>> OpenEngine();

  const SimStoreOptions options_;
  Random random_;
  sim::SimClock clock_;
  sim::SimFileSystem disk_;
  sim::SimExecutor actors_;      // clients and the write actor
  sim::SimExecutor background_;  // the engine's flushes and compactions
  std::unique_ptr<StandaloneStorage> storage_;
  bool ended_ = false;
};

}  // namespace tinykv::grading
