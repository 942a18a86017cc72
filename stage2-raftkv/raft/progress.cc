#include "stage2-raftkv/raft/progress.h"

#include <algorithm>

#include "common/check.h"
#include "common/coding.h"
#include "common/your_code_here.h"

namespace tinykv::raft {

Progress::Progress(Index next, const FlowLimits& limits) : limits_(limits), next_(next) {
  TKV_CHECK(next > 0 && "indexes begin with 1");
}

bool Progress::MaySend() const {
  switch (state_) {
    case State::kProbe:
      return !probe_is_out_;
    case State::kReplicate:
      return !IsFull();
    case State::kSnapshot:
      return false;
  }
  return false;
}

void Progress::Sent(Index last, size_t bytes) {
  if (state_ == State::kProbe) {
    probe_is_out_ = true;
    return;
  }
  if (last < next_) return;  // it had no entries
  next_ = last + 1;
  in_flight_.push_back({last, bytes});
  in_flight_bytes_ += bytes;
}

bool Progress::Acknowledge(Index index) {
  while (!in_flight_.empty() && in_flight_.front().last <= index) {
    in_flight_bytes_ -= in_flight_.front().bytes;
    in_flight_.pop_front();
  }
  const bool is_news = index > match_;
  // >>> SOLUTION 2A-progress: neither goes back, whatever order the answers come in
  match_ = std::max(match_, index);
  next_ = std::max(next_, index + 1);
  // <<< SOLUTION
  // A late answer, to what the member had long ago, says nothing about the probe.
  if (state_ == State::kProbe && index == match_) {
    EnterState(State::kReplicate);
    next_ = match_ + 1;
  }
  if (state_ == State::kSnapshot && snapshot_index_ != 0 && match_ >= snapshot_index_) {
    EnterState(State::kReplicate);
  }
  return is_news;
}

bool Progress::BackOff(Index rejected, Index hint) {
  if (state_ == State::kSnapshot) return false;
  if (rejected == 0) rejected = next_ - 1;
  if (rejected <= match_) return false;  // it has accepted that since
  if (state_ == State::kReplicate) {
    EnterState(State::kProbe);
    return true;
  }
  if (rejected != next_ - 1) return false;  // not an answer to the last probe
  next_ = std::max(std::min(rejected, hint + 1), match_ + 1);
  probe_is_out_ = false;
  return true;
}

void Progress::Nudge() {
  probe_is_out_ = false;
  if (!IsFull()) return;
  in_flight_bytes_ -= in_flight_.front().bytes;
  in_flight_.pop_front();
}

void Progress::NeedSnapshot() { EnterState(State::kSnapshot); }

void Progress::SnapshotSent(Index index) {
  snapshot_index_ = index;
  snapshot_ticks_ = 0;
}

void Progress::SnapshotFailed() {
  if (state_ != State::kSnapshot) return;
  const Index sent = snapshot_index_;
  EnterState(State::kProbe);
  // Perhaps only the answer got lost: a probe costs less than another snapshot.
  next_ = std::max(next_, sent + 1);
}

void Progress::TickSnapshot(uint32_t ticks_max) {
  if (state_ != State::kSnapshot || snapshot_index_ == 0) return;
  if (++snapshot_ticks_ >= ticks_max) SnapshotFailed();
}

void Progress::EncodeTo(std::string& out) const {
  for (const uint64_t number : {match_, next_, static_cast<uint64_t>(state_), snapshot_index_,
                                uint64_t{probe_is_out_}, uint64_t{in_flight_.size()}}) {
    PutVarint64(&out, number);
  }
  for (const InFlight& sent : in_flight_) {
    PutVarint64(&out, sent.last);
    PutVarint64(&out, sent.bytes);
  }
}

bool Progress::IsFull() const {
  return !in_flight_.empty() && (in_flight_.size() >= limits_.in_flight_messages_max ||
                                 in_flight_bytes_ >= limits_.in_flight_bytes_max);
}

void Progress::EnterState(State state) {
  state_ = state;
  probe_is_out_ = false;
  in_flight_.clear();
  in_flight_bytes_ = 0;
  snapshot_index_ = 0;
  snapshot_ticks_ = 0;
  // What was sent and never acknowledged is sent again, after a probe.
  if (state == State::kProbe) next_ = match_ + 1;
}

}  // namespace tinykv::raft
