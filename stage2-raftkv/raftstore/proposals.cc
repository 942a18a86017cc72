#include "stage2-raftkv/raftstore/proposals.h"

#include <utility>

#include "common/your_code_here.h"
#include "stage2-raftkv/raftstore/region.h"

namespace tinykv::raftstore {

void ProposalQueue::Add(const raft::EntryId& id, uint64_t tick, CommandDone done) {
  waiting_.push_back({id, tick, std::move(done)});
}

CommandDone ProposalQueue::Take(const raft::EntryId& id) {
  // >>> SOLUTION 2B-match: by index and term; who is passed over has lost
  while (!waiting_.empty()) {
    Waiting& first = waiting_.front();
    // Terms never decrease along a log, so behind `id` there is none of an older term.
    const bool is_it = first.id == id;
    const bool is_lost = !is_it && (first.id.term < id.term || first.id.index <= id.index);
    if (!is_it && !is_lost) break;
    CommandDone done = std::move(first.done);
    waiting_.pop_front();
    if (is_it) return done;
    done(StaleCommand("another leader's command has its place in the log"));
  }
  return nullptr;
  // <<< SOLUTION
}

void ProposalQueue::GiveUp(uint64_t tick, std::string_view why) {
  while (!waiting_.empty() && waiting_.front().tick < tick) {
    CommandDone done = std::move(waiting_.front().done);
    waiting_.pop_front();
    done(StaleCommand(why));
  }
}

}  // namespace tinykv::raftstore
