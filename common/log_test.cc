#include "common/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>

#include "common/status.h"

namespace tinykv::log {
namespace {

constexpr std::string_view kTimeShape = "0000-00-00T00:00:00.000Z ";

std::string WithoutTime(const std::string& line) {
  std::string head = line.substr(0, kTimeShape.size());
  std::replace_if(
      head.begin(), head.end(), [](char c) { return c >= '0' && c <= '9'; }, '0');
  EXPECT_EQ(head, kTimeShape) << line;
  return line.substr(head.size());
}

// Each test starts with the default level and no LOG_LEVEL.
class Log : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("LOG_LEVEL");
    SetLevel(Level::kInfo);
  }
  void TearDown() override { SetUp(); }

  // What `write` put on standard error, without the time that a line starts with.
  template <typename Function>
  static std::string Capture(Function write) {
    testing::internal::CaptureStderr();
    write();
    std::istringstream lines(testing::internal::GetCapturedStderr());
    std::string text;
    for (std::string line; std::getline(lines, line);) text += WithoutTime(line) + "\n";
    return text;
  }
};

TEST_F(Log, WritesOneLineAnEventWithItsFields) {
  const std::string text = Capture([] {
    Info("server started", {{"address", "127.0.0.1:20160"}, {"stage", 1}});
    Warning("slow", {{"seconds", 1.5}, {"delta", int64_t{-2}}, {"bytes", uint64_t{3}}});
    Error("stopped", {{"clean", false}, {"status", Internal("disk")}, {"ok", absl::OkStatus()}});
  });
  EXPECT_EQ(text,
            "info server started address=127.0.0.1:20160 stage=1\n"
            "warning slow seconds=1.5 delta=-2 bytes=3\n"
            "error stopped clean=false status=disk ok=OK\n");
}

TEST_F(Log, QuotesWhatCouldBeMistakenForSomethingElse) {
  const std::string text = Capture([] {
    Info("e", {{"a", "two words"}, {"b", ""}, {"c", "x\ninfo forged"}, {"d", "say \"=\""}});
    Info("e", {{"a", std::string_view("\0\xff", 2)}, {"b", "back\\slash"}, {"c", "{} %v"}});
  });
  EXPECT_EQ(text, R"(info e a="two words" b="" c="x\x0ainfo forged" d="say \"=\"")"
                  "\n"
                  R"(info e a="\x00\xff" b="back\\slash" c="{} %v")"
                  "\n");
}

TEST_F(Log, LeavesOutWhatIsBelowItsLevel) {
  const auto write_all = [] {
    Debug("d");
    Info("i");
    Warning("w");
    Error("e");
  };
  EXPECT_EQ(Capture(write_all), "info i\nwarning w\nerror e\n");
  SetLevel(Level::kDebug);
  EXPECT_EQ(Capture(write_all), "debug d\ninfo i\nwarning w\nerror e\n");
  SetLevel(Level::kError);
  EXPECT_FALSE(Enabled(Level::kWarning));
  EXPECT_EQ(Capture(write_all), "error e\n");
  SetLevel(Level::kOff);
  EXPECT_EQ(Capture(write_all), "");
}

TEST_F(Log, TakesItsLevelByNameOrFromTheEnvironment) {
  ASSERT_TRUE(SetLevel("error").ok());
  EXPECT_FALSE(Enabled(Level::kWarning));
  ASSERT_TRUE(SetLevelFromEnvironment().ok());  // not set: nothing changes
  EXPECT_FALSE(Enabled(Level::kWarning));
  setenv("LOG_LEVEL", "debug", 1);
  ASSERT_TRUE(SetLevelFromEnvironment().ok());
  EXPECT_TRUE(Enabled(Level::kDebug));
}

TEST_F(Log, RefusesAnUnknownLevelAndNamesTheValidOnes) {
  setenv("LOG_LEVEL", "loud", 1);
  const absl::Status status = SetLevelFromEnvironment();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(MessageOf(status),
            "LOG_LEVEL: log level \"loud\" is unknown; it must be debug, info, warning, error or "
            "off");
  EXPECT_TRUE(Enabled(Level::kInfo));
}

}  // namespace
}  // namespace tinykv::log
