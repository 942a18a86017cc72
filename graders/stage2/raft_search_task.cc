// 2a-search: all that can happen to three members, in small cases that go by in seconds.
#include <iostream>
#include <vector>

#include "common/strings.h"
#include "graders/stage2/raft_search.h"
#include "graders/stage2/tasks.h"

namespace tinykv::grading {
namespace {

const raft::Membership kMembers = {1, 2, 3};

std::map<raft::PeerId, raft::StoredState> Alike() {
  std::map<raft::PeerId, raft::StoredState> stored;
  for (const raft::PeerId id : kMembers) stored[id] = {.members = kMembers};
  return stored;
}

// In term 3, for whose leader all have voted.
raft::StoredState With(const std::vector<raft::Term>& terms) {
  raft::StoredState stored{.hard_state = {.term = 3, .vote = 3}, .members = kMembers};
  for (const raft::Term of_entry : terms) {
    stored.entries.push_back({.term = of_entry, .index = stored.entries.size() + 1});
  }
  return stored;
}

// An entry of an older term travels alone then.
raft::RaftOptions OneEntryAMessage() {
  raft::RaftOptions options;
  options.flow.message_bytes_max = 1;
  return options;
}

std::vector<SearchCase> Cases() {
  return {

      {.name = "elections: three timeouts",
       .stored = Alike(),
       .budget = {.timeouts = 3},
       .is_symmetric = true,
       .only_votes = true},
      {.name = "elections: two timeouts, two crashes",
       .stored = Alike(),
       .budget = {.timeouts = 2, .crashes = 2},
       .is_symmetric = true,
       .only_votes = true},
      {.name = "an election, a proposal, a crash",
       .stored = Alike(),
       .budget = {.timeouts = 1, .proposals = 1, .crashes = 1},
       .is_symmetric = true},
      {.name = "a leader, a proposal, another's timeout",
       .stored = Alike(),
       .budget = {.timeouts = 1, .proposals = 1},
       .begins_with_leader = true},
      {.name = "entries of older terms on single members (figure 8), two timeouts",
       .options = OneEntryAMessage(),
       .stored = {{1, With({1, 2})}, {2, With({1})}, {3, With({1, 3})}},
       .budget = {.timeouts = 2},
       .states_max = 50'000},
  };
}

Result RunCases() {
  uint64_t states = 0;
  uint64_t transitions = 0;
  int complete = 0;
  for (const SearchCase& search : Cases()) {
    SearchReport report = Search(search);
    states += report.states;
    transitions += report.transitions;
    complete += report.is_complete ? 1 : 0;
    std::cerr << Concat("2a-search: ", search.name, ": ", report.states, " states, ",
                        report.transitions, " transitions, depth ", report.depth,
                        report.is_complete ? ", all there are\n" : ", not all there are\n");
    if (report.finding) return std::move(report.finding);
  }
  NoteForReport(Concat(states, " states, ", transitions, " transitions; ", complete, " of ",
                       Cases().size(), " cases have no more"));
  return std::nullopt;
}

}  // namespace

Task RaftSearch() {
  return {.id = "2a-search", .run = [](uint64_t) { return RunCases(); }};
}

}  // namespace tinykv::grading
