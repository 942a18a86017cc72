// RaftHistory: leaders as there may have been, term after term, with their logs. What any of them
// may have sent to a follower, early or late, is drawn from it: so a follower can be tested alone,
// and never with something that no Raft would send.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <vector>

#include "stage2-raftkv/raft/types.h"

namespace tinykv::grading {

// A leader's term: it begins with a part of the log of the leader before, and appends some entries.
struct RaftReign {
  uint64_t keeps = 0;    // how many of the entries that are not committed, modulo their number
  uint64_t appends = 0;  // a no-op, and so many more
  uint64_t commits = 0;  // how many of its entries were committed in the end, modulo their number
};

// At most about so many, one after the other.
rc::Gen<std::vector<RaftReign>> AnyReigns(int count_max);

class RaftHistory {
 public:
  // Leader 10 of term 1, leader 11 of term 2, …
  explicit RaftHistory(const std::vector<RaftReign>& reigns);

  size_t size() const { return logs_.size(); }
  // The log of the leader of `term` at the end of its reign; entry i + 1 at i. REQUIRES: term is
  // from 1 to size().
  const std::vector<raft::Entry>& LogOf(raft::Term term) const { return logs_[term - 1]; }
  raft::Index CommitOf(raft::Term term) const { return commits_[term - 1]; }
  static raft::PeerId LeaderOf(raft::Term term) { return 9 + term; }

  // An append of the leader of `term`, with at most `count` entries behind `previous` and some
  // commit index; all numbers are taken modulo what there is.
  raft::Message AppendOf(raft::Term term, uint64_t previous, uint64_t count, uint64_t commit) const;

 private:
  std::vector<std::vector<raft::Entry>> logs_;
  std::vector<raft::Index> commits_;
};

}  // namespace tinykv::grading
