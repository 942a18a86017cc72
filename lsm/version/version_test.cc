#include "lsm/version/version.h"

#include <gtest/gtest.h>

#include "lsm/table/merging_iterator.h"
#include "lsm/version/version_test_util.h"

namespace tinykv::lsm {
namespace {

class VersionTest : public testing::Test {
 protected:
  VersionTest() { EXPECT_TRUE(disk_.CreateDirectories("db").ok()); }

  std::shared_ptr<const Version> Make(Levels levels) {
    auto version = Version::Create({std::move(levels)});
    EXPECT_TRUE(version.ok()) << version.status();
    return *version;
  }

  // "value", "deleted" or "absent".
  std::string Get(const Version& version, std::string_view key,
                  SequenceNumber sequence = kMaxSequenceNumber) {
    LookupResult result;
    uint64_t filter_skips = 0;
    const absl::Status status =
        version.Get(0, LookupKey(key, sequence), true, &result, &filter_skips);
    EXPECT_TRUE(status.ok()) << status;
    if (result.kind == LookupResult::Kind::kFound) return result.value;
    return result.kind == LookupResult::Kind::kDeleted ? "deleted" : "absent";
  }

  // User keys and sequence numbers in `range`, as "a9 b7".
  std::string Scan(const Version& version, const KeyRange& range, size_t* iterator_count) {
    std::vector<std::unique_ptr<Iterator>> iterators;
    version.AddIterators(0, range, true, &iterators);
    *iterator_count = iterators.size();
    std::string result;
    const auto it = NewMergingIterator(std::move(iterators));
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      ParsedInternalKey key;
      EXPECT_TRUE(ParseInternalKey(it->key(), &key));
      result +=
          (result.empty() ? "" : " ") + std::string(key.user_key) + std::to_string(key.sequence);
    }
    EXPECT_TRUE(it->status().ok()) << it->status();
    return result;
  }

  sim::SimFileSystem disk_;
};

TEST_F(VersionTest, SearchGoesFromNewToOldAndStopsAtTheFirstAnswer) {
  const auto deep = MakeTable(disk_, 1, {{"a", 1, "deep"}, {"b", 2, "deep"}, {"c", 3, "deep"}});
  const auto old = MakeTable(disk_, 2, {{"a", 4, "old"}, {"b", 5, "old"}});
  const auto young = MakeTable(disk_, 3, {{"a", 6, "", ValueType::kDelete}});
  const auto version = Make({{old, young}, {}, {deep}});
  EXPECT_EQ(NumbersOf(version->levels(0)[0]), (std::vector<FileNumber>{3, 2}));
  EXPECT_EQ(Get(*version, "a"), "deleted");
  EXPECT_EQ(Get(*version, "b"), "old");
  EXPECT_EQ(Get(*version, "c"), "deep");
  EXPECT_EQ(Get(*version, "d"), "absent");
  EXPECT_EQ(Get(*version, "a", 5), "old");
  EXPECT_EQ(Get(*version, "a", 3), "deep");
}

TEST_F(VersionTest, SortedLevelIsSearchedAtItsTablesEdges) {
  const auto first = MakeTable(disk_, 9, {{"b", 1, "1"}, {"d", 2, "2"}});
  const auto second = MakeTable(disk_, 4, {{"f", 3, "3"}});
  const auto third = MakeTable(disk_, 7, {{"h", 4, "4"}, {"j", 5, "5"}});
  const auto version = Make({{}, {third, first, second}});  // in whatever order
  EXPECT_EQ(NumbersOf(version->levels(0)[1]), (std::vector<FileNumber>{9, 4, 7}));
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a", "absent"}, {"b", "1"}, {"c", "absent"}, {"d", "2"}, {"e", "absent"}, {"f", "3"},
      {"g", "absent"}, {"h", "4"}, {"i", "absent"}, {"j", "5"}, {"k", "absent"}};
  for (const auto& [key, value] : expected) {
    EXPECT_EQ(Get(*version, key), value);
    EXPECT_EQ(SortedLevelCovers(version->levels(0)[1], key),
              value != "absent" || key == "c" || key == "i");
  }
}

