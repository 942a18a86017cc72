// RaftSearch: every interleaving of a small case, of the student's own core.
//
// From a state, everything that may happen is tried: any message in flight arrives, in any order,
// or not at all; a member times out, crashes, or is asked to append, each so often at most. States
// are told apart by their bytes (RaftGroup::EncodeState), and visited in the order of their
// distance from the beginning, so the first violation found has the shortest way there.
//
// Members that begin alike are alike: only the first of them makes the first move.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "graders/stage2/raft_group.h"
#include "graders/task/finding.h"

namespace tinykv::grading {

// How often things may happen.
struct SearchBudget {
  int timeouts = 0;
  int proposals = 0;
  int beats = 0;    // rounds of heartbeats
  int crashes = 0;  // and restarts; in between two inputs, or before or after an input is on disk

  bool operator==(const SearchBudget&) const = default;
};

struct SearchCase {
  std::string name = {};
  raft::RaftOptions options = {};
  std::map<raft::PeerId, raft::StoredState> stored = {};
  SearchBudget budget = {};
  // Members begin with the same, so peer 1 may stand for all of them.
  bool is_symmetric = false;
  // Before anything else, peer 1 is elected and its first entry is everywhere.
  bool begins_with_leader = false;
  // Messages about the log are lost, all of them: elections only.
  bool only_votes = false;
  // Where to stop if there are more.
  uint64_t states_max = 100'000;
};

struct SearchReport {
  uint64_t states = 0;       // told apart
  uint64_t transitions = 0;  // tried
  uint64_t depth = 0;        // of the last state looked at
  bool is_complete = false;  // no state was left
  Result finding = {};       // with the shortest way there as its program
};

SearchReport Search(const SearchCase& search);

}  // namespace tinykv::grading
