// RaftInvariants: what must hold of a Raft group after every event, whatever goes wrong.
//
// It watches members from outside, remembers what it has seen, and says who disagrees about what.
// The names are those of the Raft paper's Figure 3 where it has one:
//
//   ElectionSafety        at most one leader a term
//   LeaderAppendOnly      a leader never overwrites or removes entries of its log
//   LogMatching           entries with the same index and term are equal, and so is all before them
//   LeaderCompleteness    what is committed in a term is in the log of every leader of a later term
//   StateMachineSafety    nobody commits or applies another entry at an index where somebody has
//   CommittedIsStored     what a leader commits is on the disks of a majority
//   AppliedIsStored       what a member applies is on its own disk
//   ReadysEnd             without further input there comes an end of Readys
//   PromisesAreStored     what a member tells others survives its crash
//   OneVoteATerm          a member votes for one candidate a term, even if it crashes in between
//   Monotony              term, commit and applied index never go back while a process runs, and
//                         the term not even when it restarts
//   ReadsAreCurrent       a read sees all that was committed before it was asked for
//
// Nothing is asked about how members do it. A value, for exhaustive search.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "graders/stage2/raft_member.h"

namespace tinykv::grading {

struct RaftViolation {
  std::string invariant;  // its name
  std::string sentence;   // who disagrees about what
};

// How one member stands. While it is down, `member` is null.
struct RaftMemberView {
  raft::PeerId id = raft::kNone;
  const RaftMember* member = nullptr;
  const RaftDisk* disk = nullptr;
};
using RaftGroupView = std::vector<RaftMemberView>;

class RaftInvariants {
 public:
  using Result = std::optional<RaftViolation>;

  // `id` has started, or started again.
  Result OnStart(const RaftGroupView& group, raft::PeerId id);
  // Something happened at `id`, which is up.
  Result OnEvent(const RaftGroupView& group, raft::PeerId id);
  // `ready` was taken from `id`, whose disk is `disk`; nothing of it is written yet.
  static Result OnReady(raft::PeerId id, const raft::Ready& ready, const RaftDisk& disk);
  // After one input there have been so many Readys, and there is one more.
  static Result NoEnd(raft::PeerId id, int readys);
  // `message` leaves its sender, whose disk is `disk`.
  Result OnSend(const raft::Message& message, const RaftDisk& disk);
  // A member that leads has taken a read, and has said later how far it must have applied for it.
  void OnReadAsked(uint64_t request);
  Result OnReadAnswered(raft::PeerId id, const raft::ReadState& read);

  // The last index that anybody has committed.
  raft::Index committed() const { return chosen_.empty() ? 0 : chosen_.rbegin()->first; }
  // What it remembers, as bytes: groups that stand alike but came there on different ways may
  // break different invariants.
  void EncodeTo(std::string& out) const;

 private:
  struct Chosen {
    raft::Entry entry;
    raft::Term in_term;  // of who committed it first
    raft::PeerId by;
  };
  struct Known {  // an entry that somebody has had
    raft::Payload data;
    std::optional<raft::Term> previous_term;
    raft::PeerId at;
  };
  struct Seen {  // of a process
    raft::Term term = 0;
    raft::Role role = raft::Role::kFollower;
    raft::PeerId vote = raft::kNone;  // told to nobody yet, so a crash may take it back
    raft::Index committed = 0;
    raft::Index applied = 0;
    raft::EntryId boundary = {};
    std::vector<raft::Term> terms = {};  // of the entries behind the boundary
  };

  Result CheckMonotony(const RaftMemberView& view, const Seen& seen) const;
  Result CheckLeader(const RaftMemberView& view, const Seen& seen);
  Result CheckVote(raft::PeerId voter, raft::Term term, raft::PeerId candidate);
  Result CheckLog(const RaftMemberView& view, const Seen& seen);
  Result CheckEntry(const RaftMemberView& view, raft::Index index);
  Result CheckCommit(const RaftGroupView& group, const RaftMemberView& view, const Seen& seen);
  Result CheckStored(const RaftGroupView& group, const RaftMemberView& view) const;
  Result CheckApplied(const RaftMemberView& view);
  void ForgetUnwritten(const RaftMemberView& view);
  static void Remember(const RaftMemberView& view, Seen& seen);

  absl::btree_map<raft::Term, raft::PeerId> leaders_;
  absl::btree_map<std::pair<raft::PeerId, raft::Term>, raft::PeerId> votes_;
  absl::btree_map<std::pair<raft::Index, raft::Term>, Known> known_;
  absl::btree_map<raft::Index, Chosen> chosen_;
  absl::btree_map<raft::Index, std::pair<uint64_t, raft::PeerId>>
      chains_;                                      // after applying an index
  absl::btree_map<raft::PeerId, raft::Term> told_;  // the highest term that others were told
  absl::btree_map<raft::PeerId, Seen> seen_;
  absl::btree_map<uint64_t, raft::Index> reads_;  // what was committed when they were asked for
};

}  // namespace tinykv::grading
