// ProposalQueue: commands of this peer's clients that are in the log, and not decided yet.
//
// A proposal is known by index *and* term: where another leader's entry has taken its place, the
// index is the same and the command is lost (Raft paper 5.3).
//
// Thread-safety: none.
#pragma once

#include <deque>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "stage2-raftkv/raft/types.h"

namespace tinykv::raftstore {

// Tells whoever asked for a command how it ended; called once. OK: it is applied. A region error
// "stale command": this peer cannot say whether it will be.
using CommandDone = absl::AnyInvocable<void(absl::Status)>;

class ProposalQueue {
 public:
  size_t size() const { return waiting_.size(); }

  // A command has become the entry `id` of this leader's log. REQUIRES: ids only grow.
  void Add(const raft::EntryId& id, uint64_t tick, CommandDone done);

  // `id` is committed. Returns who waits for it: the proposal of that index and that term, or an
  // empty one if nobody here does. Answers those that can never be committed any more, of an older
  // term or an index that is decided, with "stale command".
  CommandDone Take(const raft::EntryId& id);

  // Answers with "stale command" what was added before `tick`; also used to answer all.
  void GiveUp(uint64_t tick, std::string_view why);

 private:
  struct Waiting {
    raft::EntryId id;
    uint64_t tick;
    CommandDone done;
  };
  std::deque<Waiting> waiting_;  // in the order of the log
};

}  // namespace tinykv::raftstore
