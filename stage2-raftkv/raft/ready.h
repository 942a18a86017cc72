// Ready: all that a core wants done, and the contract of who does it.
//
//   Ready ready = node.TakeReady();
//   1. Send those of ready.messages that MaySendBeforeSync(); the others have to wait for 3.
//   2. Write snapshot, entries and hard_state, in one batch. A snapshot replaces everything;
//   entries
//      replace what is stored from entries.front().index on.
//   3. If must_sync: sync. Only now send the other messages.
//   4. Apply the snapshot, then `committed`, in order. That may go on elsewhere while 5 is done.
//   5. node.Advance(ready): all of the above is done, or for `committed` is sure to be. A change of
//      membership among `committed` must have come to SwitchMembership() before: from now on, this
//      member may campaign, and must count by the new one (thesis 4.1).
//
// One Ready is out at a time, and HasReady() means the next only once that is advanced over. The
// core may be stepped meanwhile; what comes of that is in the next.
// Why messages wait: a vote or an acknowledgement is a promise, and a crash must not take it back
// (Raft paper, Figure 2, "updated on stable storage before responding"). A leader's appends are no
// promise of its own, so they may leave while its disk still works (thesis 10.2.1).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "stage2-raftkv/raft/read_index.h"
#include "stage2-raftkv/raft/types.h"

namespace tinykv::raft {

struct Ready {
  // Present if anything in it differs from what is stored.
  std::optional<HardState> hard_state = {};
  std::optional<Snapshot> snapshot = {};
  std::vector<Entry> entries = {};
  // False if losing this Ready in a crash does no harm: there is nothing but a commit index in it.
  bool must_sync = false;

  std::vector<Message> messages = {};
  // Decided, and stored by an earlier Ready.
  std::vector<Entry> committed = {};

  // Each may be served once its index is applied.
  std::vector<ReadState> reads = {};
  // Reads of ReadIndex() that will never be in `reads`: this member leads no more.
  std::vector<uint64_t> refused_reads = {};
  // Some member needs what is compacted: make a snapshot and call ProvideSnapshot(). Stays set
  // until then. By itself it makes no Ready; it comes with the next, a heartbeat later at most.
  bool snapshot_wanted = false;
};

inline bool MaySendBeforeSync(const Message& message) { return IsFromLeader(message.type); }

}  // namespace tinykv::raft
