// RaftWorld: a plan as it is carried out: a group in a simulated world, clients, faults, and the
// invariants after every event. First things go wrong, and nothing may be violated; then all is
// mended, and the group must come to work again within a time.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graders/sim/world.h"
#include "graders/stage2/raft_invariants.h"
#include "graders/stage2/raft_plan.h"
#include "graders/stage2/raft_process.h"
#include "graders/task/finding.h"

namespace tinykv::grading {

class RaftWorld final : private RaftObserver {
 public:
  RaftWorld(const RaftPlan& plan, bool keep_trace);
  ~RaftWorld() override;

  // Once. Nothing if all is as it must be.
  Result Run();

  const sim::Trace& trace() { return world_.trace(); }

 private:
  // RaftObserver:
  void OnStart(RaftProcess& process) override;
  void OnEvent(RaftProcess& process) override;
  void OnReady(RaftProcess& process) override;
  void OnSend(const raft::Message& message, const RaftDisk& disk) override;
  void OnReads(raft::PeerId id, const std::vector<raft::ReadState>& reads) override;
  void OnEnd(raft::PeerId id) override;

  void AddMembers();
  RaftProcess::Setup SetupOf(raft::PeerId id) const;

  void MendAll();

  // Clients ask whoever thinks that it leads; again and again.
  void ScheduleProposals();
  void ScheduleReads();
  RaftProcess* SomeLeader();
  void Propose(RaftProcess& leader);

  // Whether all members are up, agree on a leader, and have applied all there is.
  bool IsQuiet() const;
  Result CheckLiveness();
  std::string HowTheyStand() const;

  void Note(raft::PeerId id, RaftInvariants::Result result);
  void NoteView(raft::PeerId id);
  // A violation, or no end.
  bool IsOver() const;
  Result OverFinding() const;

  const RaftPlan plan_;
  sim::World world_;
  std::map<raft::PeerId, RaftDisk> disks_;
  std::map<raft::PeerId, RaftProcess*> processes_;  // null while down
  RaftGroupView group_;
  RaftInvariants invariants_;
  std::optional<RaftViolation> violation_;
  WorldFaults faults_;
  std::map<raft::PeerId, raft::Role> noted_roles_;
  bool is_mended_ = false;
  uint64_t proposals_ = 0;
  uint64_t reads_ = 0;
};

// Runs `plan`; where it fails, where a trace is wanted, and if told so, once more with a trace, and
// compares: both must be the same.
Result RunRaftPlan(const RaftPlan& plan, bool run_twice);

}  // namespace tinykv::grading
