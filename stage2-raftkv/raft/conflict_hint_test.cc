#include "stage2-raftkv/raft/conflict_hint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "common/random.h"

namespace tinykv::raft {
namespace {

RaftLog LogOf(const std::vector<Term>& terms, EntryId boundary = {}) {
  RaftLog::Stored stored{
      .boundary = boundary, .committed = boundary.index, .applied = boundary.index};
  for (const Term term : terms) {
    stored.entries.push_back({.term = term, .index = boundary.index + stored.entries.size() + 1});
  }
  return RaftLog(std::move(stored));
}

TEST(LastAtMost, IsTheLastOfATermThatIsNotNewer) {
  const RaftLog log = LogOf({1, 1, 3, 3, 5});
  EXPECT_EQ(LastAtMost(log, 5, 4), (EntryId{4, 3}));
  EXPECT_EQ(LastAtMost(log, 5, 2), (EntryId{2, 1}));
  EXPECT_EQ(LastAtMost(log, 3, 9), (EntryId{3, 3}));
  EXPECT_EQ(LastAtMost(log, 90, 9), (EntryId{5, 5}));
  EXPECT_EQ(LastAtMost(log, 5, 0), (EntryId{0, 0}));
}

TEST(LastAtMost, StopsAtTheBoundary) {
  const RaftLog log = LogOf({7, 7}, {.index = 5, .term = 6});
  EXPECT_EQ(LastAtMost(log, 7, 3), (EntryId{5, 6}));  // committed, so it is shared
  EXPECT_EQ(LastAtMost(log, 3, 3), (EntryId{3, 0}));
}

// Two logs as Raft makes them: they share a prefix, and behind it each has entries of its own. Only
// one of the two can have more of the term in which the prefix ends.
struct TwoLogs {
  std::vector<Term> leader = {};
  std::vector<Term> follower = {};
  size_t shared = 0;
  std::set<Term> terms_behind = {};
};

void AppendRuns(Random& random, Term first, std::vector<Term>& log) {
  Term term = first;
  for (uint64_t runs = random.Uniform(6); runs > 0; --runs) {
    log.insert(log.end(), random.Between(1, 5), term);
    term += 2 * random.Between(1, 3);
  }
}

TwoLogs SomeLogs(Random& random) {
  TwoLogs logs;
  Term term = 1;
  for (uint64_t i = random.Uniform(10); i > 0; --i) {
    term += random.Uniform(2);
    logs.leader.push_back(term);
  }
  logs.shared = logs.leader.size();
  logs.follower = logs.leader;
  std::vector<Term>& longer = random.OneIn(2) ? logs.leader : logs.follower;
  longer.insert(longer.end(), random.Uniform(4), term);
  AppendRuns(random, term + 1, logs.leader);
  AppendRuns(random, term + 2, logs.follower);
  for (const std::vector<Term>* log : {&logs.leader, &logs.follower}) {
    logs.terms_behind.insert(log->begin() + static_cast<ptrdiff_t>(logs.shared), log->end());
  }
  return logs;
}

// The last entry that both have, found the long way.
Index LastShared(const RaftLog& one, const RaftLog& other) {
  Index index = std::min(one.last_index(), other.last_index());
  while (one.TermAt(index) != other.TermAt(index)) --index;
  return index;
}

TEST(FastBackOff, NeverSkipsTheLastSharedEntryAndTakesARoundForEachTermAtMost) {
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const TwoLogs logs = SomeLogs(random);
    const RaftLog leader = LogOf(logs.leader);
    const RaftLog follower = LogOf(logs.follower);
    const Index shared = LastShared(leader, follower);
    ASSERT_EQ(shared, logs.shared);
    size_t rounds = 1;
    Index previous = leader.last_index();
    while (follower.TermAt(previous) != leader.TermAt(previous)) {
      const EntryId hint = LastAtMost(follower, previous - 1, *leader.TermAt(previous));
      const Index next = std::min(previous - 1, LastAtMost(leader, hint.index, hint.term).index);
      ASSERT_GE(next, shared) << "from " << previous;
      previous = next;
      ++rounds;
    }
    ASSERT_EQ(previous, shared);
    ASSERT_LE(rounds, logs.terms_behind.size() + 1);
  }
}

}  // namespace
}  // namespace tinykv::raft
