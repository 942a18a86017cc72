#include "stage2-raftkv/raft/raft_log.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace tinykv::raft {
namespace {

constexpr size_t kAll = std::numeric_limits<size_t>::max();

std::vector<Entry> Entries(Index first, const std::vector<Term>& terms) {
  std::vector<Entry> entries;
  for (const Term term : terms) {
    entries.push_back({.term = term, .index = first + entries.size()});
  }
  return entries;
}

// Entries 4 to 6 of terms 1, 1, 2, behind a boundary; 4 is committed and applied.
RaftLog SomeLog() {
  return RaftLog({.boundary = {.index = 3, .term = 1},
                  .entries = Entries(4, {1, 1, 2}),
                  .committed = 4,
                  .applied = 4});
}

TEST(RaftLog, WhatWasStoredIsStable) {
  const RaftLog log = SomeLog();
  EXPECT_EQ(log.first_index(), 4u);
  EXPECT_EQ(log.last(), (EntryId{6, 2}));
  EXPECT_EQ(log.stable(), 6u);
  EXPECT_TRUE(log.Unstable().empty());
}

TEST(RaftLog, AnEmptyLogEndsBeforeTheFirstEntry) {
  const RaftLog log(RaftLog::Stored{});
  EXPECT_EQ(log.last(), (EntryId{0, 0}));
  EXPECT_EQ(log.TermAt(0), 0u);
  EXPECT_EQ(log.TermAt(1), std::nullopt);
}

TEST(RaftLog, WhatALeaderAppendsFollowsAndIsNotStable) {
  RaftLog log = SomeLog();
  log.Append({.term = 3, .index = 99});
  EXPECT_EQ(log.last(), (EntryId{7, 3}));
  EXPECT_EQ(log.Unstable(), Entries(7, {3}));
  EXPECT_DEATH(log.Append({.term = 2}), "terms never decrease");
}

TEST(RaftLog, StableMeansTheEntryThatWasWrittenAndNoOther) {
  RaftLog log = SomeLog();
  log.Append({.term = 3});
  log.Append({.term = 3});
  log.StableTo({8, 2});  // another leader's, which is gone
  EXPECT_EQ(log.stable(), 6u);
  log.StableTo({7, 3});
  EXPECT_EQ(log.stable(), 7u);
  log.StableTo({6, 2});
  EXPECT_EQ(log.stable(), 7u);
}

TEST(RaftLog, WhatIsReplacedIsNoLongerStable) {
  RaftLog log = SomeLog();
  EXPECT_EQ(log.TryAppend({4, 1}, Entries(5, {3})), 5u);
  EXPECT_EQ(log.stable(), 4u);
  EXPECT_EQ(log.Unstable(), Entries(5, {3}));
}

TEST(RaftLog, HandsOutAtLeastOneEntryHoweverLarge) {
  RaftLog log(RaftLog::Stored{});
  for (int i = 0; i < 3; ++i) log.Append({.term = 1, .data = std::string(100, 'x')});
  EXPECT_EQ(log.EntriesFrom(1, 1).size(), 1u);
  EXPECT_EQ(log.EntriesFrom(1, 2 * SizeOf(log.At(1))).size(), 2u);
  EXPECT_EQ(log.EntriesFrom(1, 2 * SizeOf(log.At(1)) - 1).size(), 1u);
  EXPECT_EQ(log.EntriesFrom(1, kAll).size(), 3u);
  EXPECT_TRUE(log.EntriesFrom(4, kAll).empty());
}

TEST(RaftLog, CompactionKeepsTheTermOfTheLastThatWent) {
  RaftLog log = SomeLog();
  log.CommitTo(6);
  log.AppliedTo(6);
  log.CompactTo(6);
  EXPECT_EQ(log.boundary(), (EntryId{6, 2}));
  EXPECT_EQ(log.last(), (EntryId{6, 2}));
  log.CompactTo(5);  // gone already
  EXPECT_EQ(log.boundary(), (EntryId{6, 2}));
}

TEST(RaftLog, ASnapshotReplacesEverything) {
  RaftLog log = SomeLog();
  log.Append({.term = 3});
  log.Restore({20, 4});
  EXPECT_EQ(log.boundary(), (EntryId{20, 4}));
  EXPECT_EQ(log.last_index(), 20u);
  EXPECT_EQ(log.committed(), 20u);
  EXPECT_EQ(log.applied(), 20u);
  EXPECT_EQ(log.stable(), 20u);
  EXPECT_TRUE(log.Unstable().empty());
}

TEST(RaftLog, EndsTheProgramRatherThanBreakAnInvariant) {
  RaftLog log = SomeLog();
  EXPECT_DEATH(log.CommitTo(7), "only entries that are there");
  EXPECT_DEATH(log.AppliedTo(5), "not committed must not be applied");
  EXPECT_DEATH(log.CompactTo(5), "not applied must not be compacted");
  EXPECT_DEATH(log.Restore({4, 1}), "a snapshot that is behind");
  EXPECT_DEATH(log.EntriesFrom(3, kAll), "compacted entries cannot be read");
  EXPECT_DEATH(log.At(7), "the log has such an entry");
  EXPECT_DEATH(log.TryAppend({3, 1}, Entries(4, {2})), "a committed entry is never replaced");
}

TEST(RaftLog, RefusesToBeginWithWhatWasNotStoredByOne) {
  const auto open = [](RaftLog::Stored stored) { RaftLog log(std::move(stored)); };
  EXPECT_DEATH(open({.boundary = {3, 1}, .committed = 3}), "has been applied");
  EXPECT_DEATH(open({.entries = Entries(1, {1}), .applied = 1}), "only what is committed");
  EXPECT_DEATH(open({.entries = Entries(1, {1}), .committed = 2}), "commit index stands in");
  EXPECT_DEATH(open({.entries = Entries(2, {1})}), "indexes have no gaps");
}

}  // namespace
}  // namespace tinykv::raft
