// RaftGroup: members and the messages between them, with somebody outside who decides everything:
// what happens next, what arrives, what gets lost, who crashes. No time, no chance.
//
// After every event the invariants are checked; the first violation stays. A value: a copy goes on
// independently. Scripts and the exhaustive search are made of it.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "graders/stage2/raft_invariants.h"
#include "graders/stage2/raft_member.h"

namespace tinykv::grading {

class RaftGroup {
 public:
  // `options` are those of all members, but for id and seed, which they get from their id.
  explicit RaftGroup(const raft::RaftOptions& options) : options_(options) {}

  // A member with `stored` on its disk, not running yet.
  void Add(raft::PeerId id, const raft::StoredState& stored);

  // When an input's Ready is overtaken by a crash.
  enum class CrashPoint : uint8_t {
    kNever,
    kBeforeWrite,  // what may be sent before is sent; nothing of it is on disk
    kAfterWrite,   // all of it is on disk; nothing more is sent
  };

  void Start(raft::PeerId id);  // REQUIRES: not up
  void Crash(raft::PeerId id);  // REQUIRES: up
  bool IsUp(raft::PeerId id) const { return members_.contains(id); }

  // Does something to a member that is up, and all that follows from it: messages are in flight
  // afterwards.
  void Input(raft::PeerId id, absl::FunctionRef<void(raft::RaftCore&)> input,
             CrashPoint crash = CrashPoint::kNever);
  // Takes message number `i` out of flight; it arrives if its receiver is up.
  void Deliver(size_t i, CrashPoint crash = CrashPoint::kNever);
  void Drop(size_t i);
  // Puts it into flight once more, at the end.
  void Duplicate(size_t i);
  // A message from elsewhere.
  void Inject(const raft::Message& message) { PutIntoFlight(message); }
  void Checkpoint(raft::PeerId id, raft::Index index);

  struct Flying {
    raft::Message message;
    uint64_t number;  // of all that was ever in flight; for traces
  };
  const std::vector<Flying>& flight() const { return flight_; }
  // REQUIRES: up.
  const RaftMember& member(raft::PeerId id) const { return members_.at(id); }
  const RaftDisk& disk(raft::PeerId id) const { return disks_.at(id); }
  const std::map<raft::PeerId, RaftDisk>& disks() const { return disks_; }

  const std::optional<RaftViolation>& violation() const { return violation_; }

  // All of it, as bytes.
  std::string EncodeState() const;

 private:
  RaftGroupView View() const;
  // Handles Readys until there is none, or `crash` says stop.
  void Settle(raft::PeerId id, CrashPoint crash);
  void SendAll(const std::vector<raft::Message>& messages, const RaftDisk& disk);
  void PutIntoFlight(const raft::Message& message) { flight_.push_back({message, ++flights_}); }
  void Note(RaftInvariants::Result result);

  raft::RaftOptions options_;
  std::map<raft::PeerId, RaftDisk> disks_;
  std::map<raft::PeerId, RaftMember> members_;  // those that are up
  std::vector<Flying> flight_;
  uint64_t flights_ = 0;
  RaftInvariants invariants_;
  std::optional<RaftViolation> violation_;
};

}  // namespace tinykv::grading
