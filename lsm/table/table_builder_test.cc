#include "lsm/table/table_builder.h"

#include <gtest/gtest.h>

#include "lsm/table/table_test_util.h"

namespace tinykv::lsm {
namespace {

std::string Key(int number) {
  return EncodeInternalKey({"key" + std::to_string(10000 + number), 1, ValueType::kPut});
}

TEST(TableBuilder, KnowsItsRangeAndCount) {
  std::string content;
  StringWritableFile file(content);
  TableBuilder builder(Options(), file);
  EXPECT_EQ(builder.entries(), 0u);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(builder.Add(Key(i), "v").ok());
  EXPECT_EQ(builder.entries(), 10u);
  EXPECT_EQ(builder.smallest(), Key(0));
  EXPECT_EQ(builder.largest(), Key(9));
}

TEST(TableBuilder, WritesEqualFilesFromEqualInput) {
  std::vector<ModelEntry> entries;
  for (int i = 0; i < 1000; ++i) entries.push_back({Key(i), std::to_string(i)});
  EXPECT_EQ(BuildTable(Options(), entries), BuildTable(Options(), entries));
}

TEST(TableBuilder, KeepsTheFirstErrorOfItsFile) {
  Options options;
  options.block_bytes = 100;
  std::string content;
  StringWritableFile file(content, 1000);
  TableBuilder builder(options, file);
  absl::Status status;
  for (int i = 0; i < 1000 && status.ok(); ++i) status = builder.Add(Key(i), std::to_string(i));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(builder.Add(Key(2000), ""), status);
  EXPECT_EQ(builder.Finish(), status);
}

}  // namespace
}  // namespace tinykv::lsm
