// ScriptGroup: a RaftGroup as a script plays with it: links that are cut, and a trace.
//
// Thread-safety: none.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "graders/sim/trace.h"
#include "graders/stage2/message_pattern.h"
#include "graders/stage2/raft_group.h"

namespace tinykv::grading {

// How a member stands, for the columns of a trace.
sim::NodeView ViewOf(const RaftMember& member);

class ScriptGroup {
 public:
  ScriptGroup(const raft::RaftOptions& options, sim::Trace& trace)
      : group_(options), trace_(trace) {}

  RaftGroup& group() { return group_; }
  const RaftGroup& group() const { return group_; }

  // A command begins; `text` is what it says.
  void Begin(const std::string& text);
  // It has ended: notes what was sent and what has changed.
  void End();

  void Cut(raft::PeerId from, raft::PeerId to) { cut_.emplace(from, to); }
  void MendAll() { cut_.clear(); }

  // Delivers what is in flight now and matches, each message once; only the first if told so.
  // Returns how many there were.
  size_t Deliver(const MessagePattern& pattern, bool only_first, RaftGroup::CrashPoint crash);
  // Until nothing is in flight any more. False if that takes too long.
  bool DeliverAll();
  size_t Drop(const MessagePattern& pattern);
  size_t Count(const MessagePattern& pattern) const;

 private:
  void DeliverNumber(uint64_t number, RaftGroup::CrashPoint crash);
  void NoteSent();
  sim::TraceEvent EventOf(sim::TraceEvent::Kind kind, const RaftGroup::Flying& flying) const;

  RaftGroup group_;
  sim::Trace& trace_;
  std::set<std::pair<raft::PeerId, raft::PeerId>> cut_;
  Duration now_ = {};
  uint64_t sent_ = 0;  // the last number that the trace has
};

}  // namespace tinykv::grading
