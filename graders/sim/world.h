// World: machines with clocks, disks and a network between them, under one virtual time and one
// seed.
//
//   World world({.seed = 17});
//   const NodeId a = world.AddNode({}, [](Machine& machine) {
//     return std::make_unique<MyStore>(machine);
//   });
//   world.Start(a);
//   world.RunFor(std::chrono::seconds(3));
//
// A process is whatever a start function returns: a single Raft peer, a whole store, a scheduler, a
// client. It reaches the world only through its Machine, and that only by the doors of common/env;
// production code does not know that it is simulated.
//
// Nothing runs but inside the Run functions (and Start() and Crash(), which run what they say), on
// the caller's thread, one event at a time. Equal seeds and equal calls give equal runs, and the
// trace's hash proves it.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "common/env/clock.h"
#include "common/random.h"
#include "graders/sim/drifting_clock.h"
#include "graders/sim/lane.h"
#include "graders/sim/machine.h"
#include "graders/sim/network.h"
#include "graders/sim/timeline.h"
#include "graders/sim/trace.h"

namespace tinykv::sim {

class World {
 public:
  struct Options {
    uint64_t seed = 0;
    bool keep_trace = false;
  };
  using StartFunction = sim::StartFunction;
  using CrashKind = sim::CrashKind;

  explicit World(const Options& options);
  // Ends all processes, as a crash would.
  ~World();

  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Ids are 1, 2, …. The machine is not up yet.
  NodeId AddNode(const MachineOptions& options, StartFunction start);
  size_t node_count() const { return machines_.size(); }

  // REQUIRES: not up.
  void Start(NodeId node);

  // The process is destroyed; its tasks, timers and receiver are gone. Messages from it that are
  // under way arrive. REQUIRES: up, and called from no task of that machine (post such a thing with
  // After()).
  void Crash(NodeId node, CrashKind kind);

  bool IsUp(NodeId node) const;
  // Null while down.
  Process* process(NodeId node);
  Machine& machine(NodeId node);

  // SIGSTOP and SIGCONT: in between, the machine's tasks and the messages to it wait, in their
  // order. A crash ends a pause. REQUIRES: for Pause(), up and not paused; for Resume(), paused.
  void Pause(NodeId node);
  void Resume(NodeId node);
  bool IsPaused(NodeId node) const;

  // An event of the world itself: a fault, a client's request. Those of one time happen in the
  // order of these calls.
  void After(Duration delay, std::function<void()> action);

  Network& network() { return network_; }
  Trace& trace() { return trace_; }
  // True time, from 0 on.
  const Clock& clock() const { return clock_; }
  // For whoever drives the world; the world itself draws from others, made of the same seed.
  Random& random() { return random_; }

  // Called after every event, and after each Start() and Crash(). Where that is inside of an event
  // (of After()), it is called once more after the event.
  void SetObserver(std::function<void()> observer) { observer_ = std::move(observer); }

  // `hook` is called when somebody waits, by Executor::RunOne(), for work of an executor that has
  // none: for ever, most likely.
  void SetStuckHook(std::function<void()> hook) { timeline_.SetStuckHook(std::move(hook)); }

  // Runs the next event. False: nothing is left to happen.
  bool RunOne();
  // Runs what happens within `time`, then leaves the clock that much later.
  void RunFor(Duration time);
  // Asks before the first event and after each. False: the limit has passed.
  bool RunUntil(absl::FunctionRef<bool()> condition, Duration limit);

  // How many have run. What runs inside of another (by Executor::RunOne()) is not counted.
  uint64_t events() const { return events_; }

 private:
  Machine& MachineOf(NodeId node) const;
  void Observe();

  // Each is drawn from for one purpose, so that no purpose disturbs another.
  Random seeds_;  // of the others, and of machines
  Random random_;
  Random crash_random_;
  Timeline timeline_;
  DriftingClock clock_;
  Trace trace_;
  Network network_;
  Lane actions_;
  std::vector<std::unique_ptr<Machine>> machines_;  // machine i + 1 at i
  std::function<void()> observer_;
  uint64_t events_ = 0;
};

}  // namespace tinykv::sim
