#include "stage2-raftkv/raft/conflict_hint.h"

#include <algorithm>

namespace tinykv::raft {

EntryId LastAtMost(const RaftLog& log, Index index, Term term) {
  index = std::min(index, log.last_index());
  // Terms only grow along a log, so this stops at the right entry.
  while (index > log.boundary().index && *log.TermAt(index) > term) --index;
  if (index < log.boundary().index) return {index, 0};  // compacted: nothing is known of it
  return {index, *log.TermAt(index)};
}

}  // namespace tinykv::raft
