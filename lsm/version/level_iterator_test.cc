#include "lsm/version/level_iterator.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "lsm/iterator_model.h"
#include "lsm/version/version_test_util.h"

namespace tinykv::lsm {
namespace {

TestEntry Parsed(const ModelEntry& entry) {
  ParsedInternalKey key;
  EXPECT_TRUE(ParseInternalKey(entry.key, &key));
  return {std::string(key.user_key), key.sequence, entry.value, key.type};
}

RC_GTEST_PROP(LevelIteratorProperty, GoesWhereOneTableWouldGo, ()) {
  sim::SimFileSystem disk;
  RC_ASSERT(disk.CreateDirectories("db").ok());
  const auto entries = *ArbitraryEntries();
  const auto table_entries = *rc::gen::inRange<size_t>(1, 4);
  TableList tables;
  std::vector<TestEntry> pending;
  for (const ModelEntry& entry : entries) {
    const TestEntry next = Parsed(entry);
    // As in the engine, versions of one key stay together.
    if (pending.size() >= table_entries && pending.back().user_key != next.user_key) {
      tables.push_back(MakeTable(disk, tables.size() + 1, std::exchange(pending, {})));
    }
    pending.push_back(next);
  }
  if (!pending.empty()) tables.push_back(MakeTable(disk, tables.size() + 1, pending));
  const auto it = NewLevelIterator(tables, true);
  CheckAgainstModel(*it, entries, *ArbitrarySteps());
  RC_ASSERT(it->status().ok());
}

TEST(LevelIterator, OpensATableOnlyWhenItGetsThere) {
  sim::SimFileSystem disk;
  ASSERT_TRUE(disk.CreateDirectories("db").ok());
  const TableList tables = {MakeTable(disk, 1, {{"a", 1}}), MakeTable(disk, 2, {{"b", 1}}),
                            MakeTable(disk, 3, {{"c", 1}})};
  const uint64_t reads_before = disk.reads();
  const auto it = NewLevelIterator(tables, true);
  it->Seek(EncodeInternalKey({"b", 9}));
  ASSERT_TRUE(it->Valid());
  EXPECT_EQ(UserKeyOf(it->key()), "b");
  EXPECT_EQ(disk.reads(), reads_before + 1);
}

TEST(LevelIterator, ReadErrorEndsItInsteadOfPassingOverTheTable) {
  sim::SimFileSystem disk;
  ASSERT_TRUE(disk.CreateDirectories("db").ok());
  const TableList tables = {MakeTable(disk, 1, {{"a", 1}}), MakeTable(disk, 2, {{"b", 1}}),
                            MakeTable(disk, 3, {{"c", 1}})};
  const auto it = NewLevelIterator(tables, true);
  it->SeekToFirst();
  ASSERT_TRUE(it->Valid());
  disk.SetFaults({.failed_read = sim::FaultPlan::Failure{.at = 1}});
  it->Next();
  EXPECT_FALSE(it->Valid());
  EXPECT_EQ(it->status().code(), absl::StatusCode::kInternal);
  it->SeekToLast();  // a new start
  EXPECT_TRUE(it->Valid());
  EXPECT_TRUE(it->status().ok());
}

}  // namespace
}  // namespace tinykv::lsm
