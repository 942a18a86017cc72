// What DB::Open() makes of the files that it finds.
#include "lsm/db/recovery.h"

#include "common/strings.h"
#include "lsm/db/db_test_util.h"
#include "lsm/version/file_names.h"

namespace tinykv::lsm {
namespace {

class RecoveryTest : public DBTest {
 protected:
  // Names and contents of the folder.
  std::vector<std::pair<std::string, std::string>> Contents() {
    std::vector<std::pair<std::string, std::string>> contents;
    for (const std::string& name : Files("")) {
      contents.emplace_back(name, *ReadFile(disk_, JoinPath(kDirectory, name)));
    }
    return contents;
  }

  std::string OnlyFile(std::string_view suffix) {
    const std::vector<std::string> files = Files(suffix);
    EXPECT_EQ(files.size(), 1u) << suffix;
    return JoinPath(kDirectory, files.front());
  }

  // Power fails, and comes back. The disk has no faults afterwards.
  void PowerLoss(uint64_t seed) {
    disk_.Halt();
    Close();
    background_.Clear();
    Random random(seed);
    disk_.Crash(random);
    disk_.SetFaults({});
  }

  // Fails unless Open() finds damage, names `path`, and changes nothing.
  void ExpectDataLoss(const std::string& path) {
    const auto before = Contents();
    const absl::Status status = TryOpen();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status << ", expected for " << path;
    EXPECT_NE(status.ToString().find(path), std::string::npos) << status;
    EXPECT_TRUE(Contents() == before);
  }
};

// The same files after a crash would be right: a database that had just started.
TEST_F(RecoveryTest, LossOfTheNewestLogOfAClosedDatabaseIsFound) {
  Open();
  Put("key", "1");
  Close();
  const std::string log = OnlyFile(".log");
  const std::string whole = *ReadFile(disk_, log);
  for (uint64_t size = 0; size < whole.size(); ++size) {
    ASSERT_TRUE(WriteFileAtomically(disk_, log, whole.substr(0, size)).ok());
    ExpectDataLoss(log);
  }
  ASSERT_TRUE(disk_.Remove(log).ok());
  ExpectDataLoss(log);
  ASSERT_TRUE(WriteFileAtomically(disk_, log, whole).ok());
  Open();
  EXPECT_EQ(Get("key"), "1");
}

TEST_F(RecoveryTest, FindsTablesAndLogs) {
  Open();
  Put("in table", "1");
  Flush();
  Put("in log", "2");
  Delete("in table");
  Put("other family", "3", 1);
  for (int i = 0; i < 3; ++i) {
    Open();
    EXPECT_EQ(Get("in table"), "-");
    EXPECT_EQ(Get("in log"), "2");
    EXPECT_EQ(Get("other family", nullptr, 1), "3");
  }
}

TEST_F(RecoveryTest, FindsSeveralLogsWhoseFlushesHaveNotRun) {
  options_.immutable_memtables_max = 10;
  Open();
  const std::string value(options_.memtable_bytes / 2, 'v');
  for (int i = 0; i < 9; ++i) Put(Concat("k", i), value);
  ASSERT_GT(Files(".log").size(), 3u);
  KillAndOpen();
  for (int i = 0; i < 9; ++i) EXPECT_EQ(Get(Concat("k", i)), value) << i;
  EXPECT_EQ(Files(".log").size(), 1u);
}

TEST_F(RecoveryTest, SequenceNumbersGoOn) {
  Open();
  Put("k", "old");
  const auto before = db_->NewSnapshot()->sequence();
  Flush();
  KillAndOpen();
  EXPECT_EQ(db_->NewSnapshot()->sequence(), before);
  Put("k", "new");
  EXPECT_EQ(db_->NewSnapshot()->sequence(), before + 1);
  EXPECT_EQ(Get("k"), "new");
  KillAndOpen();
  Put("other", "x");
  EXPECT_EQ(db_->NewSnapshot()->sequence(), before + 2);
  CompactAll();
  EXPECT_EQ(Get("k"), "new");
}

TEST_F(RecoveryTest, LevelsAreInKeyOrderWhateverTheTablesNumbers) {
  options_.level_bytes_base = 4 << 10;
  Open();
  // Descending, so that smaller keys have larger table numbers.
  for (int i = 999; i >= 0; --i) Put(Concat("k", i + 1000), std::string(40, 'v'));
  Flush();
  const KeyValues before = ScanForward();
  EXPECT_EQ(before.size(), 1000u);
  const std::string shape = Shape();
  Open();
  EXPECT_EQ(Shape(), shape);
  EXPECT_EQ(ScanForward(), before);
  for (int i = 0; i < 1000; ++i) ASSERT_NE(Get(Concat("k", i + 1000)), "-") << i;
}

TEST_F(RecoveryTest, IsHeldOffByTheLock) {
  Open();
  const auto second = DB::Open(options_, kDirectory);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  Close();
  Open();
}

TEST_F(RecoveryTest, CreatesADatabaseOnlyIfItMay) {
  options_.create_if_missing = false;
  EXPECT_EQ(TryOpen().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(disk_.files().empty());
  options_.create_if_missing = true;
  Open();
  options_.create_if_missing = false;
  Open();
}

TEST_F(RecoveryTest, ColumnFamiliesAreKnownByName) {
  options_.column_families = {"a", "b"};
  Open();
  Put("k", "in a", 0);
  Flush();
  Put("k", "in b", 1);  // in the log
  options_.column_families = {"b", "new", "a"};
  Open();
  EXPECT_EQ(Get("k", nullptr, 0), "in b");
  EXPECT_EQ(Get("k", nullptr, 1), "-");
  EXPECT_EQ(Get("k", nullptr, 2), "in a");
  Put("k", "in new", 1);

  options_.column_families = {"b", "a"};
  const absl::Status status = TryOpen();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.ToString().find("\"new\""), std::string::npos) << status;
  options_.column_families = {"b", "new", "a"};
  Open();
  EXPECT_EQ(Get("k", nullptr, 1), "in new");
}

TEST_F(RecoveryTest, BadOptionsAreRefusedByName) {
  const Options good = options_;
  const auto expect_refused = [&](std::string_view name) {
    const absl::Status status = TryOpen();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(status.ToString().find(name), std::string::npos) << status;
    options_ = good;
  };
  options_.column_families = {};
  expect_refused("column_families");
  options_.column_families = {"a", "b", "a"};
  expect_refused("column_families");
  options_.levels = 1;
  expect_refused("levels");
  options_.l0_stop_tables = options_.l0_slowdown_tables - 1;
  expect_refused("l0_stop_tables");
  options_.immutable_memtables_max = 0;
  expect_refused("immutable_memtables_max");
  options_.memtable_bytes = 0;
  expect_refused("memtable_bytes");
  options_.level_multiplier = 0;
  expect_refused("level_multiplier");

  options_.levels = 4;
  Open();
  Put("k", "v");
  CompactAll();
  for (int i = 0; i < 3000; ++i) Put(Concat("k", i), std::string(30, 'v'));
  Flush();
  ASSERT_GT(db_->GetStatistics().levels[0][2].tables, 0);
  options_.levels = 2;
  EXPECT_EQ(TryOpen().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(RecoveryTest, RemovesWhatACrashLeftBehindAndNothingElse) {
  Open();
  Put("k", "v");
  Flush();
  const std::vector<std::string> tables = Files(".sst");
  Close();
  const auto write = [&](const std::string& name) {
    ASSERT_TRUE(WriteFileAtomically(disk_, JoinPath(kDirectory, name), "x").ok());
  };
  write("000900.sst");
  write("000001.log");
  write("MANIFEST-000901");
  write("CURRENT.tmp");
  write("notes.txt");
  Open();
  EXPECT_EQ(Files(".sst"), tables);
  EXPECT_EQ(Files(".tmp").size(), 0u);
  EXPECT_EQ(Files("notes.txt").size(), 1u);
  EXPECT_EQ(Files(".log").size(), 1u);
  EXPECT_EQ(Get("k"), "v");
  // Numbers of files that were there are not used again.
  Put("k2", "v");
  Flush();
  EXPECT_GT(Files(".sst").back(), "000901.sst");
}

TEST_F(RecoveryTest, MissingOrDamagedTableIsDataLoss) {
  Open();
  Put("k", "v");
  Flush();
  const std::string table = OnlyFile(".sst");
  Close();
  const std::string content = *ReadFile(disk_, table);
  ASSERT_TRUE(disk_.FlipBit(table, content.size() - 1, 0).ok());  // in the footer
  ExpectDataLoss(table);
  ASSERT_TRUE(disk_.Truncate(table, content.size() - 1).ok());
  ExpectDataLoss(table);
  ASSERT_TRUE(disk_.Remove(table).ok());
  ExpectDataLoss(table);
}

TEST_F(RecoveryTest, DamagedDataBlockIsDataLossWhenItIsReadAndTheRestGoesOn) {
  options_.zstd_level = 0;
  options_.memtable_bytes = 1 << 20;
  Open();
  for (int i = 0; i < 100; ++i) Put(Concat("k", i + 100), std::string(50, 'v'));
  Flush();
  const std::string table = OnlyFile(".sst");
  Close();
  ASSERT_TRUE(disk_.FlipBit(table, 100, 0).ok());
  Open();
  const auto damaged = db_->Get({}, 0, "k100");
  EXPECT_EQ(damaged.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(damaged.status().ToString().find(table), std::string::npos) << damaged.status();
  EXPECT_EQ(Get("k199"), std::string(50, 'v'));
  const auto it = db_->NewIterator({}, 0);
  it->SeekToFirst();
  EXPECT_FALSE(it->Valid());
  EXPECT_EQ(it->status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(RecoveryTest, MissingCurrentOverDataIsDataLossAndNotAnEmptyDatabase) {
  Open();
  Put("k", "v");
  Close();
  ASSERT_TRUE(disk_.Remove(CurrentPath(kDirectory)).ok());
  ExpectDataLoss(CurrentPath(kDirectory));  // the data is in a log
  ASSERT_TRUE(disk_.Remove(OnlyFile(".log")).ok());
  Open();  // nothing is left that could be lost
  Put("k", "v");
  Flush();
  Close();
  ASSERT_TRUE(disk_.Remove(CurrentPath(kDirectory)).ok());
  ExpectDataLoss(CurrentPath(kDirectory));  // the data is in a table
}

TEST_F(RecoveryTest, DamagedLogIsDataLoss) {
  Open();
  Put("a", "1");
  Put("b", "2");
  const std::string log = OnlyFile(".log");
  Close();
  for (const uint64_t offset : {5u, 40u, 70u}) {
    ASSERT_TRUE(disk_.FlipBit(log, offset, 0).ok());
    ExpectDataLoss(log);
    ASSERT_TRUE(disk_.FlipBit(log, offset, 0).ok());
  }
  Open();
  EXPECT_EQ(Get("b"), "2");
}

TEST_F(RecoveryTest, TornEndOfAnOlderLogIsDataLoss) {
  options_.immutable_memtables_max = 10;
  Open();
  const std::string value(options_.memtable_bytes, 'v');
  for (int i = 0; i < 3; ++i) Put(Concat("k", i), value);
  disk_.Halt();
  Close();
  background_.Clear();
  disk_.KillProcess();
  const std::string oldest = JoinPath(kDirectory, Files(".log").front());
  ASSERT_TRUE(disk_.Truncate(oldest, *disk_.FileSize(oldest) - 1).ok());
  ExpectDataLoss(oldest);
}

TEST_F(RecoveryTest, LogThatIsMissingAsAWholeIsDataLoss) {
  options_.immutable_memtables_max = 10;
  Open();
  const std::string value(options_.memtable_bytes, 'v');
  for (int i = 0; i < 4; ++i) Put(Concat("k", i), value);
  disk_.Halt();
  Close();
  background_.Clear();
  disk_.KillProcess();
  const std::vector<std::string> logs = Files(".log");
  ASSERT_EQ(logs.size(), 4u);
  ASSERT_TRUE(disk_.Remove(JoinPath(kDirectory, logs[1])).ok());
  ExpectDataLoss(JoinPath(kDirectory, logs[2]));
}

TEST_F(RecoveryTest, FirstStartMayBeInterruptedAtAnyChange) {
  bool written = false;
  for (uint64_t at = 1; !written; ++at) {
    ASSERT_LT(at, 100u);
    disk_.SetFaults({.halt_at_change = at});
    written = TryOpen().ok() && TryPut("k", "v").ok();
    PowerLoss(at);
    Open();
    // A write that was not acknowledged may have reached the disk.
    EXPECT_TRUE(Get("k") == "v" || (Get("k") == "-" && !written)) << "change " << at;
    Close();
    for (const std::string& name : Files("")) {
      ASSERT_TRUE(disk_.Remove(JoinPath(kDirectory, name)).ok());
    }
    ASSERT_TRUE(disk_.SyncDirectory(kDirectory).ok());
  }
}

TEST_F(RecoveryTest, MayBeInterruptedAtAnyChangeAndRepeated) {
  bool recovered = false;
  for (uint64_t at = 1; !recovered; ++at) {
    ASSERT_LT(at, 100u);
    const std::string value = std::to_string(at);
    Open();
    Put("k", value);
    PowerLoss(at);
    // Twice in a row: the second recovery finds what the first one left half done.
    for (const uint64_t seed : {1, 2}) {
      disk_.SetFaults({.halt_at_change = at});
      recovered = TryOpen().ok();
      PowerLoss(seed);
    }
    Open();
    EXPECT_EQ(Get("k"), value) << "change " << at;
  }
}

TEST_F(RecoveryTest, ManifestIsReplacedWhenItHasGrown) {
  options_.manifest_bytes_max = 200;
  Open();
  std::vector<std::string> manifests;
  for (int i = 0; i < 30; ++i) {
    Put(Concat("k", i), "v");
    Flush();
    for (const std::string& name : Files("")) {
      if (!name.starts_with("MANIFEST-")) continue;
      if (manifests.empty() || manifests.back() != name) manifests.push_back(name);
      EXPECT_LT(*disk_.FileSize(JoinPath(kDirectory, name)), 4000u);
    }
  }
  EXPECT_GT(manifests.size(), 3u);
  KillAndOpen();
  for (int i = 0; i < 30; ++i) EXPECT_EQ(Get(Concat("k", i)), "v");
}

}  // namespace
}  // namespace tinykv::lsm
