#include "lsm/write_batch.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <tuple>
#include <vector>

namespace tinykv::lsm {
namespace {

using Row = std::tuple<SequenceNumber, ValueType, ColumnFamilyId, std::string, std::string>;

std::vector<Row> RowsOf(const WriteBatch& batch) {
  std::vector<Row> rows;
  batch.ForEach([&](const WriteBatch::Record& record) {
    rows.emplace_back(record.sequence, record.type, record.column_family, record.key, record.value);
  });
  return rows;
}

WriteBatch SomeBatch() {
  WriteBatch batch;
  batch.Put(0, "a", "1");
  batch.Delete(300, std::string("\0\xff", 2));
  batch.Put(2, "", "");
  batch.set_sequence(40);
  return batch;
}

TEST(WriteBatch, GivesBackItsRecordsInOrderWithConsecutiveSequenceNumbers) {
  const std::vector<Row> expected = {
      {40, ValueType::kPut, 0, "a", "1"},
      {41, ValueType::kDelete, 300, std::string("\0\xff", 2), ""},
      {42, ValueType::kPut, 2, "", ""},
  };
  EXPECT_EQ(RowsOf(SomeBatch()), expected);
  EXPECT_EQ(SomeBatch().count(), 3u);
}

TEST(WriteBatch, IsEmptyAtFirstAndAfterClear) {
  WriteBatch batch;
  EXPECT_TRUE(batch.empty());
  EXPECT_TRUE(RowsOf(batch).empty());
  batch.Put(0, "a", "1");
  EXPECT_FALSE(batch.empty());
  batch.Clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.encoded(), WriteBatch().encoded());
}

TEST(WriteBatch, AppendAddsTheOthersRecordsEvenItsOwn) {
  WriteBatch batch = SomeBatch();
  batch.Append(SomeBatch());
  batch.Append(batch);
  EXPECT_EQ(batch.count(), 12u);
  const std::vector<Row> rows = RowsOf(batch);
  ASSERT_EQ(rows.size(), 12u);
  for (size_t i = 0; i < rows.size(); ++i) {
    Row expected = RowsOf(SomeBatch())[i % 3];
    std::get<0>(expected) = 40 + i;
    EXPECT_EQ(rows[i], expected);
  }
}

TEST(WriteBatch, DecodeTakesItsOwnEncoding) {
  const auto decoded = WriteBatch::Decode(SomeBatch().encoded());
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(RowsOf(*decoded), RowsOf(SomeBatch()));
}

TEST(WriteBatch, DecodeRefusesEveryPrefixAndAnySuffix) {
  const std::string whole = SomeBatch().encoded();
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(WriteBatch::Decode(whole.substr(0, size)).status().code(),
              absl::StatusCode::kDataLoss)
        << size;
  }
  EXPECT_EQ(WriteBatch::Decode(whole + "x").status().code(), absl::StatusCode::kDataLoss);
}

RC_GTEST_PROP(WriteBatchProperty, DecodeOfArbitraryBytesFailsOrGivesAWholeBatch, ()) {
  std::string bytes = *rc::gen::arbitrary<std::string>();
  bytes.insert(0, 12, '\0');
  bytes[8] = static_cast<char>(*rc::gen::inRange(0, 4));  // a small count, so that some are valid
  const auto decoded = WriteBatch::Decode(bytes);
  if (decoded.ok()) RC_ASSERT(RowsOf(*decoded).size() == decoded->count());
}

}  // namespace
}  // namespace tinykv::lsm