TEST_F(VersionTest, RangeReadsOnlyTheTablesInIt) {
  const auto zero = MakeTable(disk_, 9, {{"c", 9}});
  const auto first = MakeTable(disk_, 1, {{"a", 1}, {"c", 2}});
  const auto second = MakeTable(disk_, 2, {{"e", 3}});
  const auto third = MakeTable(disk_, 3, {{"g", 4}, {"i", 5}});
  const auto version = Make({{zero}, {first, second, third}});
  size_t iterators = 0;
  EXPECT_EQ(Scan(*version, {}, &iterators), "a1 c9 c2 e3 g4 i5");
  EXPECT_EQ(Scan(*version, {.lower = "d", .upper = "f"}, &iterators), "e3");
  EXPECT_EQ(iterators, 1u);
  EXPECT_EQ(Scan(*version, {.lower = "e", .upper = "g"}, &iterators), "e3");
  EXPECT_EQ(Scan(*version, {.lower = "c", .upper = "e"}, &iterators), "a1 c9 c2");
  EXPECT_EQ(Scan(*version, {.lower = "j", .upper = {}}, &iterators), "");
  EXPECT_EQ(iterators, 0u);
  EXPECT_EQ(Scan(*version, {.lower = {}, .upper = "a"}, &iterators), "");
  EXPECT_EQ(iterators, 0u);
}

TEST_F(VersionTest, EditRemovesAddsAndMoves) {
  const auto before = Make({{FakeTable(1, "a", "b"), FakeTable(2, "c", "d")}, {}});
  VersionEdit edit;
  edit.removed = {{0, 0, 1}, {0, 0, 2}};
  edit.added = {{0, 1, before->levels(0)[0][0]->meta()}};  // 2 moves, 1 goes
  const auto added = FakeTable(3, "x", "y");
  edit.added.push_back({0, 0, added->meta()});
  const auto after = before->Apply(edit, {added});
  EXPECT_EQ(NumbersOf(after->levels(0)[0]), (std::vector<FileNumber>{3}));
  EXPECT_EQ(NumbersOf(after->levels(0)[1]), (std::vector<FileNumber>{2}));
  EXPECT_EQ(NumbersOf(before->levels(0)[0]), (std::vector<FileNumber>{2, 1})) << "immutable";
}

TEST_F(VersionTest, TablesOfADeeperLevelMayNotShareAUserKey) {
  EXPECT_TRUE(Version::Create({{{FakeTable(1, "a", "c"), FakeTable(2, "b", "d")}, {}}}).ok());
  EXPECT_EQ(
      Version::Create({{{}, {FakeTable(1, "a", "c"), FakeTable(2, "c", "d")}}}).status().code(),
      absl::StatusCode::kDataLoss);
}

TEST_F(VersionTest, FileGoesWithItsLastReaderOnceObsolete) {
  auto table = MakeTable(disk_, 1, {{"a", 1}});
  auto kept = MakeTable(disk_, 2, {{"a", 1}});
  auto reader = Make({{table}, {}});
  table->MarkObsolete();
  table.reset();
  EXPECT_TRUE(disk_.Exists(TablePath("db", 1)));
  EXPECT_EQ(Get(*reader, "a"), "");
  reader.reset();
  EXPECT_FALSE(disk_.Exists(TablePath("db", 1)));
  kept.reset();
  EXPECT_TRUE(disk_.Exists(TablePath("db", 2)));
}

TEST_F(VersionTest, TableThatIsMissingOrOfAnotherSizeIsDataLoss) {
  TableMeta meta = WriteTable(disk_, 1, {{"a", 1}});
  meta.file_bytes += 1;
  const auto resized = TableFile::Open(disk_, "db", meta, nullptr);
  EXPECT_EQ(resized.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(resized.status().ToString().find(TablePath("db", 1)), std::string::npos);
  ASSERT_TRUE(disk_.Remove(TablePath("db", 1)).ok());
  EXPECT_EQ(TableFile::Open(disk_, "db", meta, nullptr).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(VersionTest, TableInThePlaceOfAnotherIsDataLoss) {
  const TableMeta meta = WriteTable(disk_, 1, {{"a", 1}, {"b", 2}});
  TableMeta other = WriteTable(disk_, 2, {{"a", 1}, {"b", 3}});
  ASSERT_EQ(meta.file_bytes, other.file_bytes);
  ASSERT_TRUE(disk_.Rename(TablePath("db", 2), TablePath("db", 1)).ok());
  const auto table = TableFile::Open(disk_, "db", meta, nullptr);
  EXPECT_EQ(table.status().code(), absl::StatusCode::kDataLoss) << table.status();
}

}  // namespace
}  // namespace tinykv::lsm
