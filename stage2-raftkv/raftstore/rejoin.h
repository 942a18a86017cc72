// Rejoin: how a peer that has lost its disk comes back, without voting from what it has forgotten.
//
// It comes back as the same member, whose earlier life has voted and acknowledged entries. In
// members that forget nothing, any two majorities share somebody who knows. So until this one knows
// as much as it once promised, it must not be the one whom they share:
//   1. It asks ALL other members for their term, again and again, with a number drawn for this life
//      that comes back in the answers. Meanwhile it takes part in nothing. A member that rejoins
//      itself does not answer.
//   2. Once all have answered, let M be the highest term. It makes durable: term M + 1, its vote in
//      which is its own, and that it rejoins above M. A crash before that starts over, with another
//      number; after it, goes on.
//   3. It follows: takes appends, heartbeats and snapshots and answers them, but grants no vote and
//      no pre-vote, and does not campaign.
//   4. In the batch that makes durable an entry of a term above M, or a snapshot that ends with
//      one, the mark goes. From now on it is a member as any other.
//
// Why that is enough. Say the earlier life is A, the new one B.
//   a. A has voted for others, and acknowledged entries, in terms <= M only: the candidate had that
//      term on its disk before it asked for votes, and so had the leader; both have told B a term
//      at least as high. (An answer asked for by an earlier life may be older than a vote of A that
//      came after it: hence the number.) Nor did A lead in a term above M: some other member had
//      voted for it. A may have voted for itself there, but nobody counts the votes any more.
//   b. So leaders of terms above M were elected without A, and until step 4 without B: by a
//      majority V of members that forget nothing. What A helped to commit is at a majority Q that
//      has A in it. V and Q share somebody, and it is not A. Hence such a leader had all of that in
//      its log before its first own entry; and where this log has that entry, it has all before it
//      as well (log matching). The same holds for leases and confirmed reads that A answered for.
//   c. Acknowledgements of A that are still on their way are of terms <= M. A leader of such a term
//      may count them until it hears B, whose term M + 1 deposes it; by b they do no harm. The next
//      leader begins to count anew, and hears from B only what B has.
//   d. No vote is cast twice: A's were in terms <= M or its own, B's are in terms above M + 1, or
//      in M + 1 its own.
// This takes one store at a time: all others must be there to answer, and before the next disk is
// lost, what was sent before this one was lost must have arrived, or never will. It takes three
// members or more, since the others must be able to elect a leader (CheckMayRejoin()).
//
// Old peers do not know the question, and so B waits for ever.
//
// Thread-safety: none. It belongs to the peer's actor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/metapb.pb.h"
#include "proto/raft_serverpb.pb.h"
#include "stage2-raftkv/raft/raft_core.h"
#include "stage2-raftkv/raftstore/engines.h"

namespace tinykv::raftstore {

// ---- what is on disk ----

// Errors: kFailedPrecondition, if the members without one are no majority.
absl::Status CheckMayRejoin(const metapb::Region& region);

// Notes that the peer of `region` has forgotten all.
void BeginRejoin(RegionId region, lsm::WriteBatch& batch);

// The peer's mark, if it has one and still needs it; `last_term` is that of the last entry of its
// log. A mark that a crash has left is removed.
absl::StatusOr<std::optional<raft_serverpb::RaftRejoinState>> LoadRejoin(lsm::DB& raft,
                                                                         RegionId region,
                                                                         raft::Term last_term);

// ---- what is said ----

// Questions and answers, which are not for the core.
bool IsAboutRejoin(raft::MessageType type);
// REQUIRES: `question` is one, and the member does not rejoin.
raft::Message AnswerTo(const raft::Message& question, const raft::RaftCore& core);

// ---- the peer that rejoins ----

class Rejoin {
 public:
  // `others`: all members of the region but this. `number` is of this life.
  Rejoin(RegionId region, raft_serverpb::RaftRejoinState state, raft::Membership others,
         uint64_t number);

  // Steps 1 and 2: whether others have still to say their term.
  bool is_asking() const { return state_.above_term() == 0; }
  // M. REQUIRES: !is_asking().
  raft::Term above_term() const { return state_.above_term(); }
  // For people: what it waits for.
  std::string Describe() const;

  // Whether the core may be given such a message.
  bool Admits(raft::MessageType type) const;

  // The questions that are due.
  std::vector<raft::Message> Tick(const raft::RaftCore& core);

  // True: that was the last answer, and now it must go on to term M + 1, and give Save() the Ready
  // that makes this durable.
  bool OnAnswer(const raft::Message& answer, const raft::RaftCore& core);

  // Adds to `batch` what `ready`, which is in the same batch, makes of the mark. True: this peer
  // has rejoined.
  bool Save(const raft::Ready& ready, lsm::WriteBatch& batch);

 private:
  const RegionId region_;
  raft_serverpb::RaftRejoinState state_;
  bool is_saved_ = true;         // the state
  raft::Membership missing_;     // who has not answered
  raft::Term highest_term_ = 0;  // of those who have
  uint64_t number_;
  // Since nobody may be there for long: asks less and less often.
  uint32_t wait_ticks_ = 1;
  uint32_t ticks_left_ = 1;  // until it asks again
};

}  // namespace tinykv::raftstore
