// Machine: what a process of a simulated world sees of it, by the doors of common/env: a clock,
// executors, a transport and a disk.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/env/clock.h"
#include "common/env/executor.h"
#include "common/env/transport.h"
#include "common/random.h"
#include "graders/sim/drifting_clock.h"
#include "graders/sim/lane.h"
#include "graders/sim/network.h"
#include "graders/sim/sim_file_system.h"
#include "graders/sim/timeline.h"
#include "graders/sim/trace.h"
#include "graders/sim/transfers.h"

namespace tinykv::sim {

class Machine;
class World;

// Whatever runs on a machine. Its destructor is the end of its memory, not an orderly exit: the
// disk refuses everything by then, and nothing that is sent leaves.
class Process {
 public:
  virtual ~Process() = default;
};

using StartFunction = std::function<std::unique_ptr<Process>(Machine&)>;

enum class CrashKind {
  kProcess,  // everything that was written stays
  kPower,    // what was not synced may be gone
};

struct MachineOptions {
  // How much faster (slower) than true time its clock runs, in parts per million.
  int32_t clock_rate_ppm = 0;
  Duration clock_offset = {};
};

class Machine {
 public:
  // For World.
  struct Parts {
    World& world;
    Timeline& timeline;
    Network& network;
    Trace& trace;
  };
  Machine(NodeId id, const MachineOptions& options, StartFunction start, const Parts& parts,
          Random random);
  ~Machine();

  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  NodeId id() const { return id_; }

  // Its own: drifts. During a task it also runs on by what the task has been charged.
  Clock& clock() { return clock_; }

  // An actor: its tasks run one at a time in the order they were posted, and what a task is charged
  // (by the disk) delays the next one. Delays count on the machine's own clock. For the process
  // that is running, whose end drops all its tasks; later calls do nothing.
  // In the process's destructor, tasks run only by its own RunOne().
  Executor& NewExecutor();

  // Drops what is waiting on an executor, before the end does: for a process's destructor, where
  // tasks hold what must go before something else. `executor` is from NewExecutor().
  void DropTasks(Executor& executor);

  // Messages and transfers to and from the machines with the same numbers. Receiver, acceptor and
  // transfers go with the process, and then no transfer's `done` is called. What the receiver is
  // charged delays the next messages to this machine; sources and sinks have a lane each
  // (transfers.h says more).
  Transport& transport() { return port_; }

  // Survives the process; power loss takes what was not synced.
  SimFileSystem& disk();

  // The machine's own, from the world's seed.
  Random& random() { return random_; }

  Trace& trace() { return parts_.trace; }
  World& world() { return parts_.world; }

 private:
  friend class World;

  enum class State { kDown, kUp, kEnding };

  class Port final : public Transport, public Network::Endpoint {
   public:
    explicit Port(Machine& machine);

    absl::Status Send(StoreId to, std::string message) override;
    void Transfer(StoreId to, std::unique_ptr<ChunkSource> source, TransferDone done) override;
    void SetReceiver(Receiver receiver) override;
    void SetAcceptor(Acceptor acceptor) override;
    const char* Refusal(std::string_view message) const override;
    void Deliver(NodeId from, std::string message) override;
    // The process's receiver, acceptor and transfers go.
    void EndProcess();

   private:
    Machine& machine_;
    Receiver receiver_;
    Transfers transfers_;
  };

  // What World calls.
  void Start();
  // Ends the process. The disk stays halted, if there is one.
  void End();
  void Crash(CrashKind kind, Random& random);
  void Pause();
  void Resume();
  bool running() const;

  const NodeId id_;
  const Parts parts_;
  const StartFunction start_;
  DriftingClock clock_;
  Random random_;
  Port port_;
  Lane inbox_;  // messages arrive here, whether the machine is up or not
  std::vector<std::unique_ptr<Lane>> lanes_;  // closed ones of former processes too
  std::unique_ptr<SimFileSystem> disk_;       // null until somebody asks for it
  std::unique_ptr<Process> process_;
  State state_ = State::kDown;
  bool paused_ = false;
};

}  // namespace tinykv::sim
