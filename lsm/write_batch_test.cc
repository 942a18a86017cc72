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
  batch.DeleteRange(1, "b", "d");
  batch.DeleteRange(1, "", std::nullopt);
  batch.set_sequence(40);
  return batch;
}

TEST(WriteBatch, GivesBackItsRecordsInOrderWithConsecutiveSequenceNumbers) {
  const std::vector<Row> expected = {
      {40, ValueType::kPut, 0, "a", "1"},
      {41, ValueType::kDelete, 300, std::string("\0\xff", 2), ""},
      {42, ValueType::kPut, 2, "", ""},
      {43, ValueType::kDeleteRange, 1, "b", "d"},
      {44, ValueType::kDeleteRange, 1, "", ""},
  };
  EXPECT_EQ(RowsOf(SomeBatch()), expected);
  EXPECT_EQ(SomeBatch().count(), 5u);
}

TEST(WriteBatch, EncodingIsTheOneThatIsDocumented) {
  WriteBatch batch;
  batch.Put(3, "k", "v1");
  batch.Delete(3, "k");
  batch.DeleteRange(3, "b", "d");
  batch.DeleteRange(3, "b", std::nullopt);
  batch.set_sequence(9);
  const std::string head("\x09\0\0\0\0\0\0\0\x04\0\0\0", 12);
  const std::string records("\1\3\1k\2v1\0\3\1k\2\3\1b\1d\2\3\1b\0", 22);
  EXPECT_EQ(batch.encoded(), head + records);
}

TEST(WriteBatch, RangeWithoutKeysMakesNoRecord) {
  WriteBatch batch;
  batch.DeleteRange(0, "b", "b");
  batch.DeleteRange(0, "b", "a");
  batch.DeleteRange(0, "", "");
  EXPECT_TRUE(batch.empty());
}

TEST(WriteBatch, DecodeRefusesARangeWithoutKeys) {
  WriteBatch batch;
  batch.DeleteRange(0, "b", "c");
  std::string encoded = batch.encoded();
  encoded.back() = 'b';
  EXPECT_EQ(WriteBatch::Decode(encoded).status().code(), absl::StatusCode::kDataLoss);
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
  EXPECT_EQ(batch.count(), 20u);
  const std::vector<Row> rows = RowsOf(batch);
  ASSERT_EQ(rows.size(), 20u);
  for (size_t i = 0; i < rows.size(); ++i) {
    Row expected = RowsOf(SomeBatch())[i % 5];
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
