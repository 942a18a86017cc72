// ReadIndex: reads that are linearizable without an entry in the log (thesis 6.4).
//
// A leader may serve a read once (1) an entry of its own term is committed, so that its commit
// index is as new as anybody's; (2) a round of heartbeats, begun after the read came in, is
// answered by a majority, so that nobody else has become leader and committed more; and (3) it has
// applied up to the commit index of (1). This queue keeps reads through (1) and (2), and (3) is its
// owner's duty. All reads that come in while a round is under way share the next one (batching).
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "stage2-raftkv/raft/types.h"

namespace tinykv::raft {

// A read that may be served as soon as `index` is applied.
struct ReadState {
  uint64_t request = 0;
  Index index = 0;

  bool operator==(const ReadState&) const = default;
};

class ReadIndexQueue {
 public:
  size_t size() const { return early_.size() + waiting_.size(); }

  // A read that came in; its owner knows it by `request`.
  void Add(uint64_t request) { early_.push_back(request); }

  // (1) holds: what is committed now is `committed`, and reads that have come in so far need the
  // answer to `round` or a later one.
  void Admit(Index committed, uint64_t round);

  // The round that the last of them waits for; 0 if none waits.
  uint64_t needed_round() const { return waiting_.empty() ? 0 : waiting_.back().round; }

  // (2) holds for all that need `round` or an earlier one: moves them to the end of `ready`.
  void Confirm(uint64_t round, std::vector<ReadState>& ready);

  // Gives up: moves all requests to the end of `refused`.
  void Refuse(std::vector<uint64_t>& refused);

 private:
  struct Waiting {
    ReadState read;
    uint64_t round;
  };

  std::deque<uint64_t> early_;   // wait for (1)
  std::deque<Waiting> waiting_;  // wait for (2); rounds only grow
};

}  // namespace tinykv::raft
