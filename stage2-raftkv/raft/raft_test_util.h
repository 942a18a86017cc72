// What the tests of the core share: one core that is given its messages by hand, and small groups.
#pragma once

#include <deque>
#include <iterator>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "stage2-raftkv/raft/raft_core.h"

namespace tinykv::raft {

template <typename T>
void MoveToEnd(std::vector<T>& to, std::vector<T> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// Takes Readys, on a disk that is done at once, until there are none. Returns what they had, one
// after the other.
inline Ready Flush(RaftCore& core) {
  Ready all;
  while (core.HasReady()) {
    Ready ready = core.TakeReady();
    core.Advance(ready);
    if (ready.hard_state) all.hard_state = ready.hard_state;
    if (ready.snapshot) all.snapshot = ready.snapshot;
    MoveToEnd(all.entries, std::move(ready.entries));
    MoveToEnd(all.messages, std::move(ready.messages));
    MoveToEnd(all.committed, std::move(ready.committed));
    MoveToEnd(all.reads, std::move(ready.reads));
    MoveToEnd(all.refused_reads, std::move(ready.refused_reads));
    all.snapshot_wanted = all.snapshot_wanted || ready.snapshot_wanted;
  }
  return all;
}

inline std::vector<Message> OfType(const std::vector<Message>& messages, MessageType type,
                                   PeerId to = kNone) {
  std::vector<Message> found;
  for (const Message& message : messages) {
    if (message.type == type && (to == kNone || message.to == to)) found.push_back(message);
  }
  return found;
}

// Peer 1 as the leader of `members`, elected just now: nobody has answered anything since.
inline RaftCore LeaderOf(const Membership& members, RaftOptions options = {}) {
  options.id = 1;
  RaftCore core(options, {.members = members});
  core.StartElection(true);
  Flush(core);
  for (const PeerId peer : members) {
    if (core.role() == Role::kLeader) break;
    core.Step(
        {.type = MessageType::kRequestVoteResponse, .to = 1, .from = peer, .term = core.term()});
  }
  Flush(core);
  return core;
}

// `from` has all up to `index`.
inline void Acknowledge(RaftCore& leader, PeerId from, Index index) {
  leader.Step({.type = MessageType::kAppendResponse,
               .to = leader.id(),
               .from = from,
               .term = leader.term(),
               .index = index});
}

inline void AnswerHeartbeat(RaftCore& leader, PeerId from, uint64_t round, Index commit = 0) {
  leader.Step({.type = MessageType::kHeartbeatResponse,
               .to = leader.id(),
               .from = from,
               .term = leader.term(),
               .commit = commit,
               .round = round});
}

// A group whose messages arrive at once and in order, but for members that are cut off.
class TestGroup {
 public:
  explicit TestGroup(const Membership& members, RaftOptions options = {}) {
    for (const PeerId id : members) {
      options.id = id;
      options.random_seed = id;
      cores_.emplace(id, RaftCore(options, {.members = members}));
    }
  }

  RaftCore& operator[](PeerId id) { return cores_.at(id); }
  void Cut(PeerId id) { cut_.insert(id); }
  void Mend(PeerId id) { cut_.erase(id); }

  // Delivers all messages and what comes of them.
  void Settle() {
    std::deque<Message> flight;
    const auto flush = [&] {
      for (auto& [id, core] : cores_) {
        for (Message& message : Flush(core).messages) flight.push_back(std::move(message));
      }
    };
    for (flush(); !flight.empty(); flush()) {
      const Message message = std::move(flight.front());
      flight.pop_front();
      const bool is_lost = cut_.contains(message.from) || cut_.contains(message.to);
      if (!is_lost && cores_.contains(message.to)) cores_.at(message.to).Step(message);
    }
  }

  void Elect(PeerId id) {
    cores_.at(id).StartElection(true);
    Settle();
  }

  // One tick for each member, and all messages that come of it.
  void Tick(int ticks = 1) {
    for (int i = 0; i < ticks; ++i) {
      for (auto& [id, core] : cores_) core.Tick();
      Settle();
    }
  }

 private:
  std::map<PeerId, RaftCore> cores_;
  std::set<PeerId> cut_;
};

}  // namespace tinykv::raft
