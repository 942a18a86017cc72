// RaftProcess: one Raft member as a process of a simulated world: its ticks come from the machine's
// clock, its messages over the network, and writing takes time.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graders/sim/machine.h"
#include "graders/stage2/raft_member.h"

namespace tinykv::grading {

inline constexpr Duration kRaftTick = std::chrono::milliseconds(100);

class RaftProcess;

// Who looks on: told of everything that happens at a member.
class RaftObserver {
 public:
  virtual ~RaftObserver() = default;
  virtual void OnStart(RaftProcess& process) = 0;
  virtual void OnEvent(RaftProcess& process) = 0;
  virtual void OnReady(RaftProcess& process) = 0;  // it was taken, and is not written yet
  virtual void OnSend(const raft::Message& message, const RaftDisk& disk) = 0;
  virtual void OnReads(raft::PeerId id, const std::vector<raft::ReadState>& reads) = 0;
  virtual void OnEnd(raft::PeerId id) = 0;
};

class RaftProcess final : public sim::Process {
 public:
  struct Setup {
    raft::RaftOptions options = {};
    Duration write_delay_max = {};
    uint32_t compact_every = 0;  // entries; 0: never
  };
  // `disk` is what a crash leaves; it and `observer` must outlive the process.
  RaftProcess(sim::Machine& machine, const Setup& setup, RaftDisk& disk, RaftObserver& observer);
  ~RaftProcess() override;

  raft::PeerId id() const { return machine_.id(); }
  const RaftMember& member() const { return member_; }

  // From now on writes take no time.
  void MakeDiskFast() { setup_.write_delay_max = {}; }

  // What clients ask for; both are done by the member's actor. They do nothing if it does not lead.
  void Propose(std::string data);
  void Read(uint64_t request);

 private:
  // Does something to the core and takes care of what follows.
  void Input(absl::FunctionRef<void(raft::RaftCore&)> input);
  void OnMessage(const std::string& bytes);
  void ScheduleTick();
  // Starts to write the next Ready, unless one is out.
  void StartWrite();
  void FinishWrite();
  void Send(const std::vector<raft::Message>& messages);
  void MaybeCompact();

  sim::Machine& machine_;
  Setup setup_;
  RaftDisk& disk_;
  RaftObserver& observer_;
  Executor& executor_;
  RaftMember member_;
};

std::string EncodeOnWire(const raft::Message& message);
raft::Message DecodeFromWire(std::string_view bytes);

}  // namespace tinykv::grading
