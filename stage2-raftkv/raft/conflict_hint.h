// Fast back-off: how a leader finds in a few rounds where a follower's log leaves its own.
//
// Without it a leader goes back one entry for each refusal. With it, each side skips whole terms:
// the follower names its last entry that could be shared, judging by the term of the one that the
// leader asked for, and the leader skips what it can rule out by the term of the one named. Then
// there is at most one round for each term in which they differ.
// Source: Raft paper, end of 5.3.
#pragma once

#include "stage2-raftkv/raft/raft_log.h"

namespace tinykv::raft {

// The last entry of `log` at or below `index` with a term of at most `term`: two logs share nothing
// above it if the other one has `term` at `index`. The boundary if there is none above that; and
// {index, 0}, which rules out nothing, if `index` is below the boundary.
EntryId LastAtMost(const RaftLog& log, Index index, Term term);

}  // namespace tinykv::raft
