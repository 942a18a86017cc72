#include "lsm/memtable/memtable.h"

#include <gtest/gtest.h>

namespace tinykv::lsm {
namespace {

// "value", "deleted" or "absent".
std::string Get(const MemTable& memtable, std::string_view key, SequenceNumber sequence,
                ColumnFamilyId column_family = 0) {
  LookupResult result;
  memtable.Get(column_family, LookupKey(key, sequence), &result);
  if (result.kind == LookupResult::Kind::kFound) return result.value;
  return result.kind == LookupResult::Kind::kDeleted ? "deleted" : "absent";
}

void Put(MemTable& memtable, SequenceNumber sequence, std::string_view key, std::string_view value,
         ColumnFamilyId column_family = 0) {
  WriteBatch batch;
  batch.Put(column_family, key, value);
  batch.set_sequence(sequence);
  memtable.Add(batch);
}

TEST(MemTable, ReaderSeesTheNewestVersionUpToItsSequenceNumber) {
  MemTable memtable(1, 1);
  Put(memtable, 10, "k", "old");
  Put(memtable, 20, "k", "new");
  EXPECT_EQ(Get(memtable, "k", 9), "absent");
  EXPECT_EQ(Get(memtable, "k", 10), "old");
  EXPECT_EQ(Get(memtable, "k", 19), "old");
  EXPECT_EQ(Get(memtable, "k", 20), "new");
  EXPECT_EQ(Get(memtable, "k", kMaxSequenceNumber), "new");
}

TEST(MemTable, DeletionIsAnAnswerAndNotAnAbsence) {
  MemTable memtable(1, 1);
  Put(memtable, 1, "k", "v");
  WriteBatch batch;
  batch.Delete(0, "k");
  batch.set_sequence(2);
  memtable.Add(batch);
  EXPECT_EQ(Get(memtable, "k", 1), "v");
  EXPECT_EQ(Get(memtable, "k", 2), "deleted");
}

TEST(MemTable, KeyThatIsAPrefixOfAnotherIsAnotherKey) {
  MemTable memtable(1, 1);
  Put(memtable, 1, "abc", "v");
  EXPECT_EQ(Get(memtable, "ab", 9), "absent");
  EXPECT_EQ(Get(memtable, "abcd", 9), "absent");
  EXPECT_EQ(Get(memtable, "", 9), "absent");
  const std::string long_key(10'000, 'k');
  Put(memtable, 2, long_key, "long");
  EXPECT_EQ(Get(memtable, long_key, 9), "long");
}

TEST(MemTable, LaterRecordOfABatchWins) {
  MemTable memtable(1, 1);
  WriteBatch batch;
  batch.Put(0, "k", "first");
  batch.Put(0, "k", "second");
  batch.set_sequence(5);
  memtable.Add(batch);
  EXPECT_EQ(Get(memtable, "k", 5), "first");
  EXPECT_EQ(Get(memtable, "k", 6), "second");
}

TEST(MemTable, KeepsColumnFamiliesApart) {
  MemTable memtable(2, 1);
  Put(memtable, 1, "k", "v", 1);
  EXPECT_EQ(Get(memtable, "k", 9, 0), "absent");
  EXPECT_EQ(Get(memtable, "k", 9, 1), "v");
  EXPECT_TRUE(memtable.empty(0));
  EXPECT_FALSE(memtable.empty(1));
}

void DeleteRange(MemTable& memtable, SequenceNumber sequence, std::string_view begin,
                 std::optional<std::string_view> end) {
  WriteBatch batch;
  batch.DeleteRange(0, begin, end);
  batch.set_sequence(sequence);
  memtable.Add(batch);
}

TEST(MemTable, RangeDeleteHidesWhatIsOlderFromThoseWhoSeeIt) {
  MemTable memtable(2, 1);
  EXPECT_EQ(memtable.Tombstones(0), nullptr);
  Put(memtable, 1, "b", "old");
  Put(memtable, 2, "b", "other family", 1);
  DeleteRange(memtable, 3, "b", "d");
  Put(memtable, 4, "c", "new");
  EXPECT_EQ(Get(memtable, "b", 2), "old");
  EXPECT_EQ(Get(memtable, "b", 3), "deleted");
  EXPECT_EQ(Get(memtable, "bb", 3), "deleted");  // older tables may hold it
  EXPECT_EQ(Get(memtable, "c", 3), "deleted");
  EXPECT_EQ(Get(memtable, "c", 4), "new");
  EXPECT_EQ(Get(memtable, "d", 9), "absent");
  EXPECT_EQ(Get(memtable, "b", 9, 1), "other family");
  DeleteRange(memtable, 5, "c", std::nullopt);
  EXPECT_EQ(Get(memtable, "c", 4), "new");
  EXPECT_EQ(Get(memtable, "c", 5), "deleted");
  EXPECT_EQ(Get(memtable, "\xff", 5), "deleted");
}

TEST(MemTable, CountsRangeDeletesAndIsNotEmptyWithOne) {
  MemTable memtable(1, 1);
  const std::string begin(1000, 'a');
  DeleteRange(memtable, 1, begin, std::string(1000, 'b'));
  EXPECT_FALSE(memtable.empty());
  EXPECT_TRUE(memtable.empty(0));
  EXPECT_GE(memtable.memory_bytes(), 2000u);
}

TEST(MemTable, CountsWhatIsWritten) {
  MemTable memtable(4, 17);
  EXPECT_TRUE(memtable.empty());
  EXPECT_EQ(memtable.memory_bytes(), 0u);
  EXPECT_EQ(memtable.largest_sequence(), 0u);
  EXPECT_EQ(memtable.log_number(), 17u);
  Put(memtable, 7, "k", std::string(1000, 'v'));
  EXPECT_FALSE(memtable.empty());
  EXPECT_EQ(memtable.largest_sequence(), 7u);
  EXPECT_GE(memtable.memory_bytes(), 1000u);
  EXPECT_LT(memtable.memory_bytes(), 1200u);
}

TEST(MemTable, IteratorGivesVersionsNewestFirstBothWays) {
  MemTable memtable(1, 1);
  Put(memtable, 1, "b", "1");
  Put(memtable, 2, "a", "2");
  Put(memtable, 3, "b", "3");
  const auto it = memtable.NewIterator(0);
  std::string values;
  for (it->SeekToFirst(); it->Valid(); it->Next()) values += it->value();
  EXPECT_EQ(values, "231");
  values.clear();
  for (it->SeekToLast(); it->Valid(); it->Prev()) values += it->value();
  EXPECT_EQ(values, "132");
  it->Seek(EncodeInternalKey({"b", 2}));
  EXPECT_EQ(it->value(), "1");
  it->SeekForPrev(EncodeInternalKey({"b", 4}));
  EXPECT_EQ(it->value(), "2");
  EXPECT_TRUE(it->status().ok());
}

}  // namespace
}  // namespace tinykv::lsm
