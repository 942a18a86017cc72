// Range deletes, wherever they and what they hide may be.
#include "common/strings.h"
#include "lsm/db/db_test_util.h"

namespace tinykv::lsm {
namespace {

class RangeDeleteTest : public DBTest {
 protected:
  void DeleteRange(std::string_view begin, std::optional<std::string_view> end) {
    WriteBatch batch;
    batch.DeleteRange(0, begin, end);
    const absl::Status status = db_->Write({}, batch);
    ASSERT_TRUE(status.ok()) << status;
  }

  // The keys, forward and back.
  std::string Keys(const ReadOptions& options = {}) {
    std::string keys;
    for (const auto& [key, value] : ScanForward(options)) keys += key;
    KeyValues backward = ScanBackward(options);
    std::string reversed;
    for (auto it = backward.rbegin(); it != backward.rend(); ++it) reversed += it->first;
    EXPECT_EQ(keys, reversed);
    for (const char key : std::string("abcdefg")) {
      const std::string name(1, key);
      const bool inside = (!options.lower_bound || name >= *options.lower_bound) &&
                          (!options.upper_bound || name < *options.upper_bound);
      if (!inside) continue;
      EXPECT_EQ(Get(name, options.snapshot) != "-", keys.find(key) != std::string::npos) << name;
    }
    return keys;
  }

  void PutAll() {
    for (const char* key : {"a", "b", "c", "d", "e", "f", "g"}) Put(key, key);
  }
};

TEST_F(RangeDeleteTest, HidesItsRangeFromMemtableAndTables) {
  for (const int flushes : {0, 1, 2, 3}) {
    options_.column_families = {"default"};
    Open();
    PutAll();
    if (flushes & 1) Flush();
    DeleteRange("b", "d");
    Put("c", "again");
    if (flushes & 2) Flush();
    EXPECT_EQ(Keys(), "acdefg");
    EXPECT_EQ(Get("c"), "again");
    EXPECT_EQ(Keys({.lower_bound = "b", .upper_bound = "e"}), "cd");
    DeleteRange("e", std::nullopt);
    EXPECT_EQ(Keys(), "acd");
    CompactAll();
    EXPECT_EQ(Keys(), "acd");
    DeleteRange("", std::nullopt);
    EXPECT_EQ(Keys(), "");
    CompactAll();
    EXPECT_EQ(Shape(), "");  // nothing is left, not even the marks
  }
}

TEST_F(RangeDeleteTest, WithoutKeysDoesNothing) {
  Open();
  PutAll();
  const Statistics before = db_->GetStatistics();
  DeleteRange("d", "d");
  DeleteRange("d", "b");
  DeleteRange("", "");
  EXPECT_EQ(Keys(), "abcdefg");
  EXPECT_EQ(db_->GetStatistics().wal_bytes, before.wal_bytes);
}

TEST_F(RangeDeleteTest, IsOrderedWithinItsBatch) {
  Open();
  WriteBatch batch;
  batch.Put(0, "b", "hidden");
  batch.DeleteRange(0, "a", "c");
  batch.Put(0, "a", "kept");
  ASSERT_TRUE(db_->Write({}, batch).ok());
  EXPECT_EQ(Keys(), "a");
  KillAndOpen();
  EXPECT_EQ(Keys(), "a");
}

TEST_F(RangeDeleteTest, SnapshotSeesWhatWasThereThroughFlushesAndCompactions) {
  Open();
  PutAll();
  const auto before = db_->NewSnapshot();
  const auto it = db_->NewIterator({}, 0);
  DeleteRange("b", "f");
  const auto after = db_->NewSnapshot();
  Put("d", "new");
  DeleteRange("c", std::nullopt);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Keys({.snapshot = before.get()}), "abcdefg");
    EXPECT_EQ(Keys({.snapshot = after.get()}), "afg");
    EXPECT_EQ(Keys(), "a");
    std::string seen;
    for (it->SeekToFirst(); it->Valid(); it->Next()) seen += it->key();
    EXPECT_EQ(seen, "abcdefg");
    if (i == 0) Flush();
    if (i == 1) CompactAll();
  }
}

