#include "lsm/table/block_iterator.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <utility>

#include "common/coding.h"
#include "lsm/iterator_model.h"
#include "lsm/table/block_builder.h"

namespace tinykv::lsm {
namespace {

std::string BuildBlock(const std::vector<ModelEntry>& entries, int restart_interval) {
  BlockBuilder builder(restart_interval);
  for (const ModelEntry& entry : entries) builder.Add(entry.key, entry.value);
  const size_t expected_bytes = builder.size_bytes();
  std::string block(builder.Finish());
  EXPECT_EQ(block.size(), expected_bytes);
  return block;
}

RC_GTEST_PROP(BlockIterator, GoesWhereASortedVectorGoes, ()) {
  const auto entries = *rc::gen::nonEmpty(ArbitraryEntries());
  const std::string block = BuildBlock(entries, *rc::gen::inRange(1, 5));
  BlockIterator iterator(block);
  CheckAgainstModel(iterator, entries, *ArbitrarySteps());
  RC_ASSERT(!iterator.damaged());
}

RC_GTEST_PROP(BlockIterator, FindsEveryKeyItHolds, ()) {
  const auto entries = *rc::gen::nonEmpty(ArbitraryEntries());
  const std::string block = BuildBlock(entries, *rc::gen::inRange(1, 5));
  BlockIterator iterator(block);
  for (const ModelEntry& entry : entries) {
    iterator.Seek(entry.key);
    RC_ASSERT(iterator.Valid());
    RC_ASSERT(iterator.key() == entry.key);
    iterator.SeekForPrev(entry.key);
    RC_ASSERT(iterator.Valid());
    RC_ASSERT(iterator.key() == entry.key);
  }
}

TEST(BlockIterator, HoldsKeysAndValuesOfAnyLength) {
  std::vector<ModelEntry> entries;
  for (const size_t bytes : {0, 1, 119, 120, 121, 127, 128, 129, 1000, 65536}) {
    entries.push_back({EncodeInternalKey({std::string(bytes, 'k'), 1, ValueType::kPut}),
                       std::string(2 * bytes, 'v')});
  }
  const std::string block = BuildBlock(entries, 16);
  BlockIterator iterator(block);
  iterator.SeekToFirst();
  for (const ModelEntry& entry : entries) {
    ASSERT_TRUE(iterator.Valid());
    EXPECT_EQ(iterator.key(), entry.key);
    EXPECT_EQ(iterator.value(), entry.value);
    iterator.Next();
  }
  EXPECT_FALSE(iterator.Valid());
}

TEST(BlockIterator, OverNothingIsNeverValid) {
  BlockIterator iterator;
  for (const auto kind : {IteratorStep::kSeekToFirst, IteratorStep::kSeekToLast,
                          IteratorStep::kSeek, IteratorStep::kSeekForPrev}) {
    Take({kind, EncodeInternalKey({"k", 1, ValueType::kPut})}, iterator);
    EXPECT_FALSE(iterator.Valid());
  }
  EXPECT_FALSE(iterator.damaged());
}

TEST(BlockIterator, CallsABlockWithoutRestartArrayDamaged) {
  std::string too_many_restarts;
  PutFixed32(&too_many_restarts, 0);
  PutFixed32(&too_many_restarts, 2);
  for (const std::string& block : {std::string(), std::string("abc"), std::string(4, '\0'),
                                   std::string(8, '\xff'), too_many_restarts}) {
    BlockIterator iterator(block);
    EXPECT_TRUE(iterator.damaged());
    iterator.SeekToFirst();
    EXPECT_FALSE(iterator.Valid());
    iterator.SeekToLast();
    EXPECT_FALSE(iterator.Valid());
  }
}

TEST(BlockIterator, CallsAnEntryDamagedThatSharesMoreThanThereIs) {
  std::string block = BuildBlock({{EncodeInternalKey({"k", 1, ValueType::kPut}), "v"}}, 16);
  block[0] = 1;  // of the first entry, which has none before it
  BlockIterator iterator(block);
  iterator.SeekToFirst();
  EXPECT_FALSE(iterator.Valid());
  EXPECT_TRUE(iterator.damaged());
}

// Checksums keep such blocks away; the iterator must not depend on that. It may see any entries,
// but stops, and reads only inside the block (AddressSanitizer would tell).
RC_GTEST_PROP(BlockIterator, SurvivesArbitraryDamage, ()) {
  const auto entries = *rc::gen::nonEmpty(ArbitraryEntries());
  std::string block = BuildBlock(entries, *rc::gen::inRange(1, 5));
  using Damage = std::pair<size_t, char>;
  for (const auto& [place, byte] : *rc::gen::nonEmpty(rc::gen::arbitrary<std::vector<Damage>>())) {
    block[place % block.size()] = byte;
  }
  BlockIterator iterator(block);
  for (const IteratorStep& step : *ArbitrarySteps()) {
    const bool is_move = step.kind == IteratorStep::kNext || step.kind == IteratorStep::kPrev;
    if (is_move && !iterator.Valid()) continue;
    Take(step, iterator);
    if (!iterator.Valid()) continue;
    RC_ASSERT(iterator.key().size() >= kInternalKeyTrailerBytes);
    RC_ASSERT(iterator.value().data() >= block.data());
    RC_ASSERT(iterator.value().data() + iterator.value().size() <= block.data() + block.size());
  }
}

}  // namespace
}  // namespace tinykv::lsm
