// Proposals, appends, heartbeats, and what is committed.
#include <algorithm>
#include <functional>
#include <utility>

#include "common/check.h"
#include "common/your_code_here.h"
#include "stage2-raftkv/raft/conflict_hint.h"
#include "stage2-raftkv/raft/raft_core.h"

namespace tinykv::raft {

void RaftCore::AppendAndSend(EntryType type, std::vector<Payload> data) {
  // >>> SOLUTION 2A-propose: into the log, then to all
  for (Payload& payload : data) {
    log_.Append({.type = type, .term = term_, .data = std::move(payload)});
  }
  BroadcastAppend();
  // <<< SOLUTION
}

void RaftCore::SendAppend(PeerId to) {
  Progress& progress = progress_.at(to);
  if (!progress.MaySend()) return;
  // >>> SOLUTION 2A-append-send: what follows `next`, or a snapshot
  const Index previous = progress.next() - 1;
  const std::optional<Term> previous_term = log_.TermAt(previous);
  if (!previous_term) {
    progress.NeedSnapshot();
    return;
  }
  Message append{.type = MessageType::kAppend,
                 .to = to,
                 .log_term = *previous_term,
                 .index = previous,
                 .entries = log_.EntriesFrom(progress.next(), options_.flow.message_bytes_max),
                 .commit = log_.committed()};
  size_t bytes = 0;
  for (const Entry& entry : append.entries) bytes += entry.data.size();
  progress.Sent(previous + append.entries.size(), bytes);
  Send(std::move(append));
  // <<< SOLUTION
}

void RaftCore::BroadcastAppend() {
  ForEachPeer([&](PeerId peer) { SendAppend(peer); });
}

void RaftCore::TellCommit() {
  ForEachPeer([&](PeerId peer) {
    const bool has_entries = progress_.at(peer).next() <= log_.last_index();
    if (has_entries || !options_.commit_rides_along) SendAppend(peer);
  });
}

void RaftCore::BroadcastHeartbeat() {
  heartbeat_elapsed_ = 0;
  const uint64_t round = rounds_.Begin(now_);
  ForEachPeer([&](PeerId peer) { SendHeartbeat(peer, round); });
}

void RaftCore::SendHeartbeat(PeerId to, uint64_t round) {
  Send({.type = MessageType::kHeartbeat, .to = to, .round = round});
}

void RaftCore::OnAppend(const Message& message) {
  // >>> SOLUTION 2A-append: follow; append or refuse; commit what is shared
  ChangeRole(Role::kFollower, term_, message.from);
  ResetElectionTimer();
  const std::optional<Index> shared =
      log_.TryAppend({message.index, message.log_term}, message.entries);
  if (!shared) {
    RefuseAppend(message);
    return;
  }
  // Not beyond what the message proves: entries behind it may be another leader's (Figure 2).
  CommitTo(std::min(message.commit, *shared));
  Send({.type = MessageType::kAppendResponse, .to = message.from, .index = *shared});
  // <<< SOLUTION
}

void RaftCore::RefuseAppend(const Message& append) {
  const Index before = append.index == 0 ? 0 : append.index - 1;
  EntryId hint{std::min(before, log_.last_index()), 0};
  if (options_.fast_back_off) hint = LastAtMost(log_, before, append.log_term);
  Send({.type = MessageType::kAppendResponse,
        .to = append.from,
        .log_term = hint.term,
        .index = hint.index,
        .reject = true,
        .rejected_index = append.index});
}

void RaftCore::OnAppendResponse(const Message& message) {
  Progress* progress = ProgressOf(message.from);
  if (progress == nullptr) return;
  if (message.reject) {
    Index hint = message.index;
    if (message.log_term > 0) hint = LastAtMost(log_, hint, message.log_term).index;
    if (progress->BackOff(message.rejected_index, hint)) SendAppend(message.from);
    return;
  }
  // >>> SOLUTION 2A-append-response: learn, commit, tell, go on
  const bool was_held_back = !progress->MaySend();
  progress->Acknowledge(message.index);
  if (MaybeCommit()) {
    TellCommit();
  } else if (was_held_back || progress->next() <= log_.last_index()) {
    SendAppend(message.from);
  }
  // <<< SOLUTION
}

void RaftCore::OnHeartbeat(const Message& message) {
  // >>> SOLUTION 2A-heartbeat: follow, and say how far this member is
  ChangeRole(Role::kFollower, term_, message.from);
  ResetElectionTimer();
  Send({.type = MessageType::kHeartbeatResponse,
        .to = message.from,
        .commit = log_.committed(),
        .round = message.round});
  // <<< SOLUTION
}

void RaftCore::OnHeartbeatResponse(const Message& message) {
  Progress* progress = ProgressOf(message.from);
  if (progress == nullptr) return;
  rounds_.Acknowledge(message.from, message.round);
  PumpReads();
  progress->Nudge();
  // >>> SOLUTION 2A-heartbeat-response: who is behind gets an append
  if (progress->match() < log_.last_index() || message.commit < log_.committed()) {
    SendAppend(message.from);
  }
  // <<< SOLUTION
}

bool RaftCore::MaybeCommit() {
  // >>> SOLUTION 2A-commit: what a majority has, if it is of this term
  std::vector<Index> matches;
  for (const auto& [peer, progress] : progress_) matches.push_back(progress.match());
  std::sort(matches.begin(), matches.end(), std::greater<>());
  const Index index = matches[MajorityOf(members_) - 1];
  if (index <= log_.committed() || log_.TermAt(index) != term_) return false;
  CommitTo(index);
  return true;
  // <<< SOLUTION
}

void RaftCore::CommitTo(Index index) {
  if (index <= log_.committed()) return;
  for (Index i = log_.committed() + 1; uncommitted_bytes_ > 0 && i <= index; ++i) {
    // What was there before this leader is not counted.
    if (log_.At(i).term != term_) continue;
    uncommitted_bytes_ -= std::min(uncommitted_bytes_, log_.At(i).data.size());
  }
  log_.CommitTo(index);
  PumpReads();
}

}  // namespace tinykv::raft
