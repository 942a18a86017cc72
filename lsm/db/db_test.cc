#include "lsm/db.h"

#include <map>

#include "common/random.h"
#include "common/strings.h"
#include "lsm/db/db_test_util.h"

namespace tinykv::lsm {
namespace {

std::string Key(uint64_t number) {
  const std::string digits = std::to_string(number);
  return Concat("key", std::string(6 - digits.size(), '0'), digits);
}

TEST_F(DBTest, HasWhatWasWrittenLast) {
  Open();
  EXPECT_EQ(Get("k"), "-");
  Put("k", "1");
  EXPECT_EQ(Get("k"), "1");
  Put("k", "2");
  EXPECT_EQ(Get("k"), "2");
  Delete("k");
  EXPECT_EQ(Get("k"), "-");
}

TEST_F(DBTest, TakesEmptyKeysEmptyValuesAndArbitraryBytes) {
  Open();
  const std::string bytes("\0\xff\x00z", 4);
  Put("", "empty key");
  Put("empty value", "");
  Put(bytes, bytes);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Get(""), "empty key");
    EXPECT_EQ(Get("empty value"), "");
    EXPECT_EQ(Get(bytes), bytes);
    const KeyValues expected = {{"", "empty key"}, {bytes, bytes}, {"empty value", ""}};
    EXPECT_EQ(ScanForward(), expected);
    Flush();
  }
}

TEST_F(DBTest, KeepsColumnFamiliesApart) {
  Open();
  WriteBatch batch;
  batch.Put(0, "k", "in default");
  batch.Put(1, "k", "in lock");
  ASSERT_TRUE(db_->Write({}, batch).ok());
  Delete("k", 0);
  Flush();
  EXPECT_EQ(Get("k", nullptr, 0), "-");
  EXPECT_EQ(Get("k", nullptr, 1), "in lock");
}

TEST_F(DBTest, DeletionHidesOlderTables) {
  Open();
  Put("k", "1");
  CompactAll();
  Put("k", "2");
  Flush();
  Delete("k");
  EXPECT_EQ(Get("k"), "-");  // deletion in the memtable, values in level 0 and 1
  Flush();
  EXPECT_EQ(Get("k"), "-");  // all in tables
  EXPECT_TRUE(ScanForward().empty());
  EXPECT_TRUE(ScanBackward().empty());
}

TEST_F(DBTest, NewerTableOfLevel0Wins) {
  Open();
  for (const char* value : {"1", "2", "3"}) {
    Put("k", value);
    Flush();
  }
  EXPECT_EQ(Shape(), "3");
  EXPECT_EQ(Get("k"), "3");
  EXPECT_EQ(ScanForward(), (KeyValues{{"k", "3"}}));
}

TEST_F(DBTest, RefusesWhatIsOutOfBoundsAndWritesNothingOfIt) {
  Open();
  WriteBatch unknown;
  unknown.Put(0, "k", "v");
  unknown.Put(2, "k", "v");
  EXPECT_EQ(db_->Write({}, unknown).code(), absl::StatusCode::kInvalidArgument);
  WriteBatch long_key;
  long_key.Put(0, "k", "v");
  long_key.Delete(0, std::string(kKeyBytesMax + 1, 'k'));
  EXPECT_EQ(db_->Write({}, long_key).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Get("k"), "-");

  const std::string longest(kKeyBytesMax, 'k');
  Put(longest, "v");
  Flush();
  EXPECT_EQ(Get(longest), "v");
  EXPECT_EQ(db_->Get({}, 2, "k").status().code(), absl::StatusCode::kInvalidArgument);
  const auto it = db_->NewIterator({}, 2);
  it->SeekToFirst();
  EXPECT_FALSE(it->Valid());
  EXPECT_EQ(it->status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(DBTest, AValueMayBeLargerThanAMemtable) {
  Open();
  const std::string large(5 * options_.memtable_bytes, 'x');
  Put("large", large);
  Put("small", "y");
  EXPECT_EQ(Get("large"), large);
  Flush();
  EXPECT_EQ(Get("large"), large);
  EXPECT_EQ(Get("small"), "y");
}

TEST_F(DBTest, SnapshotSeesItsMomentThroughFlushesAndCompactions) {
  Open();
  Put("changed", "old");
  Put("deleted", "old");
  const auto snapshot = db_->NewSnapshot();
  Put("changed", "new");
  Delete("deleted");
  Put("added", "new");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Get("changed", snapshot.get()), "old");
    EXPECT_EQ(Get("deleted", snapshot.get()), "old");
    EXPECT_EQ(Get("added", snapshot.get()), "-");
    const KeyValues then = {{"changed", "old"}, {"deleted", "old"}};
    EXPECT_EQ(ScanForward({.snapshot = snapshot.get()}), then);
    const KeyValues now = {{"added", "new"}, {"changed", "new"}};
    EXPECT_EQ(ScanForward(), now);
    if (i == 0) Flush();
    if (i == 1) CompactAll();
  }
}

TEST_F(DBTest, CompactAllDropsWhatNobodySees) {
  Open();
  for (int i = 0; i < 200; ++i) Put(Key(i), std::string(100, 'a'));
  for (int i = 0; i < 200; ++i) Delete(Key(i));
  auto snapshot = db_->NewSnapshot();
  Put("survivor", "v");
  CompactAll();
  EXPECT_EQ(ScanForward(), (KeyValues{{"survivor", "v"}}));

  snapshot.reset();
  CompactAll();
  const Statistics statistics = db_->GetStatistics();
  uint64_t bytes = 0;
  for (const LevelStatistics& level : statistics.levels[0]) bytes += level.bytes;
  EXPECT_LT(bytes, 1000u);
  Delete("survivor");
  CompactAll();
  EXPECT_EQ(Shape(), "");
  EXPECT_TRUE(Files(".sst").empty());
}

