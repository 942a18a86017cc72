#include "graders/soak/soak_values.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "common/status.h"

namespace tinykv::soak {
namespace {

constexpr uint32_t kBytesMax = 2000;

std::string WhyNot(const absl::StatusOr<uint64_t>& parsed) {
  return parsed.ok() ? "it is right" : std::string(MessageOf(parsed.status()));
}

TEST(SoakKeys, AreParsedBackAndInOrder) {
  EXPECT_EQ(ParseKey(KeyOf(0)), 0u);
  EXPECT_EQ(ParseKey(KeyOf(1234)), 1234u);
  EXPECT_LT(KeyOf(99), KeyOf(100));
  EXPECT_FALSE(ParseKey("soak-").has_value());
  EXPECT_FALSE(ParseKey("soak-0000000x").has_value());
  EXPECT_FALSE(ParseKey("sock-00000001").has_value());
}

TEST(SoakValues, AreParsedBack) {
  size_t shortest = kBytesMax;
  size_t longest = 0;
  for (uint64_t sequence = 1; sequence < 1000; ++sequence) {
    const std::string value = ValueOf(3, sequence, kBytesMax);
    shortest = std::min(shortest, value.size());
    longest = std::max(longest, value.size());
    const auto parsed = ParseValue(3, value, kBytesMax);
    ASSERT_TRUE(parsed.ok()) << WhyNot(parsed);
    EXPECT_EQ(*parsed, sequence);
  }
  EXPECT_LT(shortest, 150u);
  EXPECT_GE(shortest, 100u);
  EXPECT_GT(longest, 1500u);
  EXPECT_LE(longest, kBytesMax);
}

TEST(SoakValues, DamageIsFound) {
  std::string value = ValueOf(3, 5, kBytesMax);
  value[50] ^= 1;
  EXPECT_EQ(WhyNot(ParseValue(3, value, kBytesMax)), "write 5 with a wrong byte at 50");
  value = ValueOf(3, 5, kBytesMax);
  value.pop_back();
  EXPECT_NE(WhyNot(ParseValue(3, value, kBytesMax)).find("bytes instead of"), std::string::npos);
  EXPECT_EQ(WhyNot(ParseValue(4, ValueOf(3, 5, kBytesMax), kBytesMax)),
            "the value of write 5 to another key, 3");
  EXPECT_NE(WhyNot(ParseValue(3, "rubbish", kBytesMax)).find("nobody wrote"), std::string::npos);
  EXPECT_NE(WhyNot(ParseValue(3, "a b c", kBytesMax)).find("nobody wrote"), std::string::npos);
  EXPECT_NE(WhyNot(ParseValue(3, "", kBytesMax)).find("nobody wrote"), std::string::npos);
}

}  // namespace
}  // namespace tinykv::soak
