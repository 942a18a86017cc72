// SimExecutor: a cooperative executor under virtual time. Nothing runs until somebody calls one of
// the Run functions, and then it runs on the caller's thread, so equal seeds give equal runs.
//
// A task may call RunOne() itself, as an engine's write does that must wait for a flush. Whatever
// is ready then runs inside that task: give background work an executor of its own (on the same
// clock), apart from the actors', so that no actor is entered twice.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "common/env/executor.h"
#include "common/random.h"
#include "graders/sim/sim_clock.h"

namespace tinykv::sim {

class SimExecutor final : public Executor {
 public:
  // Ready tasks run in the order in which they were posted, like those of one thread. `clock` must
  // outlive the executor.
  explicit SimExecutor(SimClock& clock) : clock_(clock) {}

  // Ready tasks run in an order drawn from `random`, like those of a pool: each seed is another
  // interleaving.
  SimExecutor(SimClock& clock, Random random) : clock_(clock), random_(random) {}

  SimExecutor(const SimExecutor&) = delete;
  SimExecutor& operator=(const SimExecutor&) = delete;

  void Post(Task task) override { ready_.push_back(std::move(task)); }
  void PostAfter(Duration delay, Task task) override;

  // Runs one ready task. Where none is ready, time jumps to the next delayed one. Returns false iff
  // there is no task at all.
  bool RunOne() override;

  // `hook` is called when RunOne() finds no task at all: somebody waits for work that nobody will
  // do, and would wait for ever.
  void SetStuckHook(std::function<void()> hook) { stuck_hook_ = std::move(hook); }

  // Runs tasks until none is ready. Time does not advance (unless tasks advance it).
  void RunUntilIdle();

  // Runs what is ready or becomes due within `time`, then leaves the clock at least that much
  // later.
  void RunFor(Duration time);

  // Throws away every task, ready and delayed, as the end of a process does.
  void Clear();

  size_t ready_count() const { return ready_.size(); }
  size_t delayed_count() const { return delayed_.size(); }
  uint64_t run_count() const { return run_count_; }

 private:
  bool RunReady();
  // Makes the tasks ready whose time has come.
  void WakeDue();

  SimClock& clock_;
  std::function<void()> stuck_hook_;
  std::optional<Random> random_;
  std::vector<Task> ready_;
  // By due time, then by order of posting.
  std::map<std::pair<Duration, uint64_t>, Task> delayed_;
  uint64_t delayed_posts_ = 0;
  uint64_t run_count_ = 0;
};

}  // namespace tinykv::sim
