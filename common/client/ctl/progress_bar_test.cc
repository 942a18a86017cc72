#include "common/client/ctl/progress_bar.h"

#include <gtest/gtest.h>

#include <sstream>

namespace tinykv::ctl {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ProgressLine, HasABarAndAnEstimateWhenTheTotalIsKnown) {
  EXPECT_EQ(ProgressLine({.label = "load",
                          .records = 12'000,
                          .bytes = 3'800'000,
                          .bytes_total = 10'000'000,
                          .elapsed = seconds(3)},
                         100),
            "load  [=======>            ]  38%  12,000 records  4,000/s  1.3 MB/s  ETA 0:04");
}

TEST(ProgressLine, HasTheTimeSpentWhenItIsNot) {
  EXPECT_EQ(ProgressLine(
                {.label = "dump", .records = 1'500, .bytes = 45'000, .elapsed = seconds(75)}, 100),
            "dump  1,500 records  20/s  600 B/s  1:15");
}

TEST(ProgressLine, StandsTheBeginningAndTheEnd) {
  EXPECT_EQ(ProgressLine({.label = "load", .bytes_total = 10}, 100),
            "load  [>                   ]   0%  0 records  0/s  0 B/s  ");
  EXPECT_EQ(
      ProgressLine({.label = "load", .bytes = 12, .bytes_total = 10, .elapsed = seconds(1)}, 100),
      "load  [====================] 100%  0 records  0/s  12 B/s  ETA 0:00");
}

TEST(ProgressLine, IsCutToTheTerminal) {
  EXPECT_EQ(ProgressLine({.label = "load", .bytes_total = 10}, 10), "load  [>  ");
}

TEST(WithThousands, SetsCommas) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1'000), "1,000");
  EXPECT_EQ(WithThousands(12'345'678), "12,345,678");
}

TEST(BytesText, PicksTheUnit) {
  EXPECT_EQ(BytesText(0), "0 B");
  EXPECT_EQ(BytesText(999), "999 B");
  EXPECT_EQ(BytesText(999.7), "1.0 kB");
  EXPECT_EQ(BytesText(1'250'000), "1.2 MB");
  EXPECT_EQ(BytesText(250e9), "250 GB");
  EXPECT_EQ(BytesText(5e18), "5000000 TB");
}

class HandClock final : public Clock {
 public:
  Duration Now() const override { return now; }
  int64_t UnixMillis() const override { return 0; }

  Duration now = seconds(100);
};

TEST(ProgressBar, DrawsNowAndThenAndErasesItself) {
  HandClock clock;
  std::ostringstream terminal;
  {
    ProgressBar bar("dump", terminal, clock, true);
    bar.Update(1, 10);
    bar.Update(2, 20);
    clock.now += milliseconds(100);
    bar.Update(3, 30);
  }
  EXPECT_EQ(terminal.str(),
            "\rdump  1 records  0/s  0 B/s  0:00\x1b[K"
            "\rdump  3 records  30/s  300 B/s  0:00\x1b[K"
            "\r\x1b[K");
}

TEST(ProgressBar, IsSilentWithoutATerminal) {
  HandClock clock;
  std::ostringstream terminal;
  { ProgressBar("dump", terminal, clock, false).Update(1, 10); }
  EXPECT_EQ(terminal.str(), "");
}

}  // namespace
}  // namespace tinykv::ctl
