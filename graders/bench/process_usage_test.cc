#include "graders/bench/process_usage.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/status.h"

namespace tinykv::bench {
namespace {

TEST(ProcessUsage, FindsTheTimesBehindAnyName) {
  const auto ticks = CpuTicksOf("42 (a) b (c) S 1 42 42 0 -1 4194560 9 8 7 6 300 45 2 1 20 0");
  ASSERT_TRUE(ticks.ok());
  EXPECT_EQ(*ticks, 345u);
}

TEST(ProcessUsage, TakesWriteBytesAndNotWhatIsLikeIt) {
  const auto bytes = BytesWrittenOf(
      "rchar: 1\nwchar: 2\nread_bytes: 3\nwrite_bytes: 4096\ncancelled_write_bytes: 5\n");
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(*bytes, 4096u);
}

TEST(ProcessUsage, RefusesWhatIsNotThere) {
  EXPECT_TRUE(absl::IsDataLoss(CpuTicksOf("42 (a) S 1").status()));
  EXPECT_TRUE(absl::IsDataLoss(CpuTicksOf("").status()));
  EXPECT_TRUE(absl::IsDataLoss(BytesWrittenOf("wchar: 2\n").status()));
  EXPECT_TRUE(absl::IsNotFound(UsageOf({getpid(), -1}).status()));
}

TEST(ProcessUsage, GrowsWithWork) {
  const auto before = UsageOf({getpid()});
  ASSERT_TRUE(before.ok());
  auto after = before;
  while (after->cpu_seconds <= before->cpu_seconds) {
    after = UsageOf({getpid()});
    ASSERT_TRUE(after.ok());
  }
  EXPECT_GT((*after - *before).cpu_seconds, 0);
}

}  // namespace
}  // namespace tinykv::bench
