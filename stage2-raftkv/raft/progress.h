// Progress: what a leader knows and guesses about the log of one member.
//
//   match  the member is known to have all up to here, on disk. Never goes back.
//   next   what is sent next: a guess, since what was sent may be lost or refused.
//
// And how much may be under way to it (flow control), which depends on the state:
//
//   kProbe      `next` is a guess that nobody has confirmed: one append at a time. A lost one is
//               sent again when the member answers a heartbeat.
//   kReplicate  the member accepted the last append: send on without waiting (pipelining), up to a
//               number of messages and bytes that it has not acknowledged.
//   kSnapshot   what it needs is compacted: no appends until it has a snapshot.
//
//              accepts                    needs what is compacted
//   kProbe -----------------> kReplicate        kProbe, kReplicate ------> kSnapshot
//          <-----------------                                      <------
//              refuses                           has it, or it failed
//
// Invariant: match < next.
// Sources: Raft paper, Figure 2, nextIndex and matchIndex; thesis 10.2.1 for pipelining.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "stage2-raftkv/raft/types.h"

namespace tinykv::raft {

// What may be under way to one member. One message in flight: no pipelining.
struct FlowLimits {
  size_t in_flight_messages_max = 64;
  // Of data. Exceeded by less than one message.
  size_t in_flight_bytes_max = 4 << 20;
  // Entries of one append (SizeOf()); a single entry may be larger.
  size_t message_bytes_max = 1 << 20;
};

class Progress {
 public:
  enum class State : uint8_t { kProbe, kReplicate, kSnapshot };

  // Of a member of whom nothing is known; `next` is where to begin trying. REQUIRES: next > 0.
  Progress(Index next, const FlowLimits& limits);

  Index match() const { return match_; }
  Index next() const { return next_; }
  State state() const { return state_; }
  size_t in_flight_messages() const { return in_flight_.size(); }
  size_t in_flight_bytes() const { return in_flight_bytes_; }

  // Whether an append may be sent now.
  bool MaySend() const;

  // An append was sent, with `bytes` of entries up to `last`, or with none and last + 1 == next.
  void Sent(Index last, size_t bytes);

  // The member has all up to `index`. Answers may be late and in any order. True if that was news.
  bool Acknowledge(Index index);

  // The member refused the append that followed `rejected` (0: it does not say which), and would
  // rather be asked for what follows `hint`. True if another try makes sense now; an answer to
  // what is long past is ignored.
  bool BackOff(Index rejected, Index hint);

  // The member answers, but what was sent may be lost: forgets the oldest message under way if
  // they are as many as may be.
  void Nudge();

  // `next` is compacted: wait for a snapshot.
  void NeedSnapshot();
  bool wants_snapshot() const { return state_ == State::kSnapshot && snapshot_index_ == 0; }
  // It was sent, and ends with `index`.
  void SnapshotSent(Index index);
  // It, or the answer, got lost: probe whether the member has it. Who refuses gets another one.
  // Also what happens by itself if nothing is heard of it for `ticks_max` ticks.
  void SnapshotFailed();
  void TickSnapshot(uint32_t ticks_max);
  // It is still on its way.
  void NoteSnapshotAlive() { snapshot_ticks_ = 0; }

  // All of it but ticks, for RaftCore::EncodeState().
  void EncodeTo(std::string& out) const;

 private:
  struct InFlight {
    Index last;
    size_t bytes;
  };

  bool IsFull() const;
  void EnterState(State state);

  FlowLimits limits_;
  Index match_ = 0;
  Index next_;
  State state_ = State::kProbe;
  bool probe_is_out_ = false;       // kProbe: the one append
  std::deque<InFlight> in_flight_;  // kReplicate: appends with entries, oldest first
  size_t in_flight_bytes_ = 0;
  Index snapshot_index_ = 0;     // kSnapshot: which was sent; 0: none yet
  uint32_t snapshot_ticks_ = 0;  // kSnapshot: since then
};

}  // namespace tinykv::raft
