// RaftGroup: members and the messages between them, with somebody outside who decides everything:
// what happens next, what arrives, what gets lost, who crashes. No time, no chance.
//
// After every event the invariants are checked; the first violation stays. A value: a copy goes on
// independently. Copies share what has not changed since (copy on write), since the exhaustive
// search makes millions of them.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "graders/stage2/fingerprint.h"
#include "graders/stage2/raft_invariants.h"
#include "graders/stage2/raft_member.h"

namespace tinykv::grading {

class RaftGroup {
 public:
  // `options` are those of all members, but for id and seed, which they get from their id.
  explicit RaftGroup(const raft::RaftOptions& options)
      : options_(std::make_shared<const raft::RaftOptions>(options)) {}

  // From now on what is in flight stays there, and may arrive again and again; equal messages are
  // one. That is loss, delay, duplication and reordering all at once.
  void KeepMessages() { keeps_messages_ = true; }

  // The next member, from 1 on, with `stored` on its disk; not running yet.
  void Add(const raft::StoredState& stored);

  // When an input's Ready is overtaken by a crash.
  enum class CrashPoint : uint8_t {
    kNever,
    kBeforeWrite,  // what may be sent before is sent; nothing of it is on disk
    kAfterWrite,   // all of it is on disk; nothing more is sent
  };

  void Start(raft::PeerId id);  // REQUIRES: not up
  void Crash(raft::PeerId id);  // REQUIRES: up
  bool IsUp(raft::PeerId id) const { return Has(id) && NodeOf(id).member.has_value(); }

  // Does something to a member that is up, and all that follows from it: messages are in flight
  // afterwards.
  void Input(raft::PeerId id, absl::FunctionRef<void(raft::RaftCore&)> input,
             CrashPoint crash = CrashPoint::kNever);
  // Message number `i` arrives, if its receiver is up; it is in flight no more.
  void Deliver(size_t i, CrashPoint crash = CrashPoint::kNever);
  void Drop(size_t i);
  // Puts it into flight once more, at the end.
  void Duplicate(size_t i);
  // A message from elsewhere.
  void Inject(const raft::Message& message) { PutIntoFlight(message); }
  void Checkpoint(raft::PeerId id, raft::Index index);

  struct Flying {
    std::shared_ptr<const raft::Message> message;
    Fingerprint print;
    uint64_t number;  // of all that was ever in flight; for traces
  };
  const std::vector<Flying>& flight() const { return flight_; }
  bool Has(raft::PeerId id) const { return id > 0 && id <= nodes_.size(); }
  // Members have the ids 1 to size().
  size_t size() const { return nodes_.size(); }
  // REQUIRES: up.
  const RaftMember& member(raft::PeerId id) const { return *NodeOf(id).member; }
  const RaftDisk& disk(raft::PeerId id) const { return NodeOf(id).disk; }

  const std::optional<RaftViolation>& violation() const { return violation_; }

  // Of a member and its disk.
  Fingerprint PrintOf(raft::PeerId id) const;
  // Of all that decides what may happen next; the order of messages in flight says nothing.
  Fingerprint Print() const;

 private:
  // A member's machine.
  struct Node {
    RaftDisk disk;
    std::optional<RaftMember> member;  // while it is up
    mutable std::optional<Fingerprint> print;
  };

  const Node& NodeOf(raft::PeerId id) const { return *nodes_.at(id - 1); }
  // To be changed: nobody else has it then.
  Node& MutableNode(raft::PeerId id);
  RaftGroupView View() const;
  // Handles Readys until there is none, or `crash` says stop.
  void Settle(raft::PeerId id, CrashPoint crash);
  void SendAll(const std::vector<raft::Message>& messages, const RaftDisk& disk);
  void PutIntoFlight(const raft::Message& message);
  void Note(RaftInvariants::Result result);

  std::shared_ptr<const raft::RaftOptions> options_;
  std::vector<std::shared_ptr<Node>> nodes_;
  std::vector<Flying> flight_;
  uint64_t flights_ = 0;
  bool keeps_messages_ = false;
  RaftInvariants invariants_;
  std::optional<RaftViolation> violation_;
};

}  // namespace tinykv::grading
