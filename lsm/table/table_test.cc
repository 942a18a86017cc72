#include "lsm/table/table.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <optional>

#include "lsm/table/table_builder.h"
#include "lsm/table/table_test_util.h"

namespace tinykv::lsm {
namespace {

std::string Key(std::string_view user_key, SequenceNumber sequence,
                ValueType type = ValueType::kPut) {
  return EncodeInternalKey({user_key, sequence, type});
}

// Blocks of a few entries, so that small tables have many boundaries.
Options SmallBlocks() {
  Options options;
  options.block_bytes = 64;
  return options;
}

rc::Gen<Options> ArbitraryOptions() {
  return rc::gen::apply(
      [](uint32_t block_bytes, int bloom_bits_per_key, int zstd_level) {
        Options options;
        options.block_bytes = block_bytes;
        options.bloom_bits_per_key = bloom_bits_per_key;
        options.zstd_level = zstd_level;
        return options;
      },
      rc::gen::inRange<uint32_t>(1, 200), rc::gen::element(0, 10), rc::gen::element(0, 1));
}

// What Get(target) should find: the first entry at or after it, of the same user key.
std::optional<ModelEntry> Expected(const std::vector<ModelEntry>& entries,
                                   const std::string& target) {
  for (const ModelEntry& entry : entries) {
    if (ComesBefore(entry.key, target)) continue;
    if (UserKeyOf(entry.key) != UserKeyOf(target)) return std::nullopt;
    return entry;
  }
  return std::nullopt;
}

std::optional<ModelEntry> Get(const Table& table, const std::string& target) {
  std::optional<ModelEntry> result;
  const absl::Status status =
      table.Get(target, true, [&](const ParsedInternalKey& key, std::string_view value) {
        result = ModelEntry{EncodeInternalKey(key), std::string(value)};
      });
  EXPECT_EQ(status, absl::OkStatus());
  return result;
}

void ExpectGetAgrees(const Table& table, const std::vector<ModelEntry>& entries,
                     const std::string& target) {
  const auto got = Get(table, target);
  const auto expected = Expected(entries, target);
  ASSERT_EQ(got.has_value(), expected.has_value()) << Quote(target);
  if (!got) return;
  EXPECT_EQ(got->key, expected->key);
  EXPECT_EQ(got->value, expected->value);
}

std::vector<ModelEntry> NumberedEntries(int count) {
  std::vector<ModelEntry> entries;
  for (int i = 0; i < count; ++i) {
    entries.push_back({Key("key" + std::to_string(10000 + i), 5), "value" + std::to_string(i)});
  }
  return entries;
}

RC_GTEST_PROP(Table, IteratesWhereASortedVectorGoes, ()) {
  const auto entries = *rc::gen::nonEmpty(ArbitraryEntries());
  BlockCache cache(1 << 20);
  const auto table = OpenTable(BuildTable(*ArbitraryOptions(), entries), &cache);
  RC_ASSERT(table.ok());
  const auto iterator = (*table)->NewIterator(*rc::gen::arbitrary<bool>());
  CheckAgainstModel(*iterator, entries, *ArbitrarySteps());
  RC_ASSERT(iterator->status().ok());
}

// With random blocks nearly every key is at a boundary. Every entry, everything just before and
// just after it, and arbitrary keys.
RC_GTEST_PROP(Table, GetFindsTheFirstVersionAtOrAfter, ()) {
  const auto entries = *rc::gen::nonEmpty(ArbitraryEntries());
  const auto table = OpenTable(BuildTable(*ArbitraryOptions(), entries));
  RC_ASSERT(table.ok());
  for (const ModelEntry& entry : entries) {
    const std::string user_key(UserKeyOf(entry.key));
    for (SequenceNumber sequence = 0; sequence < 10; ++sequence) {
      ExpectGetAgrees(**table, entries, Key(user_key, sequence));
    }
    ExpectGetAgrees(**table, entries, Key(user_key + '\0', kMaxSequenceNumber));
  }
  for (const std::string& target :
       *rc::gen::container<std::vector<std::string>>(ArbitraryInternalKey())) {
    ExpectGetAgrees(**table, entries, target);
  }
}

TEST(Table, FindsItsKeysWithEveryBlockSize) {
  const auto entries = NumberedEntries(200);
  for (uint32_t block_bytes = 1; block_bytes < 300; block_bytes += 7) {
    Options options;
    options.block_bytes = block_bytes;
    const auto table = OpenTable(BuildTable(options, entries));
    ASSERT_TRUE(table.ok()) << table.status();
    const auto iterator = (*table)->NewIterator(true);
    for (const ModelEntry& entry : entries) {
      ASSERT_TRUE(Get(**table, entry.key).has_value());
      iterator->Seek(entry.key);
      ASSERT_TRUE(iterator->Valid());
      ASSERT_EQ(iterator->key(), entry.key);
      iterator->SeekForPrev(entry.key);
      ASSERT_TRUE(iterator->Valid());
      ASSERT_EQ(iterator->value(), entry.value);
    }
  }
}

TEST(Table, FindsVersionsOfOneKeySpreadOverBlocks) {
  std::vector<ModelEntry> entries;
  for (SequenceNumber sequence = 1000; sequence > 0; sequence -= 2) {
    entries.push_back({Key("k", sequence), std::to_string(sequence)});
  }
  entries.push_back({Key("l", 1), "l"});
  const auto table = OpenTable(BuildTable(SmallBlocks(), entries));
  ASSERT_TRUE(table.ok());
  for (SequenceNumber snapshot = 0; snapshot < 1003; ++snapshot) {
    ExpectGetAgrees(**table, entries, Key("k", snapshot));
  }
}

TEST(Table, HoldsEmptyAndLargeKeysAndValues) {
  const std::vector<ModelEntry> entries = {
      {Key("", 3), "of the empty key"},
      {Key("empty value", 1), ""},
      {Key(std::string(65536, 'k'), 2), std::string(1 << 20, 'v')},
      {Key("z", 1, ValueType::kDelete), ""},
  };
  const auto table = OpenTable(BuildTable(Options(), entries));
  ASSERT_TRUE(table.ok());
  for (const ModelEntry& entry : entries) ExpectGetAgrees(**table, entries, entry.key);
}

TEST(Table, TellsItsProperties) {
  const std::vector<ModelEntry> entries = {
      {Key("a", 7), "1"}, {Key("b", 3, ValueType::kDelete), ""}, {Key("c", 9), "333"}};
  const auto table = OpenTable(BuildTable(Options(), entries));
  ASSERT_TRUE(table.ok());
  const TableProperties& properties = (*table)->properties();
  EXPECT_EQ(properties.entries, 3u);
  EXPECT_EQ(properties.deletions, 1u);
  EXPECT_EQ(properties.data_blocks, 1u);
  EXPECT_EQ(properties.raw_bytes, 3 * 9 + 4u);
  EXPECT_EQ(properties.smallest_sequence, 3u);
  EXPECT_EQ(properties.largest_sequence, 9u);
}

TEST(Table, ApproximateOffsetsGrowFromZeroToTheFileSize) {
  const auto entries = NumberedEntries(1000);
  const std::string content = BuildTable(SmallBlocks(), entries);
  const auto table = OpenTable(content);
  ASSERT_TRUE(table.ok());
  uint64_t last = 0;
  for (const ModelEntry& entry : entries) {
    const uint64_t offset = (*table)->ApproximateOffsetOf(entry.key);
    ASSERT_GE(offset, last);
    last = offset;
  }
  EXPECT_EQ((*table)->ApproximateOffsetOf(Key("", 1)), 0u);
  EXPECT_GT(last, content.size() / 2);
  EXPECT_EQ((*table)->ApproximateOffsetOf(Key("z", 1)), content.size());
}

TEST(Table, BlocksOfARangeAreThoseThatMayHoldItsKeys) {
  const auto entries = NumberedEntries(1000);
  const auto table = OpenTable(BuildTable(SmallBlocks(), entries));
  ASSERT_TRUE(table.ok());
  std::vector<std::pair<std::string, uint64_t>> all;
  (*table)->ForEachBlock({}, [&all](std::string_view last_user_key, uint64_t bytes) {
    all.emplace_back(last_user_key, bytes);
  });
  EXPECT_EQ(all.size(), (*table)->properties().data_blocks);
  uint64_t offset = 0;
  for (const auto& [last_user_key, bytes] : all) {
    // The block's bytes come before what is behind its last key, and after all that is before it.
    offset += bytes;
    if (&last_user_key == &all.back().first) continue;
    EXPECT_EQ((*table)->ApproximateOffsetOf(Key(last_user_key + '\0', kMaxSequenceNumber)), offset);
  }
  const std::string lower(UserKeyOf(entries[300].key)), upper(UserKeyOf(entries[600].key));
  std::vector<std::pair<std::string, uint64_t>> inside;
  (*table)->ForEachBlock({lower, upper}, [&inside](std::string_view last_user_key, uint64_t bytes) {
    inside.emplace_back(last_user_key, bytes);
  });
  const auto begin = std::find_if(all.begin(), all.end(),
                                  [&lower](const auto& block) { return block.first >= lower; });
  const auto end =
      std::find_if(begin, all.end(), [&upper](const auto& block) { return block.first >= upper; });
  EXPECT_EQ(inside, decltype(inside)(begin, std::next(end)));
}

TEST(Table, FilterSparesReadsOfAbsentKeys) {
  int reads = 0;
  const auto table = OpenTable(BuildTable(SmallBlocks(), NumberedEntries(1000)), nullptr, &reads);
  ASSERT_TRUE(table.ok());
  reads = 0;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(Get(**table, Key("key1absent" + std::to_string(i), 9)).has_value());
  }
  EXPECT_LT(reads, 40);
  EXPECT_FALSE((*table)->MayContain("key1absent7"));
  EXPECT_TRUE((*table)->MayContain("key10007"));
}

TEST(Table, ReadsABlockOnceWithACacheAndFillsItOnlyIfAsked) {
  BlockCache cache(1 << 20);
  int reads = 0;
  const auto entries = NumberedEntries(100);
  const auto table = OpenTable(BuildTable(Options(), entries), &cache, &reads);
  ASSERT_TRUE(table.ok());
  reads = 0;
  const auto ignore = [](const ParsedInternalKey&, std::string_view) {};
  ASSERT_TRUE((*table)->Get(entries[0].key, false, ignore).ok());
  EXPECT_EQ(cache.size_bytes(), 0u);
  ASSERT_TRUE((*table)->Get(entries[0].key, true, ignore).ok());
  ASSERT_TRUE((*table)->Get(entries[1].key, false, ignore).ok());
  EXPECT_EQ(reads, 2);
  EXPECT_EQ(cache.hits(), 1u);
}

// SeekForPrev lands in the block that the index names, or in the one before it, but needs no look
// at the one behind.
TEST(Table, SeeksReadOnlyTheBlockTheyNeed) {
  int reads = 0;
  const auto entries = NumberedEntries(1000);
  const auto table = OpenTable(BuildTable(SmallBlocks(), entries), nullptr, &reads);
  ASSERT_TRUE(table.ok());
  for (const ModelEntry& entry : entries) {
    reads = 0;
    const auto iterator = (*table)->NewIterator(false);
    iterator->Seek(entry.key);
    iterator->SeekForPrev(entry.key);
    ASSERT_EQ(reads, 1);
  }
}

}  // namespace
}  // namespace tinykv::lsm