TEST_F(DBTest, IteratorKeepsItsTablesAndItsMoment) {
  Open();
  KeyValues expected;
  for (int i = 0; i < 300; ++i) {
    Put(Key(i), "old");
    expected.emplace_back(Key(i), "old");
  }
  const auto it = db_->NewIterator({}, 0);
  it->SeekToFirst();
  for (int i = 0; i < 300; ++i) Put(Key(i), "new");
  CompactAll();
  KeyValues seen;
  for (; it->Valid(); it->Next()) seen.emplace_back(it->key(), it->value());
  EXPECT_TRUE(it->status().ok()) << it->status();
  EXPECT_EQ(seen, expected);
}

TEST_F(DBTest, FilesOfCompactedTablesAreRemovedWithTheirLastReader) {
  Open();
  for (int i = 0; i < 100; ++i) Put(Key(i), "old");
  CompactAll();
  const std::vector<std::string> before = Files(".sst");
  auto it = db_->NewIterator({}, 0);
  for (int i = 0; i < 100; ++i) Put(Key(i), "new");
  CompactAll();
  const std::vector<std::string> during = Files(".sst");
  EXPECT_EQ(during.size(), before.size() + 1);
  it.reset();
  EXPECT_EQ(Files(".sst").size(), 1u);
  EXPECT_NE(Files(".sst"), before);
  EXPECT_EQ(Files(".log").size(), 1u);
}

TEST_F(DBTest, BoundsHoldForEverySeekAndStep) {
  Open();
  for (const char* key : {"a", "b", "c", "d", "e"}) {
    Put(key, key);
    Flush();
  }
  const ReadOptions options{.lower_bound = "b", .upper_bound = "d"};
  const KeyValues inside = {{"b", "b"}, {"c", "c"}};
  EXPECT_EQ(ScanForward(options), inside);
  EXPECT_EQ(ScanBackward(options), KeyValues(inside.rbegin(), inside.rend()));
  const auto it = db_->NewIterator(options, 0);
  it->Seek("a");
  ASSERT_TRUE(it->Valid());
  EXPECT_EQ(it->key(), "b");
  it->Prev();
  EXPECT_FALSE(it->Valid());
  it->Seek("d");
  EXPECT_FALSE(it->Valid());
  it->SeekForPrev("z");
  ASSERT_TRUE(it->Valid());
  EXPECT_EQ(it->key(), "c");
  it->Next();
  EXPECT_FALSE(it->Valid());
  it->SeekForPrev("a");
  EXPECT_FALSE(it->Valid());
  EXPECT_TRUE(ScanForward({.lower_bound = "c", .upper_bound = "c"}).empty());
  EXPECT_TRUE(ScanForward({.lower_bound = "d", .upper_bound = "b"}).empty());
}

TEST_F(DBTest, WriteHeavyLoadKeepsLevel0Small) {
  options_.l0_compact_tables = 2;
  options_.l0_slowdown_tables = 4;
  options_.l0_stop_tables = 6;
  Open();
  Random random(1);
  for (int i = 0; i < 5000; ++i) {
    Put(Key(random.Uniform(2000)), std::string(random.Uniform(100), 'v'));
    ASSERT_LE(db_->GetStatistics().levels[0][0].tables, 6);
  }
  const Statistics statistics = db_->GetStatistics();
  EXPECT_GT(statistics.compactions, 10u);
  EXPECT_GT(statistics.flushes, 20u);
  EXPECT_GT(statistics.levels[0][2].tables, 0);
}

// Against a map: random writes, reads, scans, flushes, compactions, reopenings.
TEST_F(DBTest, AgreesWithAMap) {
  Open();
  Random random(7);
  std::map<std::string, std::string> model;
  for (int step = 0; step < 20000; ++step) {
    const std::string key = Key(random.Uniform(300));
    if (random.Percent(60)) {
      const std::string value = Concat(step, std::string(random.Uniform(40), 'v'));
      Put(key, value);
      model[key] = value;
    } else if (random.Percent(50)) {
      Delete(key);
      model.erase(key);
    } else {
      const auto it = model.find(key);
      ASSERT_EQ(Get(key), it == model.end() ? "-" : it->second) << "step " << step;
    }
    if (random.OneIn(1000)) Flush();
    if (random.OneIn(3000)) CompactAll();
    if (random.OneIn(2000)) Open();
    if (random.OneIn(2000)) KillAndOpen();
    if (random.OneIn(500)) {
      const KeyValues expected(model.begin(), model.end());
      ASSERT_EQ(ScanForward(), expected) << "step " << step;
      ASSERT_EQ(ScanBackward(), KeyValues(expected.rbegin(), expected.rend())) << "step " << step;
    }
  }
}

TEST_F(DBTest, CloseEndsEverything) {
  Open();
  Put("k", "v");
  ASSERT_TRUE(db_->Close().ok());
  EXPECT_EQ(db_->Close().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(TryPut("k", "v").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(db_->Get({}, 0, "k").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(db_->NewIterator({}, 0)->status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(db_->Flush().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(db_->CompactAll(0).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(db_->SyncLog().code(), absl::StatusCode::kFailedPrecondition);
  // The lock is free, though the object lives.
  auto second = DB::Open(options_, kDirectory);
  EXPECT_TRUE(second.ok()) << second.status();
}

}  // namespace
}  // namespace tinykv::lsm
