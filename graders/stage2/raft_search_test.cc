// The exhaustive search: it finds what there is, by the shortest way, and knows when it has seen
// all.
#include "graders/stage2/raft_search.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tinykv::grading {
namespace {

const raft::Membership kMembers = {1, 2, 3};

std::map<raft::PeerId, raft::StoredState> Alike() {
  std::map<raft::PeerId, raft::StoredState> stored;
  for (const raft::PeerId id : kMembers) stored[id] = {.members = kMembers};
  return stored;
}

TEST(RaftSearch, SeesAllThereIs) {
  const SearchReport report = Search(
      {.name = "one timeout", .stored = Alike(), .budget = {.timeouts = 1}, .is_symmetric = true});
  EXPECT_TRUE(report.is_complete);
  EXPECT_FALSE(report.finding);
  EXPECT_GT(report.states, 100);
  EXPECT_GE(report.transitions, report.states - 1);
}

TEST(RaftSearch, SaysWhenItHasNotSeenAll) {
  const SearchReport report = Search({.name = "cut short",
                                      .stored = Alike(),
                                      .budget = {.timeouts = 2, .proposals = 1},
                                      .is_symmetric = true,
                                      .states_max = 50});
  EXPECT_FALSE(report.is_complete);
  EXPECT_GE(report.states, 50);
}

// Symmetry leaves out what is only named differently.
TEST(RaftSearch, FindsFewerStatesWhereMembersAreAlike) {
  SearchCase search{.name = "one timeout", .stored = Alike(), .budget = {.timeouts = 1}};
  const uint64_t all = Search(search).states;
  search.is_symmetric = true;
  const uint64_t alike = Search(search).states;
  EXPECT_LT(alike, all);
  EXPECT_GE(3 * alike, all);
}

// A member whose disk has lost an entry that was committed: no bug of the core, but what follows of
// it is the same. One without it must win an election in a later term: two timeouts, a request, a
// vote; a line each, below that of the case.
TEST(RaftSearch, FindsTheShortestWay) {
  std::map<raft::PeerId, raft::StoredState> stored = Alike();
  stored[1].hard_state = {.term = 1, .commit = 1};
  stored[1].entries = {{.term = 1, .index = 1}};
  const SearchReport report =
      Search({.name = "a lost entry", .stored = stored, .budget = {.timeouts = 2}});
  ASSERT_TRUE(report.finding);
  EXPECT_NE(report.finding->sentence.find("LeaderCompleteness"), std::string::npos);
  EXPECT_NE(report.finding->sentence.find("the shortest way"), std::string::npos);
  const std::string& program = report.finding->program;
  EXPECT_EQ(std::count(program.begin(), program.end(), '\n'), 5) << program;
  EXPECT_FALSE(report.finding->events.empty());
}

TEST(RaftSearch, DoesTheSameEachTime) {
  const SearchCase search{
      .name = "twice", .stored = Alike(), .budget = {.timeouts = 1, .crashes = 1}};
  const SearchReport first = Search(search);
  const SearchReport second = Search(search);
  EXPECT_EQ(first.states, second.states);
  EXPECT_EQ(first.transitions, second.transitions);
}

}  // namespace
}  // namespace tinykv::grading