TEST_F(RangeDeleteTest, SurvivesTheProcessAndIsNotWrittenAgain) {
  options_.column_families = {"default"};
  Open();
  PutAll();
  Flush();
  DeleteRange("b", "d");
  KillAndOpen();
  EXPECT_EQ(Keys(), "adefg");
  Open();
  EXPECT_EQ(Keys(), "adefg");
  options_.column_families = {"first", "default"};  // ids change, names stay
  Put("x", "y");
  DeleteRange("e", std::nullopt);
  Open();
  EXPECT_EQ(ScanForward({}, 1), (KeyValues{{"a", "a"}, {"d", "d"}}));
}

// A range over many tables: those that a compaction writes share it, and whatever is compacted
// next, no key comes back.
TEST_F(RangeDeleteTest, SpansManyTablesOfManyLevels) {
  options_.l0_compact_tables = 2;
  options_.zstd_level = 0;
  Open();
  const auto key = [](int number) { return Concat("key", 10'000 + number); };
  const auto fill = [&] {
    for (int i = 0; i < 400; ++i) Put(key(i), std::string(60, 'v'));
  };
  fill();
  CompactAll();
  ASSERT_GT(Files(".sst").size(), 4u);
  fill();
  auto snapshot = db_->NewSnapshot();
  DeleteRange(key(10), key(390));
  for (int i = 100; i < 130; ++i) Put(key(i), "new");
  for (int round = 0; round < 4; ++round) {
    Put(Concat("a", round), std::string(500, 'v'));
    Flush();
    background_.RunUntilIdle();
    EXPECT_EQ(ScanForward({.lower_bound = "key"}).size(), 50u);
    EXPECT_EQ(ScanBackward({.lower_bound = "key"}).size(), 50u);
    EXPECT_EQ(ScanForward({.snapshot = snapshot.get(), .lower_bound = "key"}).size(), 400u);
    for (const int i : {9, 100, 129, 390}) EXPECT_NE(Get(key(i)), "-") << i;
    for (const int i : {10, 99, 130, 389}) EXPECT_EQ(Get(key(i)), "-") << i;
  }
  snapshot.reset();
  CompactAll();
  EXPECT_EQ(ScanForward({.lower_bound = "key"}).size(), 50u);
}

// A compaction may drop a range tombstone only if there is nothing in all of its range below.
TEST_F(RangeDeleteTest, StaysAboveDataThatBeginsBehindWhereItBegins) {
  options_.l0_compact_tables = 2;
  options_.zstd_level = 0;
  Open();
  for (int i = 0; i < 1000; ++i) Put(Concat("key", 10'000 + i), std::string(60, 'v'));
  Flush();
  background_.RunUntilIdle();
  ASSERT_GT(db_->GetStatistics().levels[0][2].tables, 0);
  DeleteRange("a", "z");
  const KeyValues left = {{"b", "v"}, {"c", "v"}, {"d", "v"}};
  for (const auto& [key, value] : left) {
    Put(key, value);
    Flush();
    background_.RunUntilIdle();
  }
  ASSERT_LT(db_->GetStatistics().levels[0][0].tables, 2);  // the tombstone is below
  EXPECT_EQ(ScanForward(), left);
  CompactAll();
  EXPECT_EQ(ScanForward(), left);
}

TEST_F(RangeDeleteTest, RefusesWhatIsOutOfBounds) {
  Open();
  WriteBatch unknown;
  unknown.DeleteRange(2, "a", "b");
  EXPECT_EQ(db_->Write({}, unknown).code(), absl::StatusCode::kInvalidArgument);
  WriteBatch long_end;
  long_end.DeleteRange(0, "a", std::string(kKeyBytesMax + 1, 'k'));
  EXPECT_EQ(db_->Write({}, long_end).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tinykv::lsm
