#include "common/random.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

namespace tinykv {
namespace {

// A seed in a bug report must mean the same run on every machine, for ever. The numbers are those
// of the authors' C code: https://prng.di.unimi.it/xoshiro256starstar.c and splitmix64.c.
TEST(Random, GivesTheSameNumbersEverywhere) {
  Random random(42);
  for (const uint64_t expected :
       std::vector<uint64_t>{0x15780b2e0c2ec716, 0x6104d9866d113a7e, 0xae17533239e499a1,
                             0xecb8ad4703b360a1, 0xfde6dc7fe2ec5e64}) {
    EXPECT_EQ(random.Next(), expected);
  }
}

TEST(Random, GivesTheSameChoicesEverywhere) {
  Random random(7);
  std::vector<uint64_t> uniform;
  for (int i = 0; i < 10; ++i) uniform.push_back(random.Uniform(100));
  EXPECT_EQ(uniform, (std::vector<uint64_t>{94, 74, 38, 64, 64, 21, 16, 96, 8, 19}));

  std::vector<int> items(10);
  std::iota(items.begin(), items.end(), 0);
  random.Shuffle(items);
  EXPECT_EQ(items, (std::vector<int>{2, 8, 5, 4, 6, 0, 9, 1, 7, 3}));
}

RC_GTEST_PROP(Random, StaysInsideItsBounds, (uint64_t seed, uint64_t a, uint64_t b)) {
  Random random(seed);
  const auto [low, high] = std::minmax(a, b);
  const uint64_t between = random.Between(low, high);
  RC_ASSERT(low <= between && between <= high);
  if (high > 0) RC_ASSERT(random.Uniform(high) < high);
}

TEST(Random, ReachesEveryValueAboutEquallyOften) {
  Random random(1);
  std::vector<int> counts(10);
  for (int i = 0; i < 100'000; ++i) ++counts[random.Uniform(10)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
  EXPECT_EQ(random.Between(3, 3), 3u);
}

TEST(Random, PercentAndOneInMeanWhatTheySay) {
  Random random(1);
  int percent = 0, one_in = 0;
  for (int i = 0; i < 100'000; ++i) {
    percent += random.Percent(30);
    one_in += random.OneIn(20);
    EXPECT_FALSE(random.Percent(0));
    EXPECT_TRUE(random.Percent(100));
  }
  EXPECT_NEAR(percent, 30'000, 1'000);
  EXPECT_NEAR(one_in, 5'000, 500);
}

TEST(Random, ForkIsIndependentOfLaterDraws) {
  Random a(5), b(5);
  Random fork_a = a.Fork(), fork_b = b.Fork();
  a.Next();
  EXPECT_EQ(fork_a.Next(), fork_b.Next());
  EXPECT_NE(fork_a.Next(), b.Next());
}

}  // namespace
}  // namespace tinykv
