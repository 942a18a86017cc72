// StoredState: what a member has on its disk when it starts, and with what a new one begins.
#pragma once

#include <utility>
#include <vector>

#include "stage2-raftkv/raft/types.h"

namespace tinykv::raft {

struct StoredState {
  HardState hard_state = {};
  Membership members = {};  // as of `applied`; empty: not known yet, it waits for a snapshot
  EntryId boundary = {};    // the last entry that is not in the log any more
  std::vector<Entry> entries = {};
  Index applied = 0;
};

// As in TinyKV, the log of a group begins behind an entry that never was, number 5 of term 5. A
// peer that knows nothing has index 0, so it is behind, and gets a snapshot.
inline constexpr EntryId kBootstrapEntry = {.index = 5, .term = 5};

// Of a member of a group that begins with `members`.
inline StoredState Bootstrapped(Membership members) {
  return {.hard_state = {.term = kBootstrapEntry.term, .commit = kBootstrapEntry.index},
          .members = std::move(members),
          .boundary = kBootstrapEntry,
          .applied = kBootstrapEntry.index};
}

// Of a peer that exists because somebody sent it a message (stage 3).
inline StoredState Uninitialized() { return {}; }

}  // namespace tinykv::raft
