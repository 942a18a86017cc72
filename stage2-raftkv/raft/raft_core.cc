#include "stage2-raftkv/raft/raft_core.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "common/status.h"
#include "common/your_code_here.h"

namespace tinykv::raft {

RaftCore::RaftCore(const RaftOptions& options, StoredState stored)
    : options_(options),
      random_(options.random_seed),
      log_({.boundary = stored.boundary,
            .entries = std::move(stored.entries),
            .committed = stored.hard_state.commit,
            .applied = stored.applied}),
      members_(std::move(stored.members)),
      term_(stored.hard_state.term),
      vote_(stored.hard_state.vote),
      stored_(stored.hard_state) {
  TKV_CHECK(Validate(options).ok());
  ResetElectionTimer();
}

bool RaftCore::Step(const Message& message) {
  if (IsLocal(message.type)) return StepLocal(message);
  // These two are about a term that nobody is in yet.
  if (message.type == MessageType::kPreVote) {
    OnPreVote(message);
    return true;
  }
  if (message.type == MessageType::kPreVoteResponse && !message.reject) {
    OnPreVoteResponse(message);
    return true;
  }
  // Whoever asks for a transfer need not know the term, and it is a Feature that handles it.
  if (message.type == MessageType::kTransferLeader && message.term == 0) return false;
  if (IsSheltered(message)) return true;
  if (!AdmitTerm(message)) return true;
  if (IsFromLeader(message.type)) ticks_since_leader_ = 0;
  if (IsResponse(message.type) && ProgressOf(message.from)) heard_.insert(message.from);
  return Dispatch(message);
}

bool RaftCore::StepLocal(const Message& message) {
  switch (message.type) {
    case MessageType::kHup:
      StartElection();
      return true;
    case MessageType::kBeat:
      if (role_ == Role::kLeader) BroadcastHeartbeat();
      return true;
    default:
      return false;  // a proposal wants an answer: Propose() gives one
  }
}

bool RaftCore::Dispatch(const Message& message) {
  switch (message.type) {
    case MessageType::kAppend:
      OnAppend(message);
      return true;
    case MessageType::kAppendResponse:
      OnAppendResponse(message);
      return true;
    case MessageType::kRequestVote:
      OnRequestVote(message);
      return true;
    case MessageType::kRequestVoteResponse:
      OnVoteResponse(message);
      return true;
    case MessageType::kSnapshot:
      OnSnapshot(message);
      return true;
    case MessageType::kHeartbeat:
      OnHeartbeat(message);
      return true;
    case MessageType::kHeartbeatResponse:
      OnHeartbeatResponse(message);
      return true;
    case MessageType::kPreVoteResponse:
      OnPreVoteResponse(message);
      return true;
    default:
      return false;
  }
}

absl::Status RaftCore::Propose(EntryType type, std::vector<Payload> data) {
  if (role_ != Role::kLeader) return FailedPrecondition("peer ", id(), " does not lead");
  size_t bytes = 0;
  for (const Payload& payload : data) bytes += payload.size();
  // A tail that is empty takes anything, or a large entry could never be proposed.
  if (uncommitted_bytes_ > 0 && uncommitted_bytes_ + bytes > options_.uncommitted_bytes_max) {
    return ResourceExhausted("server is busy: ", uncommitted_bytes_,
                             " bytes of entries wait to be committed, at most ",
                             options_.uncommitted_bytes_max, " may");
  }
  uncommitted_bytes_ += bytes;
  AppendAndSend(type, std::move(data));
  return absl::OkStatus();
}

void RaftCore::SwitchMembership(Membership next) {
  members_ = std::move(next);
  std::erase_if(votes_, [&](const auto& vote) { return !IsMember(vote.first); });
  if (!IsMember(id()) && role_ != Role::kFollower) ChangeRole(Role::kFollower, term_, kNone);
  if (role_ != Role::kLeader) return;
  std::erase_if(progress_, [&](const auto& entry) { return !IsMember(entry.first); });
  ForEachPeer([&](PeerId peer) {
    progress_.try_emplace(peer, Progress(log_.last_index() + 1, options_.flow));
  });
  // A smaller group may have a majority already, of those who store as of those who answer.
  if (MaybeCommit()) BroadcastAppend();
  PumpReads();
}

void RaftCore::Send(Message message) {
  message.from = id();
  if (message.term == 0) message.term = term_;
  if (message.type == MessageType::kRequestVote) message.by_leader = election_by_leader_;
  if (message.type == MessageType::kTimeoutNow) has_called_election_ = true;
  messages_.push_back(std::move(message));
}

bool RaftCore::HasReady() const {
  return !messages_.empty() || hard_state() != stored_ || pending_snapshot_.has_value() ||
         log_.stable() < log_.last_index() ||
         log_.applied() < std::min(log_.committed(), log_.stable()) || !ready_reads_.empty() ||
         !refused_reads_.empty();
}

Ready RaftCore::TakeReady() {
  TKV_CHECK(!ready_is_out_ && "the last Ready must be given to Advance() first");
  ready_is_out_ = true;
  Ready ready;
  ready.messages = std::exchange(messages_, {});
  ready.snapshot = std::exchange(pending_snapshot_, std::nullopt);
  ready.reads = std::exchange(ready_reads_, {});
  ready.refused_reads = std::exchange(refused_reads_, {});
  for (const auto& [peer, progress] : progress_) {
    ready.snapshot_wanted = ready.snapshot_wanted || progress.wants_snapshot();
  }
  // >>> SOLUTION 2A-ready: what is to be written, and what may be applied
  if (hard_state() != stored_) ready.hard_state = hard_state();
  ready.entries = log_.Unstable();
  ready.committed = log_.NextToApply(options_.apply_bytes_max);
  // <<< SOLUTION
  ready.must_sync = !ready.entries.empty() || ready.snapshot.has_value() || term_ != stored_.term ||
                    vote_ != stored_.vote;
  return ready;
}

void RaftCore::Advance(const Ready& ready) {
  TKV_CHECK(ready_is_out_ && "there must be a Ready to advance over");
  ready_is_out_ = false;
  // >>> SOLUTION 2A-advance: just what that Ready had; things may have moved on since
  if (ready.hard_state) stored_ = *ready.hard_state;
  if (!ready.entries.empty()) {
    log_.StableTo({ready.entries.back().index, ready.entries.back().term});
  }
  if (!ready.committed.empty()) log_.AppliedTo(ready.committed.back().index);
  // <<< SOLUTION
  OnStable();
}

void RaftCore::OnStable() {
  if (role_ != Role::kLeader) return;
  // A leader is one of those who have to store an entry before it is committed.
  if (progress_.at(id()).Acknowledge(log_.stable()) && MaybeCommit()) BroadcastAppend();
}

void RaftCore::ForEachPeer(absl::FunctionRef<void(PeerId)> function) const {
  for (const PeerId peer : members_) {
    if (peer != id()) function(peer);
  }
}

Progress* RaftCore::ProgressOf(PeerId peer) {
  const auto found = progress_.find(peer);
  return found == progress_.end() || peer == id() ? nullptr : &found->second;
}

}  // namespace tinykv::raft
