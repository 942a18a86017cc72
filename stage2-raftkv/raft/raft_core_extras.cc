// What the reference does beyond the Raft paper's Figure 2. Each section can be switched off.
#include <algorithm>

#include "common/check.h"
#include "common/status.h"
#include "stage2-raftkv/raft/raft_core.h"

namespace tinykv::raft {

// ---- Pre-vote (thesis 9.6) ----
//
// A member asks first whether it could win, without a new term for anybody. Only with a majority of
// yeses does it campaign. Who hears a leader says no.

void RaftCore::StartPreVote() {
  ChangeRole(Role::kPreCandidate, term_, kNone);
  ResetElectionTimer();
  votes_[id()] = true;
  if (IsAlone()) {
    Campaign();
    return;
  }
  RequestVotes(MessageType::kPreVote, term_ + 1);
}

void RaftCore::OnPreVote(const Message& message) {
  const bool hears_leader =
      role_ == Role::kLeader || ((leader_ != kNone || options_.check_quorum) &&
                                 ticks_since_leader_ < options_.election_ticks);
  const bool is_granted =
      !hears_leader && message.term > term_ && log_.IsUpToDate({message.index, message.log_term});
  // A refusal has this member's own term, so that a sender that is behind catches up.
  Send({.type = MessageType::kPreVoteResponse,
        .to = message.from,
        .term = is_granted ? message.term : term_,
        .reject = !is_granted});
}

void RaftCore::OnPreVoteResponse(const Message& message) {
  if (role_ != Role::kPreCandidate) return;
  if (!message.reject && message.term != term_ + 1) return;  // of an earlier attempt
  if (CountVote(message)) Campaign();
}

// ---- Check-quorum (thesis 6.2, 4.2.3) ----
//
// A leader that is cut off from the majority steps down, so that its clients look elsewhere. And a
// member that hears its leader, or may have heard it just before a restart, elects no other.

void RaftCore::CheckQuorum() {
  if (!options_.check_quorum || ++quorum_elapsed_ < options_.election_ticks) return;
  size_t count = 1;  // itself
  ForEachPeer([&](PeerId peer) { count += heard_.contains(peer) ? 1 : 0; });
  quorum_elapsed_ = 0;
  heard_.clear();
  if (count < MajorityOf(members_)) ChangeRole(Role::kFollower, term_, kNone);
}

bool RaftCore::IsSheltered(const Message& message) const {
  if (!options_.check_quorum || message.type != MessageType::kRequestVote) return false;
  if (message.by_leader || message.term <= term_) return false;
  return role_ == Role::kLeader || ticks_since_leader_ < options_.election_ticks;
}

// ---- Reads (thesis 6.4; read_index.h, heartbeat_rounds.h) ----

absl::Status RaftCore::ReadIndex(uint64_t request) {
  if (role_ != Role::kLeader) return FailedPrecondition("peer ", id(), " does not lead");
  if (reads_.size() >= options_.waiting_reads_max) {
    return ResourceExhausted("server is busy: ", reads_.size(), " reads wait already");
  }
  reads_.Add(request);
  PumpReads();
  return absl::OkStatus();
}

void RaftCore::PumpReads() {
  if (role_ != Role::kLeader || reads_.size() == 0 || !has_committed_in_term()) return;
  const uint64_t next_round = rounds_.last() + 1;
  reads_.Admit(log_.committed(), next_round);
  if (HoldsLease()) reads_.Confirm(next_round, ready_reads_);
  reads_.Confirm(rounds_.Confirmed(members_, id()), ready_reads_);
  // While a round is under way, who comes later waits for the next: they all share it.
  const bool is_under_way = rounds_.Confirmed(members_, id()) < rounds_.last();
  if (reads_.needed_round() == next_round && (!is_under_way || IsAlone())) BroadcastHeartbeat();
  reads_.Confirm(rounds_.Confirmed(members_, id()), ready_reads_);
}

// ---- Leader lease (thesis 6.4.1; options.h says how long it lasts and why) ----

bool RaftCore::HoldsLease() const {
  const std::optional<Duration> end = LeaseEnd();
  return end && now_ < *end;
}

std::optional<Duration> RaftCore::LeaseEnd() const {
  // Once asked, somebody may campaign at any time, and others would not refuse (thesis 6.4.1).
  if (role_ != Role::kLeader || !options_.lease || has_called_election_) return std::nullopt;
  const std::optional<Duration> begun = rounds_.ConfirmedAt(members_, id());
  if (!begun) return std::nullopt;
  return *begun + LeaseDuration(*options_.lease, options_.election_ticks);
}

// ---- A member that has lost its disk (raftstore/rejoin.h) ----

void RaftCore::EnterTerm(Term term) {
  TKV_CHECK(role_ == Role::kFollower && term > term_);
  ChangeRole(Role::kFollower, term, kNone);
  vote_ = id();
}

}  // namespace tinykv::raft
