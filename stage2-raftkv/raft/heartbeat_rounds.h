// HeartbeatRounds: which of a leader's heartbeats a majority has answered, and when those were
// sent.
//
// A leader numbers its rounds of heartbeats, and members answer with the number. Once a majority
// (the leader among them) has answered round n or a later one, the leader knows that it was still
// the leader when it sent round n. Two things rest on that:
//   - ReadIndex: what was committed when round n was sent may be read (thesis 6.4).
//   - Leader lease: nobody else becomes leader for a while after that (thesis 6.4.1).
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "common/env/clock.h"
#include "stage2-raftkv/raft/types.h"

namespace tinykv::raft {

class HeartbeatRounds {
 public:
  // Forgets all rounds, but goes on counting: an answer to an old one must not stand for a new.
  void Reset();

  // Begins a round, which is sent at `now`, and returns its number.
  uint64_t Begin(Duration now);
  // The last one that was begun; 0 if none ever was.
  uint64_t last() const { return last_; }

  // `from` has answered `round`. Rounds that were never begun are ignored.
  void Acknowledge(PeerId from, uint64_t round);

  // The last round that a majority of `members` has answered, `self` always being in agreement
  // with itself; 0 if there is none.
  uint64_t Confirmed(const Membership& members, PeerId self) const;

  // When the round Confirmed() was begun.
  std::optional<Duration> ConfirmedAt(const Membership& members, PeerId self) const;

 private:
  struct Round {
    uint64_t number;
    Duration begun;
  };

  // More than anybody waits for; the oldest are forgotten.
  static constexpr size_t kRememberedMax = 128;

  uint64_t last_ = 0;
  uint64_t before_ = 0;  // rounds up to this one are from before the last Reset()
  std::deque<Round> begun_;
  std::map<PeerId, uint64_t> answered_;
};

}  // namespace tinykv::raft
