// RaftNode: a RaftCore together with features that extend it from outside.
//
// The core knows elections and replication. What is more than that, like transferring the
// leadership or changing the membership, is a Feature: it owns its own state and is told, by five
// hooks, what the core does. The owner of a node talks to the node only (ready.h has the contract).
//
// Thread-safety: none. The owner calls it from one actor.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/env/clock.h"
#include "stage2-raftkv/raft/raft_core.h"

namespace tinykv::raft {

// All hooks may call the core. They are called in the order in which features were added.
class Feature {
 public:
  virtual ~Feature() = default;

  // The leader is about to propose. An error refuses the proposal, and is what the proposer gets.
  virtual absl::Status BeforePropose(RaftCore& /*core*/, EntryType /*type*/,
                                     const std::vector<Payload>& /*data*/) {
    return absl::OkStatus();
  }
  // A message of a type that the core does not know; its term has been checked. True: handled,
  // nobody else is asked.
  virtual bool OnUnknownMessage(RaftCore& /*core*/, const Message& /*message*/) { return false; }
  // A message came, whether or not anybody had a use for it: it may be out of date.
  virtual void AfterStep(RaftCore& /*core*/, const Message& /*message*/) {}
  virtual void AfterTick(RaftCore& /*core*/) {}
  // Role or term differ from what they were before the last input.
  virtual void OnRoleChange(RaftCore& /*core*/) {}
};

class RaftNode {
 public:
  // `clock` must outlive the node. REQUIRES: Validate(options) is OK.
  RaftNode(const RaftOptions& options, StoredState stored, Clock& clock);

  // REQUIRES: nothing has been put in yet.
  void AddFeature(std::unique_ptr<Feature> feature);

  // A message that came over the network. Errors: those of CheckMessage(), for one that no member
  // sends; it is ignored. A type that nobody knows is no error: a newer peer may send it.
  absl::Status Step(const Message& message);
  void Tick();
  // Errors: those of RaftCore::Propose(), and of features.
  absl::Status Propose(EntryType type, std::vector<Payload> data);
  absl::Status ReadIndex(uint64_t request);
  void StartElection(bool by_leader = false);
  void EnterTerm(Term term);
  void SwitchMembership(Membership next);
  void ProvideSnapshot(const Snapshot& snapshot) { core_.ProvideSnapshot(snapshot); }
  void ReportSnapshotFailure(PeerId to) { core_.ReportSnapshotFailure(to); }
  void NoteSnapshotAlive(PeerId to) { core_.NoteSnapshotAlive(to); }
  void CompactTo(Index index) { core_.CompactTo(index); }

  bool HasReady() const { return core_.HasReady(); }
  Ready TakeReady() { return core_.TakeReady(); }
  void Advance(const Ready& ready);

  const RaftCore& core() const { return core_; }

 private:
  // Tells features if role or term have changed.
  void NoteRole();

  Clock& clock_;
  RaftCore core_;
  std::vector<std::unique_ptr<Feature>> features_;
  Role role_;
  Term term_;
};

}  // namespace tinykv::raft
