// Terms, votes and timeouts.
#include <algorithm>

#include "common/check.h"
#include "common/your_code_here.h"
#include "stage2-raftkv/raft/raft_core.h"

namespace tinykv::raft {
namespace {

// Whether somebody is committed to be a member, or not to be one, and `log` has not handed it out.
bool HasChangeToApply(const RaftLog& log) {
  for (Index index = log.applied() + 1; index <= log.committed(); ++index) {
    if (log.At(index).type == EntryType::kConfChange) return true;
  }
  return false;
}

}  // namespace

void RaftCore::Tick() {
  ++ticks_since_leader_;
  // >>> SOLUTION 2A-tick: a leader beats, all others wait for one
  if (role_ == Role::kLeader) {
    if (++heartbeat_elapsed_ >= options_.heartbeat_ticks) BroadcastHeartbeat();
  } else if (++election_elapsed_ >= election_timeout_) {
    StartElection();
  }
  // <<< SOLUTION
  if (role_ == Role::kLeader) CheckQuorum();
  for (auto& [peer, progress] : progress_) progress.TickSnapshot(options_.snapshot_ticks_max);
}

void RaftCore::ResetElectionTimer() {
  election_elapsed_ = 0;
  election_timeout_ = static_cast<uint32_t>(
      random_.Between(options_.election_ticks, 2 * uint64_t{options_.election_ticks} - 1));
}

void RaftCore::ChangeRole(Role role, Term term, PeerId leader) {
  TKV_CHECK(term >= term_ && "terms never decrease");
  if (term > term_) vote_ = kNone;
  if (role_ == Role::kLeader) ResetElectionTimer();  // a leader has none that runs
  term_ = term;
  role_ = role;
  leader_ = leader;
  votes_.clear();
  progress_.clear();
  heard_.clear();
  quorum_elapsed_ = heartbeat_elapsed_ = 0;
  has_called_election_ = false;
  uncommitted_bytes_ = 0;
  rounds_.Reset();
  reads_.Refuse(refused_reads_);
}

bool RaftCore::AdmitTerm(const Message& message) {
  // >>> SOLUTION 2A-term: adopt a newer term, refuse an older one
  if (message.term > term_) {
    ChangeRole(Role::kFollower, message.term, IsFromLeader(message.type) ? message.from : kNone);
  } else if (message.term < term_) {
    if (!IsResponse(message.type)) Refuse(message);
    return false;
  }
  return true;
  // <<< SOLUTION
}

void RaftCore::Refuse(const Message& request) {
  switch (request.type) {
    case MessageType::kRequestVote:
      Send({.type = MessageType::kRequestVoteResponse, .to = request.from, .reject = true});
      return;
    case MessageType::kAppend:
    case MessageType::kSnapshot:
      RefuseAppend(request);
      return;
    case MessageType::kHeartbeat:
      Send({.type = MessageType::kHeartbeatResponse, .to = request.from});
      return;
    default:
      return;  // nobody waits for an answer
  }
}

void RaftCore::StartElection(bool by_leader) {
  if (role_ == Role::kLeader || !IsMember(id()) || HasChangeToApply(log_)) return;
  // Its own vote counts as well: who hears a leader that may hold a lease keeps it back.
  const bool hears_leader = ticks_since_leader_ < options_.election_ticks;
  if (options_.lease && hears_leader && !by_leader) return;
  election_by_leader_ = by_leader;
  if (options_.pre_vote && !by_leader) {
    StartPreVote();
  } else {
    Campaign();
  }
}

void RaftCore::Campaign() {
  // >>> SOLUTION 2A-campaign: a new term, a vote for itself, requests for the others'
  ChangeRole(Role::kCandidate, term_ + 1, kNone);
  ResetElectionTimer();
  vote_ = id();
  votes_[id()] = true;
  if (IsAlone()) {
    BecomeLeader();
    return;
  }
  RequestVotes(MessageType::kRequestVote, term_);
  // <<< SOLUTION
}

void RaftCore::RequestVotes(MessageType type, Term term) {
  const EntryId last = log_.last();
  ForEachPeer([&](PeerId peer) {
    Send({.type = type, .to = peer, .term = term, .log_term = last.term, .index = last.index});
  });
}

void RaftCore::OnRequestVote(const Message& message) {
  // >>> SOLUTION 2A-vote: once a term, and to no shorter log
  const bool is_free = vote_ == kNone || vote_ == message.from;
  const bool is_granted = is_free && log_.IsUpToDate({message.index, message.log_term});
  if (is_granted) {
    vote_ = message.from;
    ResetElectionTimer();
  }
  Send({.type = MessageType::kRequestVoteResponse, .to = message.from, .reject = !is_granted});
  // <<< SOLUTION
}

void RaftCore::OnVoteResponse(const Message& message) {
  if (role_ == Role::kCandidate && CountVote(message)) BecomeLeader();
}

bool RaftCore::CountVote(const Message& response) {
  // >>> SOLUTION 2A-vote-count: a majority of members, each counted once
  if (IsMember(response.from)) votes_.try_emplace(response.from, !response.reject);
  const auto is_granted = [](const auto& vote) { return vote.second; };
  const auto granted = std::count_if(votes_.begin(), votes_.end(), is_granted);
  return static_cast<size_t>(granted) >= MajorityOf(members_);
  // <<< SOLUTION
}

void RaftCore::BecomeLeader() {
  // >>> SOLUTION 2A-lead: know nothing of the others, and append a no-op
  ChangeRole(Role::kLeader, term_, id());
  for (const PeerId member : members_) {
    progress_.emplace(member, Progress(log_.last_index() + 1, options_.flow));
  }
  progress_.at(id()).Acknowledge(log_.stable());
  AppendAndSend(EntryType::kNormal, {Payload()});
  // <<< SOLUTION
}

}  // namespace tinykv::raft
