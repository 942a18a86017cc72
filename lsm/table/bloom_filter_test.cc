#include "lsm/table/bloom_filter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tinykv::lsm {
namespace {

// The part of absent keys that a filter over `keys` keys lets pass.
double FalsePositiveRate(int keys, int bits_per_key) {
  BloomFilterBuilder builder;
  for (int i = 0; i < keys; ++i) builder.Add("present" + std::to_string(i));
  BloomFilter filter;
  EXPECT_TRUE(filter.Decode(builder.Finish(bits_per_key)));
  constexpr int kQuestions = 100000;
  int passed = 0;
  for (int i = 0; i < kQuestions; ++i) passed += filter.MayContain("absent" + std::to_string(i));
  return static_cast<double>(passed) / kQuestions;
}

RC_GTEST_PROP(BloomFilter, NeverDeniesAKeyItHolds, (const std::vector<std::string>& keys)) {
  RC_PRE(!keys.empty());
  BloomFilterBuilder builder;
  for (const std::string& key : keys) builder.Add(key);
  BloomFilter filter;
  RC_ASSERT(filter.Decode(builder.Finish(*rc::gen::inRange(1, 60))));
  for (const std::string& key : keys) RC_ASSERT(filter.MayContain(key));
}

TEST(BloomFilter, LetsAboutOneAbsentKeyInAHundredPassWithTenBits) {
  EXPECT_LT(FalsePositiveRate(10000, 10), 0.015);
  EXPECT_LT(FalsePositiveRate(100, 10), 0.03);
}

TEST(BloomFilter, LetsFewerPassWithMoreBits) {
  EXPECT_LT(FalsePositiveRate(10000, 16), 0.002);
  EXPECT_LT(FalsePositiveRate(10000, 5), 0.15);
}

TEST(BloomFilter, LetsEverythingPassWithoutBits) {
  EXPECT_TRUE(BloomFilter().MayContain("anything"));
}

TEST(BloomFilter, CountsVersionsOfOneKeyOnce) {
  BloomFilterBuilder once, often;
  once.Add("key");
  for (int i = 0; i < 1000; ++i) often.Add("key");
  EXPECT_EQ(once.Finish(10), often.Finish(10));
}

TEST(BloomFilter, RefusesBytesThatAreNoFilter) {
  BloomFilter filter;
  EXPECT_FALSE(filter.Decode(""));
  EXPECT_FALSE(filter.Decode("\x06"));
  EXPECT_FALSE(filter.Decode(std::string(64, '\x06')));
  EXPECT_FALSE(filter.Decode(std::string(66, '\x06')));
  EXPECT_FALSE(filter.Decode(std::string(65, '\0')));
  EXPECT_FALSE(filter.Decode(std::string(65, '\xff')));
  EXPECT_TRUE(filter.MayContain("anything"));
}

}  // namespace
}  // namespace tinykv::lsm
