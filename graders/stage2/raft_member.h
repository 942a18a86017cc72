// RaftMember: a member of a Raft group with all that its owner would do for it: a disk, a state
// machine, and the steps of a Ready one by one, so that a crash can happen between any two.
//
// Everything is a value; a copy goes on independently, which is what exhaustive search lives on.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stage2-raftkv/raft/raft_core.h"

namespace tinykv::grading {

// A state machine that tells any two histories apart: the hash of all that was applied, in order.
struct AppliedState {
  raft::Index index = 0;
  uint64_t chain = 0;

  bool operator==(const AppliedState&) const = default;

  void Apply(const raft::Entry& entry);
  raft::Snapshot ToSnapshot(raft::Term term, const raft::Membership& members) const;
  static AppliedState Of(const raft::Snapshot& snapshot);
};

// What a crash leaves.
struct RaftDisk {
  raft::HardState hard_state = {};
  raft::Membership members = {};
  raft::EntryId boundary = {};
  std::vector<raft::Entry> entries = {};
  AppliedState applied = {};  // as of some moment in the past, at or after the boundary

  explicit RaftDisk(const raft::StoredState& stored);

  // Does what a Ready says under 2 (ready.h).
  void Write(const raft::Ready& ready);
  // Forgets what is at or below `index`. REQUIRES: index <= applied.index.
  void CompactTo(raft::Index index);

  raft::StoredState Load() const;
  raft::Index last_index() const { return boundary.index + entries.size(); }
  std::optional<raft::Term> TermAt(raft::Index index) const;
  // Bytes that tell it from any other.
  void EncodeTo(std::string& out) const;
};

class RaftMember {
 public:
  // Starts a process with what `disk` has.
  RaftMember(const raft::RaftOptions& options, const RaftDisk& disk);

  raft::RaftCore& core() { return core_; }
  const raft::RaftCore& core() const { return core_; }
  const AppliedState& applied() const { return applied_; }

  // A Ready goes through these three, in this order. Messages that may leave are returned.
  std::vector<raft::Message> TakeReady();    // REQUIRES: core().HasReady()
  void Write(RaftDisk& disk) const;          // REQUIRES: a Ready is out
  std::vector<raft::Message> FinishReady();  // REQUIRES: it was written
  bool ready_is_out() const { return ready_.has_value(); }
  const raft::Ready& ready() const { return *ready_; }

  // Has the state machine's state of now on disk, and, up to `index` of it, no log. What a member
  // that is behind needs then is a snapshot.
  void Checkpoint(RaftDisk& disk, raft::Index index);

  // Reads that FinishReady() found answered, since the last call.
  std::vector<raft::ReadState> TakeReads();

  // What all this time was done, as bytes; see RaftCore::EncodeState().
  std::string EncodeState() const;

 private:
  void Apply(const raft::Ready& ready);

  raft::RaftCore core_;
  AppliedState applied_;
  std::optional<raft::Ready> ready_;
  std::vector<raft::ReadState> reads_;
};

}  // namespace tinykv::grading
