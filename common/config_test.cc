#include "common/config.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "common/status.h"
#include "common/text_test_util.h"

namespace tinykv {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    config_.Add("name", &name_, "A name.", OneOf({"red", "green"}));
    config_.Add("fast", &fast_, "Whether it is fast.");
    config_.AddCount("count", &count_, {1, 100}, "A count.");
    config_.AddSize("size", &size_, {1 << 10, 1 << 30}, "A size.");
    config_.AddDuration("time", &time_, {milliseconds(1), hours(2)}, "A time.");
  }

  // The message of the error, or "OK".
  std::string Set(std::string_view key, std::string_view text) {
    const absl::Status status = config_.Find(key)->set(text);
    return status.ok() ? "OK" : std::string(MessageOf(status));
  }

  Config config_;
  std::string name_ = "red";
  bool fast_ = true;
  uint64_t count_ = 5;
  uint64_t size_ = 64 << 10;
  Duration time_ = seconds(90);
};

TEST_F(ConfigTest, TakesDefaultsFromTheFields) {
  EXPECT_EQ(config_.Find("name")->default_text, "red");
  EXPECT_EQ(config_.Find("fast")->default_text, "true");
  EXPECT_EQ(config_.Find("count")->default_text, "5");
  EXPECT_EQ(config_.Find("size")->default_text, "64KiB");
  EXPECT_EQ(config_.Find("time")->default_text, "90s");
  EXPECT_EQ(config_.Find("none"), nullptr);
}

TEST_F(ConfigTest, SetsFieldsFromText) {
  EXPECT_EQ(Set("name", "green"), "OK");
  EXPECT_EQ(Set("fast", "false"), "OK");
  EXPECT_EQ(Set("count", "100"), "OK");
  EXPECT_EQ(Set("size", "3MiB"), "OK");
  EXPECT_EQ(Set("time", "250ms"), "OK");
  EXPECT_EQ(name_, "green");
  EXPECT_FALSE(fast_);
  EXPECT_EQ(count_, 100u);
  EXPECT_EQ(size_, 3u << 20);
  EXPECT_EQ(time_, milliseconds(250));
}

TEST_F(ConfigTest, TakesEveryUnit) {
  EXPECT_EQ(Set("size", "2000"), "OK");
  EXPECT_EQ(size_, 2000u);
  EXPECT_EQ(Set("size", "2KiB"), "OK");
  EXPECT_EQ(size_, 2048u);
  EXPECT_EQ(Set("size", "1GiB"), "OK");
  EXPECT_EQ(size_, 1u << 30);
  EXPECT_EQ(Set("time", "3s"), "OK");
  EXPECT_EQ(time_, seconds(3));
  EXPECT_EQ(Set("time", "2m"), "OK");
  EXPECT_EQ(time_, seconds(120));
  EXPECT_EQ(Set("time", "2h"), "OK");
  EXPECT_EQ(time_, hours(2));
}

TEST_F(ConfigTest, SaysWhatWouldBeRight) {
  EXPECT_EQ(Set("name", "blue"), "\"blue\" is not one of red, green");
  EXPECT_EQ(Set("fast", "yes"), "\"yes\" is neither true nor false");
  EXPECT_EQ(Set("count", "0"), "0 is out of range; it must be from 1 to 100");
  EXPECT_EQ(Set("count", "1k"), "\"1k\" is not a number; write digits only");
  EXPECT_EQ(Set("size", "1"), "1 is out of range; it must be from 1KiB to 1GiB");
  EXPECT_EQ(Set("size", "64MB"),
            "\"64MB\" is not a size; write a number of bytes, or one with KiB, MiB or GiB as in "
            "\"64MiB\"");
  EXPECT_EQ(Set("time", "3h"), "3h is out of range; it must be from 1ms to 2h");
  EXPECT_EQ(Set("time", "5"),
            "\"5\" is not a time; write a number with ms, s, m or h as in \"5s\"");
}

TEST_F(ConfigTest, RefusesWhatIsNoNumber) {
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x10", "1.5", "1e3", "MiB",
                           "99999999999999999999", "17179869184GiB", "18446744073709551615KiB"}) {
    EXPECT_NE(Set("count", text), "OK") << text;
    EXPECT_NE(Set("size", text), "OK") << text;
    EXPECT_NE(Set("time", text), "OK") << text;
  }
  EXPECT_NE(Set("time", "9223372036855s"), "OK");  // more nanoseconds than a Duration holds
}

TEST_F(ConfigTest, LeavesTheFieldAloneOnAnError) {
  EXPECT_NE(Set("count", "101"), "OK");
  EXPECT_NE(Set("name", "blue"), "OK");
  EXPECT_EQ(count_, 5u);
  EXPECT_EQ(name_, "red");
}

TEST(FormatSize, UsesTheLargestUnitThatLeavesAWholeNumber) {
  EXPECT_EQ(FormatSize(0), "0");
  EXPECT_EQ(FormatSize(1023), "1023");
  EXPECT_EQ(FormatSize(1024), "1KiB");
  EXPECT_EQ(FormatSize(1536 << 10), "1536KiB");
  EXPECT_EQ(FormatSize(uint64_t{5} << 30), "5GiB");
}

TEST(FormatDuration, UsesTheLargestUnitThatLeavesAWholeNumber) {
  EXPECT_EQ(FormatDuration(Duration::zero()), "0ms");
  EXPECT_EQ(FormatDuration(milliseconds(1500)), "1500ms");
  EXPECT_EQ(FormatDuration(seconds(60)), "1m");
  EXPECT_EQ(FormatDuration(hours(48)), "48h");
}

TEST(DidYouMean, NamesTheNearestOrNothing) {
  const std::vector<std::string> names = {"listen", "limits.key_bytes", "limits.value_bytes"};
  EXPECT_EQ(DidYouMean("lisen", names), "; did you mean \"listen\"?");
  EXPECT_EQ(DidYouMean("limit.key_bytes", names), "; did you mean \"limits.key_bytes\"?");
  EXPECT_EQ(DidYouMean("limits.value_byte", names), "; did you mean \"limits.value_bytes\"?");
  EXPECT_EQ(DidYouMean("colour", names), "");
  EXPECT_EQ(DidYouMean("x", {}), "");
}

}  // namespace
}  // namespace tinykv
