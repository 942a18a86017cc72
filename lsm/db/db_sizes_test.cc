// ApproximateSize() and MiddleKey() against true sizes.
#include <map>

#include "common/random.h"
#include "common/strings.h"
#include "lsm/db/db_test_util.h"

namespace tinykv::lsm {
namespace {

std::string Key(uint64_t i) { return Concat("key", 100'000 + i); }

constexpr uint64_t kLengthsBytes = 15;  // of one entry in a block, at most
// What is in the blocks of a table besides keys and values, and what is in no block.
constexpr double kTableOverhead = 0.25;

class DBSizesTest : public DBTest {
 protected:
  DBSizesTest() {
    options_.zstd_level = 0;  // so that true sizes are known
    options_.bloom_bits_per_key = 2;
  }

  // Writes a key that has no version yet.
  void PutNew(const std::string& key, size_t value_bytes) {
    Put(key, std::string(value_bytes, 'v'));
    sizes_[key] = key.size() + kInternalKeyTrailerBytes + value_bytes;
    largest_ = std::max(largest_, sizes_[key] + kLengthsBytes);
  }

  uint64_t SizeOf(const KeyRange& range) {
    const uint64_t reads = disk_.reads();
    const auto size = db_->ApproximateSize(0, range);
    EXPECT_TRUE(size.ok()) << size.status();
    EXPECT_EQ(disk_.reads(), reads);
    return *size;
  }
  std::optional<std::string> MiddleOf(const KeyRange& range) {
    const uint64_t reads = disk_.reads();
    auto key = db_->MiddleKey(0, range);
    EXPECT_TRUE(key.ok()) << key.status();
    EXPECT_EQ(disk_.reads(), reads);
    return *std::move(key);
  }

  // Of internal keys and values alone.
  uint64_t TrueSizeOf(const KeyRange& range) const {
    uint64_t bytes = 0;
    for (const auto& [key, size] : sizes_) {
      if ((!range.lower || key >= *range.lower) && (!range.upper || key < *range.upper)) {
        bytes += size;
      }
    }
    return bytes;
  }

  // Memtables, tables of level 0, and deeper levels that hold anything.
  uint64_t Runs() {
    const Statistics statistics = db_->GetStatistics();
    uint64_t runs = 1 + statistics.immutable_memtables + statistics.levels[0][0].tables;
    for (size_t level = 1; level < statistics.levels[0].size(); ++level) {
      runs += statistics.levels[0][level].tables > 0;
    }
    return runs;
  }

  uint64_t BlockBytes() const { return options_.block_bytes + largest_; }

  // Fails unless the contract's bounds hold.
  void CheckSize(const KeyRange& range) {
    const auto size = static_cast<double>(SizeOf(range));
    const auto truth = static_cast<double>(TrueSizeOf(range));
    const auto ends = static_cast<double>(2 * Runs() * BlockBytes());
    EXPECT_GE(size, truth * 0.8 - ends);  // prefix compression of keys
    EXPECT_LE(size, truth * (1 + kTableOverhead) + ends);
  }
  void CheckMiddle(const KeyRange& range) {
    const uint64_t truth = TrueSizeOf(range);
    const uint64_t bound = 3 * Runs() * (BlockBytes() + truth / 1000);
    const auto middle = MiddleOf(range);
    if (!middle) {
      EXPECT_LE(truth, 2 * bound);
      return;
    }
    EXPECT_GT(*middle, range.lower.value_or(""));
    EXPECT_TRUE(!range.upper || *middle < *range.upper) << *middle;
    const auto part = static_cast<int64_t>(TrueSizeOf({.lower = range.lower, .upper = *middle}));
    EXPECT_LE(std::abs(part - static_cast<int64_t>(truth / 2)), static_cast<int64_t>(bound))
        << "of " << truth << " bytes, " << part << " come before " << *middle;
  }

  std::map<std::string, uint64_t> sizes_;  // by key
  uint64_t largest_ = 0;                   // entry
};

TEST_F(DBSizesTest, OfNothingIsNothing) {
  Open();
  EXPECT_EQ(SizeOf({}), 0u);
  EXPECT_EQ(MiddleOf({}), std::nullopt);
  PutNew("k", 10);
  EXPECT_EQ(SizeOf({.lower = "l"}), 0u);
  EXPECT_EQ(SizeOf({.upper = "k"}), 0u);
  EXPECT_EQ(SizeOf({.lower = "z", .upper = "a"}), 0u);
  EXPECT_EQ(MiddleOf({.lower = "z", .upper = "a"}), std::nullopt);
  EXPECT_EQ(MiddleOf({.lower = "k"}), std::nullopt);  // no key is strictly inside
  EXPECT_EQ(db_->ApproximateSize(7, {}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(db_->MiddleKey(7, {}).status().code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(db_->Close(), absl::OkStatus());
  EXPECT_EQ(db_->ApproximateSize(0, {}).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(db_->MiddleKey(0, {}).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(DBSizesTest, OfMemtablesIsThatOfKeysAndValues) {
  options_.memtable_bytes = 1 << 20;
  Open();
  for (int i = 0; i < 100; ++i) PutNew(Key(i), 92);
  constexpr uint64_t kEntry = 9 + 8 + 92;
  EXPECT_EQ(SizeOf({}), 100 * kEntry);
  EXPECT_EQ(SizeOf({.lower = Key(10), .upper = Key(20)}), 10 * kEntry);
  EXPECT_EQ(MiddleOf({}), Key(49));  // up to which there are 50
  EXPECT_EQ(MiddleOf({.lower = Key(10), .upper = Key(20)}), Key(14));
  EXPECT_EQ(MiddleOf({.lower = Key(10), .upper = Key(11)}), std::nullopt);
  EXPECT_EQ(db_->ApproximateSize(1, {}).value(), 0u);
}

TEST_F(DBSizesTest, CountMemtablesThatWaitForTheirFlush) {
  Open();
  uint64_t expected = 0;
  for (int i = 0; db_->GetStatistics().immutable_memtables == 0; ++i) {
    PutNew(Key(i), 92);
    expected += sizes_[Key(i)];
  }
  EXPECT_EQ(SizeOf({}), expected);
  EXPECT_EQ(SizeOf({.lower = Key(1)}), expected - sizes_[Key(0)]);
}

TEST_F(DBSizesTest, OfEverythingIsThatOfTheFiles) {
  Open();
  for (int i = 0; i < 1000; ++i) PutNew(Key(i), i % 300);
  Flush();
  background_.RunUntilIdle();
  uint64_t files = 0;
  const Statistics statistics = db_->GetStatistics();
  for (const LevelStatistics& level : statistics.levels[0]) files += level.bytes;
  EXPECT_EQ(SizeOf({}), files);
  EXPECT_EQ(SizeOf({.lower = "", .upper = "z"}), files);
}

TEST_F(DBSizesTest, OfASortedDatabaseIsOffByABlockAtMost) {
  Open();
  for (int i = 0; i < 3000; ++i) PutNew(Key(i), 40);
  CompactAll();
  const std::string middle = *MiddleOf({});
  const auto distance = static_cast<int64_t>(TrueSizeOf({.upper = middle})) -
                        static_cast<int64_t>(TrueSizeOf({}) / 2);
  // The index of one table is in the one part, that of another in the other.
  EXPECT_LE(std::abs(distance), static_cast<int64_t>(3 * BlockBytes()));
  const uint64_t all = SizeOf({});
  for (int i = 0; i < 3000; i += 37) {
    EXPECT_EQ(SizeOf({.upper = Key(i)}) + SizeOf({.lower = Key(i)}), all);
    CheckSize({.upper = Key(i)});
    CheckSize({.lower = Key(i)});
  }
}

// Random keys of random sizes in all levels and in memory, much of it in one place.
TEST_F(DBSizesTest, KeepTheirBoundsForAnyRange) {
  Open();
  Random random(3);
  for (int i = 0; i < 4000; ++i) {
    const uint64_t key = random.OneIn(3) ? random.Uniform(100'000) : 50'000 + random.Uniform(2'000);
    if (sizes_.contains(Key(key))) continue;
    PutNew(Key(key), random.OneIn(20) ? random.Uniform(1500) : random.Uniform(100));
    if (i % 40 != 0) continue;
    const std::string a = Key(random.Uniform(100'000));
    const std::string b = Key(random.Uniform(100'000));
    const std::string crowd_begin = Key(50'000), crowd_end = Key(52'000);
    for (const KeyRange& range :
         {KeyRange{}, KeyRange{.lower = a}, KeyRange{.upper = a},
          KeyRange{std::min(a, b), std::max(a, b)}, KeyRange{crowd_begin, crowd_end}}) {
      CheckSize(range);
      CheckMiddle(range);
    }
  }
  EXPECT_GT(Runs(), 3u);
}

TEST_F(DBSizesTest, MiddleOfManyVersionsOfOneKeyIsInsideOrNothing) {
  Open();
  for (int i = 0; i < 500; ++i) {
    const auto snapshot = db_->NewSnapshot();  // for as long as the next version is not there
    Put("k", std::string(50, 'v'));
  }
  EXPECT_EQ(MiddleOf({}), "k");
  EXPECT_EQ(MiddleOf({.lower = "k"}), std::nullopt);
  EXPECT_EQ(MiddleOf({.upper = "k"}), std::nullopt);
}

}  // namespace
}  // namespace tinykv::lsm
