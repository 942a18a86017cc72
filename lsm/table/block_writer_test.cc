// BlockWriter and BlockReader, which are each other's inverse.
#include "lsm/table/block_writer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/random.h"
#include "lsm/string_file.h"
#include "lsm/table/block_reader.h"

namespace tinykv::lsm {
namespace {

BlockReader ReaderOf(const std::string& content) {
  return BlockReader({.file = std::make_unique<StringRandomAccessFile>(content),
                      .size_bytes = content.size(),
                      .path = "table"});
}

// `random_bytes` that do not compress, then `equal_bytes` that do.
std::string MakeBlock(size_t random_bytes, size_t equal_bytes) {
  Random random(1);
  std::string block;
  for (size_t i = 0; i < random_bytes; ++i) block.push_back(static_cast<char>(random.Next()));
  return block + std::string(equal_bytes, 'x');
}

RC_GTEST_PROP(BlockWriter, WritesBlocksThatReadBack, ()) {
  std::string content;
  StringWritableFile file(content);
  BlockWriter writer(file, *rc::gen::element(0, 1, 3));
  std::vector<std::string> blocks;
  std::vector<BlockHandle> handles;
  for (const auto& [random_bytes, equal_bytes] :
       *rc::gen::arbitrary<std::vector<std::pair<uint8_t, uint16_t>>>()) {
    blocks.push_back(MakeBlock(random_bytes + 1, equal_bytes));
    const auto handle = writer.Write(blocks.back());
    RC_ASSERT(handle.ok());
    handles.push_back(*handle);
  }
  RC_ASSERT(writer.offset() == content.size());
  const BlockReader reader = ReaderOf(content);
  for (size_t i = 0; i < blocks.size(); ++i) {
    const auto block = reader.Read(handles[i]);
    RC_ASSERT(block.ok());
    RC_ASSERT(*block == blocks[i]);
  }
}

TEST(BlockWriter, CompressesOnlyIfAnEighthIsSaved) {
  std::string content;
  StringWritableFile file(content);
  BlockWriter writer(file, 1);
  EXPECT_EQ(writer.Write(MakeBlock(16000, 0))->size, 16000u);
  EXPECT_EQ(writer.Write(MakeBlock(15000, 1000))->size, 16000u);
  EXPECT_LT(writer.Write(MakeBlock(12000, 4000))->size, 12100u);
  EXPECT_LT(writer.Write(MakeBlock(0, 16000))->size, 100u);
}

TEST(BlockWriter, CompressesNothingAtLevelZero) {
  std::string content;
  StringWritableFile file(content);
  BlockWriter writer(file, 0);
  EXPECT_EQ(writer.Write(MakeBlock(0, 16000))->size, 16000u);
}

TEST(BlockReader, RefusesHandlesThatDoNotFitTheFile) {
  std::string content;
  StringWritableFile file(content);
  BlockWriter writer(file, 0);
  ASSERT_TRUE(writer.Write("block").ok());
  const BlockReader reader = ReaderOf(content);
  for (const BlockHandle& handle : {BlockHandle{0, 6}, BlockHandle{1, 5}, BlockHandle{100, 1},
                                    BlockHandle{0, UINT64_MAX}, BlockHandle{UINT64_MAX, 5}}) {
    const absl::Status status = reader.Read(handle).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    const std::string place = Concat("table: offset ", handle.offset, ":");
    EXPECT_EQ(MessageOf(status).substr(0, place.size()), place);
  }
}

}  // namespace
}  // namespace tinykv::lsm
