// RaftScript: a scenario of the paper, or of somebody's bad day, as text that can be read aloud.
//
//   # Figure 8: an entry of an older term is not committed by counting its replicas.
//   group 5
//   peer 1 log 1 2 term 2
//   campaign 1
//   deliver RequestVote
//   deliver RequestVoteResponse
//   expect 1 leader
//
// One command a line; what follows '#' is for readers, and behind an expectation it says why.
// Nothing happens by itself: timers stand still, and what is sent stays in flight until it is
// delivered, dropped, or comes to a link that is cut. docs/book/stage2/scripts.md lists the
// commands; so do the names in raft_script.cc.
//
// Invariants are checked after each command.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graders/sim/trace.h"
#include "graders/task/finding.h"

namespace tinykv::grading {

struct RaftScript {
  std::string name = {};  // "figure-8"
  std::string text = {};
};

// Runs it, and puts what happens into `trace`, one millisecond a command. A script that makes no
// sense fails a TKV_CHECK: that is a mistake of ours.
Result RunScript(const RaftScript& script, sim::Trace& trace);

}  // namespace tinykv::grading
