// SoakLoad: reads and writes a cluster for as long as it is told to, while somebody else breaks it,
// and checks every answer.
//
// Each worker owns some keys, which it alone writes, and reads all. It makes one call after the
// other by a client of its own, whose calls find the leader and are tried again as those of any
// client; so a call may fail only after its deadline.
//
// After a call with an attempt that nobody answered, the key rests: that attempt may still lie in
// the socket of a store that was paused or cut off, and take effect when it goes on. If the worker
// went on to write that key, this would undo a later write, and the checker would take the store
// for the culprit. How long a key rests must be more than a fault lasts and a connection then
// lives.
//
// Beside that, each store is asked by a probe (store_probe.h), which finds who answers and should
// not.
//
// Thread-safety: safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/env/clock.h"
#include "common/env/executor.h"
#include "graders/soak/counters.h"
#include "graders/soak/register_checker.h"
#include "graders/soak/store_probe.h"

namespace tinykv::soak {

struct SoakLoadOptions {
  std::string addresses;  // of all stores, with commas
  uint32_t keys = 2000;
  uint32_t workers = 16;
  uint32_t calls_per_second = 600;  // of all workers; about half of them write
  uint32_t value_bytes_max = 4096;
  Duration deadline = std::chrono::seconds(10);  // of each call
  Duration rest = std::chrono::seconds(60);
  uint64_t seed = 1;
};

class SoakLoad {
 public:
  // Is called with a sentence for each answer that cannot be, from any thread.
  using OnViolation = std::function<void(const std::string& what)>;

  // Errors: kInvalidArgument, naming the option.
  static absl::StatusOr<std::unique_ptr<SoakLoad>> Make(const SoakLoadOptions& options,
                                                        OnViolation on_violation);
  ~SoakLoad();  // as Stop()

  SoakLoad(const SoakLoad&) = delete;
  SoakLoad& operator=(const SoakLoad&) = delete;

  void Start();
  // Returns when the last call has ended. No more than once.
  void Stop();

  // Reads all keys, and checks them as any answer. The load may go on beside it. One thread at a
  // time. Errors: those of a read that failed until its deadline.
  absl::Status ReadAll();

  Counters& counters() { return counters_; }
  uint32_t violations() const { return violations_; }

 private:
  class Worker;

  SoakLoad(const SoakLoadOptions& options, OnViolation on_violation);

  void AddProbe(const std::string& address);
  // What the store at `server` has answered to a read; nullopt for "absent".
  void Check(const RegisterChecker::Read& read, const std::optional<std::string>& value,
             const std::string& server);
  void Report(const std::string& what);

  const SoakLoadOptions options_;
  const OnViolation on_violation_;
  std::atomic<uint32_t> violations_ = 0;
  Counters counters_;
  RegisterChecker checker_;
  std::unique_ptr<Executor> timers_;  // of the clients
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Worker> reader_;  // of ReadAll()
  std::vector<std::unique_ptr<StoreProbe>> probes_;
  std::unique_ptr<Executor> threads_;  // one a worker; last, since its tasks use all the others
};

}  // namespace tinykv::soak
