#include "common/strings.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace tinykv {
namespace {

TEST(Concat, TakesStringsCharactersAndNumbers) {
  EXPECT_EQ(Concat("a", std::string("b"), std::string_view("c"), 'd', -1, uint64_t{18}),
            "abcd-118");
  EXPECT_EQ(Concat(), "");
}

TEST(Escape, LeavesPrintableTextAlone) { EXPECT_EQ(Escape("a key~ \"1\""), "a key~ \"1\""); }

TEST(Escape, ShowsEveryOtherByte) {
  EXPECT_EQ(Escape(std::string_view("\0\n\\\x7f\xff", 5)), R"(\x00\x0a\\\x7f\xff)");
}

RC_GTEST_PROP(Escape, IsAsciiThatUnescapeUndoes, (const std::string& bytes)) {
  const std::string text = Escape(bytes);
  RC_ASSERT(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }));
  std::string back;
  RC_ASSERT(Unescape(text, &back));
  RC_ASSERT(back == bytes);
}

TEST(Unescape, KnowsTheUsualLetters) {
  std::string bytes;
  ASSERT_TRUE(Unescape(R"(\n\r\t\0\"\\\xAb)", &bytes));
  EXPECT_EQ(bytes, std::string("\n\r\t\0\"\\\xab", 7));
}

TEST(Unescape, RefusesWhatIsCutOffOrUnknown) {
  std::string bytes;
  for (const char* text : {"\\", "a\\x", "a\\x1", "\\xg0", "\\x0g", "\\q"}) {
    EXPECT_FALSE(Unescape(text, &bytes)) << text;
  }
}

TEST(Quote, CutsLongKeysAndTellsTheirLength) {
  EXPECT_EQ(Quote("k\x01"), R"("k\x01")");
  EXPECT_EQ(Quote("abcdef", 3), "\"abc…\" (6 bytes)");
}

}  // namespace
}  // namespace tinykv
