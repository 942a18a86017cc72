#include "common/client/ctl/text_format.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "common/status.h"

namespace tinykv::ctl {
namespace {

TEST(BytesOfText, UnderstandsEscapesOrTakesTextAsItStands) {
  EXPECT_EQ(*BytesOfText("a\\x00\\tb\\\\", TextForm::kEscaped), std::string("a\0\tb\\", 5));
  EXPECT_EQ(*BytesOfText("a\\x00", TextForm::kLiteral), "a\\x00");
  EXPECT_EQ(*BytesOfText("é", TextForm::kEscaped), "é");
}

TEST(BytesOfText, RefusesBadEscapes) {
  for (const char* text : {"\\", "\\x", "\\x0", "\\xg0", "\\q"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(BytesOfText(text, TextForm::kEscaped).status())) << text;
  }
}

TEST(ParseTsvLine, ReadsAKeyAndAValue) {
  EXPECT_EQ(*ParseTsvLine("a\\tb\tc\\nd"), (KeyValue{"a\tb", "c\nd"}));
  EXPECT_EQ(*ParseTsvLine("k\t"), (KeyValue{"k", ""}));
}

TEST(ParseTsvLine, SaysWhatIsWrong) {
  const auto error = [](std::string_view line) {
    return std::string(ParseTsvLine(line).status().message());
  };
  EXPECT_EQ(error(""), "no tab between key and value: \"\"");
  EXPECT_EQ(error("key value"), "no tab between key and value: \"key value\"");
  EXPECT_EQ(error("a\tb\tc").find("more than one tab"), 0u);
  EXPECT_NE(error("a\\\tb").find("bad escape"), std::string::npos);
  EXPECT_NE(error("a\tb\\xf").find("bad escape"), std::string::npos);
}

RC_GTEST_PROP(TsvLine, IsReadBackWhateverTheBytes,
              (const std::string& key, const std::string& value)) {
  const std::string line = TsvLine({key, value});
  RC_ASSERT(line.ends_with('\n'));
  RC_ASSERT(std::all_of(line.begin(), line.end() - 1,
                        [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); }));
  const auto pair = ParseTsvLine(std::string_view(line).substr(0, line.size() - 1));
  RC_ASSERT(pair.ok());
  RC_ASSERT(*pair == (KeyValue{key, value}));
}

}  // namespace
}  // namespace tinykv::ctl
