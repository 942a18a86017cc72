// 2a-timeout: when a member starts an election, and when it does not.
#include <algorithm>
#include <array>
#include <set>

#include "common/strings.h"
#include "graders/stage2/tasks.h"
#include "stage2-raftkv/raft/raft_core.h"

namespace tinykv::grading {
namespace {

using raft::MessageType;
using raft::RaftCore;
using raft::Role;

constexpr uint32_t kElectionTicks = 10;  // the default of RaftOptions
constexpr uint32_t kNever = 1000;
constexpr int kRounds = 500;

RaftCore Member(raft::PeerId id, uint64_t seed) {
  return RaftCore({.id = id, .random_seed = seed}, {.members = {1, 2, 3, 4, 5}});
}

// How many ticks until `core` asks for votes in a new term; kNever if it takes too long.
uint32_t TicksToElection(RaftCore& core) {
  const raft::Term before = core.term();
  for (uint32_t ticks = 1; ticks < kNever; ++ticks) {
    core.Tick();
    if (core.term() > before) return ticks;
  }
  return kNever;
}

// Moments from which on a member has to wait for a whole timeout.
struct Moment {
  const char* name;
  void (*reach)(RaftCore& core);
};

void WaitNine(RaftCore& core) {
  for (uint32_t i = 1; i < kElectionTicks; ++i) core.Tick();
}

constexpr std::array kMoments = {
    Moment{"its start", [](RaftCore&) {}},
    Moment{"its own candidacy",
           [](RaftCore& core) {
             WaitNine(core);
             core.Step({.type = MessageType::kHup});
           }},
    Moment{"it grants a vote",
           [](RaftCore& core) {
             WaitNine(core);
             core.Step({.type = MessageType::kRequestVote, .to = 1, .from = 2, .term = 1});
           }},
    Moment{"a heartbeat of its leader",
           [](RaftCore& core) {
             core.Step({.type = MessageType::kHeartbeat, .to = 1, .from = 2, .term = 1});
             WaitNine(core);
             core.Step({.type = MessageType::kHeartbeat, .to = 1, .from = 2, .term = 1});
           }},
    Moment{"an append of its leader",
           [](RaftCore& core) {
             core.Step({.type = MessageType::kAppend, .to = 1, .from = 2, .term = 1});
             WaitNine(core);
             core.Step({.type = MessageType::kAppend, .to = 1, .from = 2, .term = 1});
           }},
};

// Every timeout must be within [10, 20) ticks, and every one of these must come up.
Result CheckMoment(const Moment& moment, uint64_t seed) {
  std::set<uint32_t> seen;
  for (int round = 0; round < kRounds; ++round) {
    RaftCore core = Member(1, seed * kRounds + static_cast<uint64_t>(round));
    moment.reach(core);
    const uint32_t ticks = TicksToElection(core);
    if (ticks < kElectionTicks || ticks >= 2 * kElectionTicks) {
      return Wrong(Concat("counted from ", moment.name, ", a member starts an election after ",
                          ticks == kNever ? std::string("no number of") : Concat(ticks),
                          " ticks; it must be at least ", kElectionTicks, " and less than ",
                          2 * kElectionTicks));
    }
    seen.insert(ticks);
  }
  if (seen.size() == kElectionTicks) return std::nullopt;
  return Wrong(Concat("counted from ", moment.name, ", only ", seen.size(), " of the ",
                      kElectionTicks, " possible timeouts came up in ", kRounds,
                      " tries: they must be drawn anew each time"));
}

// A vote that is refused, and a message of an older term, give nobody time.
Result CheckRefusal(uint64_t seed) {
  for (int round = 0; round < kRounds; ++round) {
    RaftCore core = RaftCore(
        {.id = 1, .random_seed = seed * kRounds + static_cast<uint64_t>(round)},
        {.hard_state = {.term = 5}, .members = {1, 2, 3}, .entries = {{.term = 5, .index = 1}}});
    RaftCore undisturbed = core;
    WaitNine(core);
    core.Step({.type = MessageType::kRequestVote,
               .to = 1,
               .from = 2,
               .term = 5,
               .log_term = 4,
               .index = 9});
    core.Step({.type = MessageType::kHeartbeat, .to = 1, .from = 2, .term = 4});
    const uint32_t want = TicksToElection(undisturbed);
    const uint32_t got = kElectionTicks - 1 + TicksToElection(core);
    if (got == want) continue;
    return Wrong(Concat("a member that would start an election after ", want,
                        " ticks does so after ", got,
                        ", because it has refused a vote and a "
                        "heartbeat of an older term on the way: neither may restart the timer"));
  }
  return std::nullopt;
}

// Two of five time out in the same tick in a part of all elections; a third of them is too much.
Result CheckSplit(uint64_t seed) {
  int together = 0;
  for (int round = 0; round < kRounds; ++round) {
    uint32_t first = kNever;
    int count = 0;
    for (raft::PeerId id = 1; id <= 5; ++id) {
      RaftCore core = Member(id, (seed * kRounds + static_cast<uint64_t>(round)) * 8 + id);
      const uint32_t ticks = TicksToElection(core);
      if (ticks == first) ++count;
      if (ticks < first) count = 1;
      first = std::min(first, ticks);
    }
    together += count > 1 ? 1 : 0;
  }
  if (together * 2 <= kRounds) return std::nullopt;
  return Wrong(Concat("in ", together, " of ", kRounds,
                      " elections two of five members time out first in the same tick: timeouts "
                      "must be random"));
}

// A leader beats at every tick and never starts an election.
Result CheckLeader() {
  RaftCore core({.id = 1}, {.members = {1, 2, 3}});
  core.Step({.type = MessageType::kHup});
  core.Step({.type = MessageType::kRequestVoteResponse, .to = 1, .from = 2, .term = core.term()});
  if (core.role() != Role::kLeader) return Wrong("with two votes of three a candidate must lead");
  core.Advance(core.TakeReady());
  for (uint32_t tick = 1; tick <= 5 * kElectionTicks; ++tick) {
    core.Tick();
    const raft::Ready ready = core.TakeReady();
    core.Advance(ready);
    const auto beats =
        std::count_if(ready.messages.begin(), ready.messages.end(),
                      [](const auto& m) { return m.type == MessageType::kHeartbeat; });
    if (core.role() != Role::kLeader || beats != 2) {
      return Wrong(Concat("in tick ", tick, " of its term a leader of three sends ", beats,
                          " heartbeats; it must send one to each of the other two"));
    }
  }
  return std::nullopt;
}

Result Run(uint64_t seed) {
  for (const Moment& moment : kMoments) {
    if (Result finding = CheckMoment(moment, seed)) return finding;
  }
  if (Result finding = CheckRefusal(seed)) return finding;
  if (Result finding = CheckSplit(seed)) return finding;
  return CheckLeader();
}

}  // namespace

Task RaftTimeout() { return {.id = "2a-timeout", .run = Run}; }

}  // namespace tinykv::grading
