// Statistics: those that operators look at when something is slow or stands still.
#include <chrono>

#include "common/strings.h"
#include "lsm/db/db_test_util.h"

namespace tinykv::lsm {
namespace {

using std::chrono::milliseconds;

class DBStatisticsTest : public DBTest {
 protected:
  // From now on the disk takes time, of this test's clock.
  void SlowDown(Duration sync_delay) {
    disk_.SetDelayHook([this](Duration delay) { clock_.Advance(delay); });
    disk_.SetFaults({.sync_delay = sync_delay});
  }
};

TEST_F(DBStatisticsTest, TellTheTimeOfSyncsOfTheLog) {
  options_.clock = &clock_;
  Open();
  SlowDown(milliseconds(5));
  Put("a", "1");
  SlowDown(milliseconds(20));
  Put("b", "2");
  SlowDown(milliseconds(5));
  ASSERT_TRUE(TryPut("c", "3", {.sync = false}).ok());
  ASSERT_EQ(db_->SyncLog(), absl::OkStatus());
  Statistics statistics = db_->GetStatistics();
  EXPECT_EQ(statistics.wal_syncs, 3u);
  EXPECT_EQ(statistics.wal_sync_time, milliseconds(30));
  EXPECT_EQ(statistics.wal_sync_time_max, milliseconds(20));

  Flush();  // ends the log, with a sync before its end mark and one behind it
  statistics = db_->GetStatistics();
  EXPECT_EQ(statistics.wal_syncs, 4u);
  EXPECT_EQ(statistics.wal_sync_time, milliseconds(40));
  EXPECT_EQ(statistics.wal_sync_time_max, milliseconds(20));
}

TEST_F(DBStatisticsTest, TellNoTimesWithoutAClock) {
  Open();
  SlowDown(milliseconds(5));
  Put("a", "1");
  const Statistics statistics = db_->GetStatistics();
  EXPECT_EQ(statistics.wal_syncs, 1u);
  EXPECT_EQ(statistics.wal_sync_time, Duration::zero());
  EXPECT_EQ(statistics.wal_sync_time_max, Duration::zero());
}

TEST_F(DBStatisticsTest, CountTheBytesOfBatches) {
  Open();
  WriteBatch batch;
  batch.Put(0, "k", std::string(1000, 'v'));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(db_->Write({}, batch).ok());
  const Statistics statistics = db_->GetStatistics();
  EXPECT_EQ(statistics.writes, 5u);
  EXPECT_EQ(statistics.write_bytes, 5 * batch.size_bytes());
  EXPECT_GT(statistics.wal_bytes, statistics.write_bytes);
}

TEST_F(DBStatisticsTest, CountObsoleteTablesWhileTheyAreInUse) {
  Open();
  const auto fill = [this] {
    for (int i = 0; i < 200; ++i) Put(Concat("key", i), "v");
  };
  fill();
  CompactAll();
  EXPECT_EQ(db_->GetStatistics().obsolete_tables, 0u);
  const LevelStatistics before = db_->GetStatistics().levels[0][1];
  auto it = db_->NewIterator({}, 0);
  fill();
  CompactAll();
  Statistics statistics = db_->GetStatistics();
  EXPECT_EQ(statistics.obsolete_tables, static_cast<uint64_t>(before.tables));
  EXPECT_EQ(statistics.obsolete_table_bytes, before.bytes);
  it.reset();
  statistics = db_->GetStatistics();
  EXPECT_EQ(statistics.obsolete_tables, 0u);
  EXPECT_EQ(statistics.obsolete_table_bytes, 0u);
}

TEST_F(DBStatisticsTest, TellHowFarCompactionsLagBehind) {
  options_.l0_compact_tables = 2;
  Open();
  Put("a", "1");
  Flush();
  EXPECT_EQ(db_->GetStatistics().pending_compaction_bytes, 0u);
  Put("a", "2");
  Flush();  // waits for the flush only
  const Statistics statistics = db_->GetStatistics();
  EXPECT_EQ(statistics.pending_compaction_bytes, statistics.levels[0][0].bytes);
  background_.RunUntilIdle();
  EXPECT_EQ(db_->GetStatistics().pending_compaction_bytes, 0u);
}

TEST_F(DBStatisticsTest, TellThatWritesWouldWait) {
  Open();
  // Nothing runs in the background until somebody waits, and nobody does.
  uint64_t writes = 0;
  while (TryPut("k", std::string(2000, 'v'), {.no_wait = true}).ok()) {
    EXPECT_EQ(db_->GetStatistics().write_stalls, 0u);
    ASSERT_LT(++writes, 100u);
  }
  EXPECT_TRUE(db_->GetStatistics().writes_stalled);
  EXPECT_EQ(db_->GetStatistics().write_stalls, 1u);
  EXPECT_EQ(db_->GetStatistics().write_error, absl::OkStatus());
  background_.RunUntilIdle();
  EXPECT_FALSE(db_->GetStatistics().writes_stalled);
}

TEST_F(DBStatisticsTest, TellTheErrorThatStoppedWrites) {
  Open();
  EXPECT_EQ(db_->GetStatistics().write_error, absl::OkStatus());
  disk_.SetFaults({.failed_change = sim::FaultPlan::Failure{.at = 1}});
  const absl::Status first = TryPut("k", "v");
  EXPECT_FALSE(first.ok());
  EXPECT_EQ(db_->GetStatistics().write_error, first);
  db_->Close().IgnoreError();
  EXPECT_FALSE(db_->GetStatistics().writes_stalled);
}

}  // namespace
}  // namespace tinykv::lsm
