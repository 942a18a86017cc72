#include "stage2-raftkv/raftstore/compact_log.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "common/status.h"
#include "stage2-raftkv/raft/raft_test_util.h"

namespace tinykv::raftstore {
namespace {

using raft::EntryId;

// Peer 1 leads peers 1, 2 and 3; entries up to `last` of term 1, of which peer 2 has all and peer 3
// those up to `lagging`. They are applied.
raft::RaftCore Leader(raft::Index last, raft::Index lagging) {
  raft::RaftCore core = raft::LeaderOf({1, 2, 3});
  while (core.log().last_index() < last) {
    EXPECT_TRUE(core.Propose(raft::EntryType::kNormal, {"x"}).ok());
  }
  raft::Flush(core);
  raft::Acknowledge(core, 2, last);
  raft::Acknowledge(core, 3, lagging);
  raft::Flush(core);
  EXPECT_EQ(core.log().applied(), last);
  return core;
}

TEST(LogBytes, AreThoseOfTheAppliedEntriesThatAreThere) {
  raft::RaftLog log({});
  const auto bytes_of = [&](raft::Index applied) {
    uint64_t bytes = 0;
    for (raft::Index i = log.first_index(); i <= applied; ++i) bytes += raft::SizeOf(log.At(i));
    return bytes;
  };
  for (size_t i = 1; i <= 20; ++i) log.Append({.term = 1, .data = std::string(i, 'x')});
  log.StableTo(log.last());
  log.CommitTo(20);
  LogBytes counted;
  EXPECT_EQ(counted.Count(log, 0), 0u);
  for (const raft::Index applied : {1, 7, 7, 12}) {
    EXPECT_EQ(counted.Count(log, applied), bytes_of(applied));
  }
  log.AppliedTo(20);
  log.CompactTo(7);
  EXPECT_EQ(counted.Count(log, 15), bytes_of(15));
  log.CompactTo(13);  // within (12, 15], which counts whole
  EXPECT_EQ(counted.Count(log, 15), bytes_of(15) + raft::SizeOf({.data = std::string(13, 'x')}));
  log.CompactTo(17);  // beyond all that was counted
  EXPECT_EQ(counted.Count(log, 19), bytes_of(19));
  log.CompactTo(20);
  EXPECT_EQ(counted.Count(log, 20), 0u);
}

struct Wanted {
  raft::Index lagging;  // what peer 3 has, of 20
  raft::Index applied;
  uint64_t bytes;
  LogLimits limits;
  std::optional<raft::Index> up_to;
};

TEST(WantedCompaction, IsWhatAllHaveUnlessOneKeepsTheLogTooLong) {
  constexpr uint64_t kMany = 1'000'000;
  const Wanted table[] = {
      // Within both limits.
      {20, 20, 99, {.entries_max = 21, .bytes_max = 100}, std::nullopt},
      // Too many entries: what all have, and what is applied.
      {20, 20, 0, {.entries_max = 20, .bytes_max = kMany}, 20},
      {20, 15, 0, {.entries_max = 15, .bytes_max = kMany}, 15},
      {3, 20, 0, {.entries_max = 20, .bytes_max = kMany}, 3},
      // It has nothing yet: everything is kept for it …
      {0, 20, 0, {.entries_max = 14, .bytes_max = kMany}, std::nullopt},
      // … until the log is half as long again. Then half of it goes, or what all have.
      {0, 20, 0, {.entries_max = 13, .bytes_max = kMany}, 10},
      {4, 20, 0, {.entries_max = 10, .bytes_max = kMany}, 10},
      {16, 20, 0, {.entries_max = 10, .bytes_max = kMany}, 16},
      // The same by bytes.
      {20, 20, 100, {.entries_max = kMany, .bytes_max = 100}, 20},
      {0, 20, 149, {.entries_max = kMany, .bytes_max = 100}, std::nullopt},
      {0, 20, 150, {.entries_max = kMany, .bytes_max = 100}, 10},
      // Nothing is applied.
      {20, 0, kMany, {.entries_max = 1, .bytes_max = 1}, std::nullopt},
  };
  for (const Wanted& row : table) {
    SCOPED_TRACE(testing::Message() << "line " << (&row - table));
    const raft::RaftCore core = Leader(20, row.lagging);
    const auto wanted = WantedCompaction(core, row.applied, row.bytes, row.limits);
    ASSERT_EQ(wanted.has_value(), row.up_to.has_value());
    if (wanted) {
      EXPECT_EQ(*wanted, (EntryId{*row.up_to, core.term()}));
    }
  }
}

TEST(WantedCompaction, CountsFromWhereTheLogBegins) {
  raft::RaftCore core = Leader(20, 20);
  core.CompactTo(15);
  const LogLimits limits{.entries_max = 6};
  EXPECT_EQ(WantedCompaction(core, 20, 0, limits), std::nullopt);
  EXPECT_EQ(WantedCompaction(core, 15, 1 << 30, limits), std::nullopt);
  EXPECT_EQ(WantedCompaction(core, 20, 0, {.entries_max = 5}), (EntryId{20, core.term()}));
}

TEST(WantedCompaction, OfALogOfOneEntryIsWithinIt) {
  const raft::RaftCore core = Leader(1, 0);
  EXPECT_EQ(WantedCompaction(core, 1, 1000, {.entries_max = 1, .bytes_max = 1}),
            (EntryId{1, core.term()}));
}

TEST(CompactLog, IsRefusedForAnEntryThatTheLeaderDoesNotHave) {
  raft::RaftCore core = Leader(20, 20);
  core.CompactTo(5);
  const AdminHandler handler = CompactLogHandler();
  EXPECT_TRUE(handler.propose(core, CompactLogRequest({20, core.term()})).ok());
  for (const EntryId id : {EntryId{20, core.term() + 1}, EntryId{21, core.term()}, EntryId{4, 1}}) {
    const absl::Status status = handler.propose(core, CompactLogRequest(id));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(MessageOf(status).find(std::to_string(id.index)), std::string_view::npos) << status;
  }
}

// Of a region whose log begins behind entry 5 of term 5.
class ApplyCompactLog : public testing::Test {
 protected:
  ApplyCompactLog() {
    region_.state.set_applied_index(20);
    region_.state.mutable_truncated_state()->set_index(5);
    region_.state.mutable_truncated_state()->set_term(5);
  }
  // As entry 20.
  absl::Status Apply(const EntryId& last) {
    return CompactLogHandler().apply({.index = 20, .term = 7}, CompactLogRequest(last), region_,
                                     batch_);
  }
  EntryId Truncated() const {
    return {region_.state.truncated_state().index(), region_.state.truncated_state().term()};
  }

  AppliedRegion region_;
  lsm::WriteBatch batch_;
};

TEST_F(ApplyCompactLog, MovesTheBeginning) {
  EXPECT_TRUE(Apply({10, 6}).ok());
  EXPECT_EQ(Truncated(), (EntryId{10, 6}));
  EXPECT_TRUE(Apply({19, 7}).ok());
  EXPECT_EQ(Truncated(), (EntryId{19, 7}));
  EXPECT_TRUE(batch_.empty());  // the apply state is the applier's to write
}

TEST_F(ApplyCompactLog, NeverMovesItBack) {
  EXPECT_TRUE(Apply({10, 6}).ok());
  EXPECT_TRUE(Apply({10, 6}).ok());
  EXPECT_TRUE(Apply({9, 6}).ok());
  EXPECT_EQ(Truncated(), (EntryId{10, 6}));
}

TEST_F(ApplyCompactLog, NeverReachesItself) {
  for (const raft::Index index : {20, 21, 1000}) {
    const absl::Status status = Apply({index, 7});
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << index;
    EXPECT_EQ(Truncated(), (EntryId{5, 5}));
  }
}

}  // namespace
}  // namespace tinykv::raftstore
