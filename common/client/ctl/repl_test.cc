#include "common/client/ctl/repl.h"

#include <gtest/gtest.h>

#include "common/status.h"

namespace tinykv::ctl {
namespace {

using Words = std::vector<std::string>;

TEST(SplitLine, SplitsAtBlanksOutsideQuotes) {
  EXPECT_EQ(*SplitLine(""), Words());
  EXPECT_EQ(*SplitLine(" \t "), Words());
  EXPECT_EQ(*SplitLine("put a b\r"), (Words{"put", "a", "b"}));
  EXPECT_EQ(*SplitLine("put  \"two words\"\t\"\""), (Words{"put", "two words", ""}));
  EXPECT_EQ(*SplitLine("a\"b c\"d"), (Words{"ab cd"}));
}

TEST(SplitLine, LeavesEscapesToWhoReadsTheWords) {
  EXPECT_EQ(*SplitLine("put \\x00 \\\\"), (Words{"put", "\\x00", "\\\\"}));
  EXPECT_EQ(*SplitLine("\"say \\\"hi\\\"\" x"), (Words{"say \\\"hi\\\"", "x"}));
  EXPECT_EQ(*SplitLine("a\\"), (Words{"a\\"}));
}

TEST(SplitLine, WantsQuotesClosed) {
  EXPECT_TRUE(absl::IsInvalidArgument(SplitLine("put \"a").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(SplitLine("put \"a\\\"").status()));
}

TEST(ReplWords, AreAllCommands) {
  EXPECT_EQ(ReplWords(), (Words{"backup", "cluster", "delete", "dump", "exit", "get", "help",
                                "load", "put", "quit", "scan"}));
}

}  // namespace
}  // namespace tinykv::ctl
