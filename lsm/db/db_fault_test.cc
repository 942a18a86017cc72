// Errors of the disk, and writes that would have to wait.
#include <cerrno>

#include "common/strings.h"
#include "lsm/db/db_test_util.h"

namespace tinykv::lsm {
namespace {

using sim::FaultPlan;

class DBFaultTest : public DBTest {
 protected:
  // Fails unless writes fail with `first`, and reads go on.
  void ExpectWritesStopped(const absl::Status& first) {
    EXPECT_EQ(TryPut("k", "after"), first);
    EXPECT_EQ(TryPut("k", "after", {.sync = false, .no_wait = true}), first);
    EXPECT_EQ(db_->SyncLog(), first);
    EXPECT_EQ(db_->Flush(), first);
    EXPECT_EQ(db_->CompactAll(0), first);
    EXPECT_EQ(Get("k"), "before");
    EXPECT_EQ(ScanForward().front(), (std::pair<std::string, std::string>("k", "before")));
  }

  // The next change fails, once.
  void FailChange(uint64_t at, int error_number = EIO) {
    disk_.SetFaults({.failed_change = FaultPlan::Failure{.at = at, .error_number = error_number}});
  }
};

TEST_F(DBFaultTest, FailedAppendToTheLogStopsWritesForGood) {
  Open();
  Put("k", "before");
  FailChange(1);
  const absl::Status first = TryPut("k", "lost");
  EXPECT_EQ(first.code(), absl::StatusCode::kInternal);
  ExpectWritesStopped(first);
  EXPECT_EQ(db_->Close(), first);
  Open();
  EXPECT_EQ(Get("k"), "before");
  Put("k", "after");
}

TEST_F(DBFaultTest, FailedSyncOfTheLogStopsWritesForGood) {
  Open();
  Put("k", "before");
  FailChange(2);
  const absl::Status first = TryPut("k", "unknown");
  EXPECT_EQ(first.code(), absl::StatusCode::kInternal);
  // The disk would say OK now, but the bytes are not there.
  ExpectWritesStopped(first);
}

TEST_F(DBFaultTest, FullDiskStopsWritesWithAClearError) {
  Open();
  Put("k", "before");
  disk_.SetFaults({.capacity_bytes = disk_.used_bytes() + 10});
  const absl::Status first = TryPut("k", std::string(100, 'v'));
  EXPECT_EQ(first.code(), absl::StatusCode::kResourceExhausted);
  disk_.SetFaults({});  // somebody makes room, but a part of the write is in the log
  ExpectWritesStopped(first);
  Open();
  EXPECT_EQ(Get("k"), "before");
  Put("k", "after");
}

// Whichever file operation of a flush fails: writes stop, reads go on, nothing is lost.
TEST_F(DBFaultTest, FailedFlushStopsWritesAndLosesNothing) {
  bool flushed = false;
  for (uint64_t at = 1; !flushed; ++at) {
    Open();
    Put("k", "before");
    Put("l", std::to_string(at));
    FailChange(at);
    const absl::Status first = db_->Flush();
    flushed = first.ok();
    if (!flushed) {
      EXPECT_EQ(first.code(), absl::StatusCode::kInternal) << "change " << at;
      ExpectWritesStopped(first);
    }
    disk_.SetFaults({});
    Open();
    EXPECT_EQ(Get("k"), "before") << "change " << at;
    EXPECT_EQ(Get("l"), std::to_string(at));
    ASSERT_LT(at, 100u);
  }
}

TEST_F(DBFaultTest, FailedCompactionStopsWritesAndLosesNothing) {
  bool compacted = false;
  for (uint64_t at = 1; !compacted; ++at) {
    Open();
    Put("k", "before");
    Flush();
    Put("l", std::to_string(at));
    Flush();
    FailChange(at);
    const absl::Status first = db_->CompactAll(0);
    compacted = first.ok();
    if (!compacted) {
      EXPECT_EQ(first.code(), absl::StatusCode::kInternal) << "change " << at;
      ExpectWritesStopped(first);
    }
    disk_.SetFaults({});
    Open();
    EXPECT_EQ(Get("k"), "before") << "change " << at;
    EXPECT_EQ(Get("l"), std::to_string(at));
    ASSERT_LT(at, 100u);
  }
}

TEST_F(DBFaultTest, DamagedTableStopsCompactionsAndNamesIt) {
  options_.zstd_level = 0;
  Open();
  Put("k", "before");
  Flush();
  const std::string table = Files(".sst").front();
  Close();
  ASSERT_TRUE(disk_.FlipBit(JoinPath(kDirectory, table), 10, 0).ok());
  Open();
  const absl::Status status = db_->CompactAll(0);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(status.ToString().find(table), std::string::npos) << status;
  EXPECT_EQ(Files(".sst"), std::vector<std::string>{table}) << "the only copy there is";
}

TEST_F(DBFaultTest, FailedReadIsAnErrorOnce) {
  options_.block_cache_bytes = 0;
  Open();
  Put("k", "v");
  Flush();
  disk_.SetFaults({.failed_read = FaultPlan::Failure{.at = 1}});
  EXPECT_EQ(db_->Get({}, 0, "k").status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Get("k"), "v");
  Put("k", "w");  // reads do not stop writes
}

// What is in the log only is durable after SyncLog(), and all of it is lost together before.
TEST_F(DBFaultTest, UnsyncedWritesAreDurableAfterSyncLog) {
  Open();
  ASSERT_TRUE(TryPut("a", "1", {.sync = false}).ok());
  ASSERT_TRUE(db_->SyncLog().ok());
  ASSERT_TRUE(TryPut("b", "2", {.sync = false}).ok());
  disk_.Halt();
  Close();
  background_.Clear();
  Random random(1);
  disk_.Crash({.survive_percent = 0}, random);
  Open();
  EXPECT_EQ(Get("a"), "1");
  EXPECT_EQ(Get("b"), "-");
}

TEST_F(DBFaultTest, NoWaitIsRefusedWhereAWriteWouldWait) {
  options_.immutable_memtables_max = 1;
  Open();
  const std::string value(options_.memtable_bytes, 'v');
  const WriteOptions no_wait = {.sync = false, .no_wait = true};
  ASSERT_TRUE(TryPut("a", value, no_wait).ok());
  ASSERT_TRUE(TryPut("b", value, no_wait).ok());  // the first memtable waits for its flush
  const absl::Status refused = TryPut("c", value, no_wait);
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Get("c"), "-");
  EXPECT_EQ(db_->GetStatistics().write_stalls, 1u);
  background_.RunUntilIdle();
  EXPECT_TRUE(TryPut("c", value, no_wait).ok());
  // And who may wait does, until the flush has run.
  EXPECT_TRUE(TryPut("d", value, {.sync = false}).ok());
  EXPECT_EQ(Get("d"), value);
  EXPECT_EQ(db_->GetStatistics().write_stalls, 2u);
}

TEST_F(DBFaultTest, StatisticsCountWhatHappened) {
  Open();
  WriteBatch batch;
  batch.Put(0, "a", "1");
  batch.Put(1, "b", "2");
  ASSERT_TRUE(db_->Write({.sync = true}, batch).ok());
  ASSERT_TRUE(TryPut("c", "3", {.sync = false}).ok());
  Statistics statistics = db_->GetStatistics();
  EXPECT_EQ(statistics.writes, 2u);
  EXPECT_EQ(statistics.wal_syncs, 1u);
  EXPECT_GT(statistics.wal_bytes, batch.size_bytes());
  EXPECT_GT(statistics.memtable_bytes, 0u);
  const auto snapshot = db_->NewSnapshot();
  Flush();
  statistics = db_->GetStatistics();
  EXPECT_EQ(statistics.live_snapshots, 1u);
  EXPECT_EQ(statistics.flushes, 1u);
  EXPECT_EQ(statistics.memtable_bytes, 0u);
  EXPECT_EQ(statistics.levels[0][0].tables, 1);
  EXPECT_EQ(statistics.levels[1][0].tables, 1);
  EXPECT_EQ(statistics.flush_bytes, statistics.levels[0][0].bytes + statistics.levels[1][0].bytes);
  EXPECT_EQ(Get("bb"), "-");
  CompactAll();
  statistics = db_->GetStatistics();
  EXPECT_EQ(statistics.compactions, 1u);
  EXPECT_GT(statistics.compaction_bytes_read, 0u);
  EXPECT_EQ(statistics.compaction_bytes_written, statistics.levels[0][1].bytes);
}

TEST_F(DBFaultTest, FlushAndCompactAllOfNothingAreNoWork) {
  Open();
  const uint64_t changes = disk_.changes();
  Flush();
  CompactAll();
  EXPECT_EQ(disk_.changes(), changes);
}

}  // namespace
}  // namespace tinykv::lsm
