#include "lsm/table/block_cache.h"

#include <gtest/gtest.h>

#include "common/env/executor.h"

namespace tinykv::lsm {
namespace {

BlockCache::Block MakeBlock(size_t bytes, char fill = 'x') {
  return std::make_shared<const std::string>(bytes, fill);
}

TEST(BlockCache, FindsWhatWasPutThere) {
  BlockCache cache(1 << 20);
  const auto block = MakeBlock(100);
  cache.Insert(7, 4096, block);
  EXPECT_EQ(cache.Lookup(7, 4096), block);
  EXPECT_EQ(cache.Lookup(7, 0), nullptr);
  EXPECT_EQ(cache.Lookup(8, 4096), nullptr);
  EXPECT_EQ(cache.hits(), 1u);
  EXPECT_EQ(cache.misses(), 2u);
}

TEST(BlockCache, ReplacesABlockOfTheSamePlace) {
  BlockCache cache(1 << 20);
  cache.Insert(1, 0, MakeBlock(100, 'a'));
  const uint64_t size_bytes = cache.size_bytes();
  cache.Insert(1, 0, MakeBlock(100, 'b'));
  EXPECT_EQ(*cache.Lookup(1, 0), std::string(100, 'b'));
  EXPECT_EQ(cache.size_bytes(), size_bytes);
}

// Small enough for a single shard, so that age is all that counts.
TEST(BlockCache, DropsTheLeastRecentlyUsedBlock) {
  BlockCache cache(10 * 1024);
  for (uint64_t offset = 0; offset < 4; ++offset) cache.Insert(1, offset, MakeBlock(2048));
  EXPECT_NE(cache.Lookup(1, 0), nullptr);
  cache.Insert(1, 4, MakeBlock(2048));
  EXPECT_NE(cache.Lookup(1, 0), nullptr);
  EXPECT_EQ(cache.Lookup(1, 1), nullptr);
  EXPECT_NE(cache.Lookup(1, 2), nullptr);
}

TEST(BlockCache, StaysWithinItsCapacity) {
  constexpr uint64_t kCapacity = 32 << 20;
  BlockCache cache(kCapacity);
  for (uint64_t i = 0; i < 10000; ++i) {
    cache.Insert(i % 7, i * 16384, MakeBlock(16384));
    ASSERT_LE(cache.size_bytes(), kCapacity);
  }
  // Shards fill evenly: nearly all of the capacity is used.
  EXPECT_GT(cache.size_bytes(), kCapacity * 9 / 10);
}

TEST(BlockCache, DoesNotKeepABlockLargerThanAShard) {
  BlockCache cache(1024);
  cache.Insert(1, 0, MakeBlock(100));
  cache.Insert(1, 1, MakeBlock(2000));
  EXPECT_EQ(cache.Lookup(1, 1), nullptr);
  EXPECT_NE(cache.Lookup(1, 0), nullptr);
}

TEST(BlockCache, KeepsNothingWithoutCapacity) {
  BlockCache cache(0);
  cache.Insert(1, 0, MakeBlock(1));
  EXPECT_EQ(cache.Lookup(1, 0), nullptr);
}

TEST(BlockCache, LeavesABlockToItsReaderAfterEviction) {
  BlockCache cache(3000);
  cache.Insert(1, 0, MakeBlock(2000, 'a'));
  const auto held = cache.Lookup(1, 0);
  cache.Insert(1, 1, MakeBlock(2000, 'b'));
  EXPECT_EQ(cache.Lookup(1, 0), nullptr);
  EXPECT_EQ(*held, std::string(2000, 'a'));
}

TEST(BlockCache, ServesThreadsAtTheSameTime) {
  BlockCache cache(4 << 20);
  const auto work = [&cache] {
    for (uint64_t i = 0; i < 20000; ++i) {
      const uint64_t offset = i * 7919 % 1000;
      if (const auto block = cache.Lookup(1, offset)) {
        ASSERT_EQ(block->size(), 1000 + offset);
      } else {
        cache.Insert(1, offset, MakeBlock(1000 + offset));
      }
    }
  };
  {
    const auto executor = MakeThreadExecutor({.threads = 2});
    executor->Post(work);
    executor->Post(work);
  }
  EXPECT_EQ(cache.hits() + cache.misses(), 40000u);
}

}  // namespace
}  // namespace tinykv::lsm
