#include "graders/soak/counters.h"

#include <gtest/gtest.h>

#include "common/status.h"
#include "common/storage/region_error.h"

namespace tinykv::soak {
namespace {

using nlohmann::json;

class SetClock final : public Clock {
 public:
  Duration Now() const override { return now; }
  int64_t UnixMillis() const override { return 0; }
  Duration now = std::chrono::seconds(100);
};

TEST(Counters, CountCallsByKindAndOutcome) {
  SetClock clock;
  Counters counters(clock);
  counters.Call("put", true, absl::OkStatus());
  counters.Call("get", false, absl::OkStatus());
  counters.Call("get", false, Unavailable("nobody there"));
  counters.Call("put", true, Unavailable("nor there"));
  const json counts = counters.ToJson();
  EXPECT_EQ(counts["calls"], json({{"put", 1}, {"get", 1}}));
  EXPECT_EQ(counts["failed_calls"], json({{"put", 1}, {"get", 1}}));
  EXPECT_EQ(counts["first_failure"], "get: nobody there");
  EXPECT_EQ(counters.written(), 1u);
}

TEST(Counters, CountAttemptsByReason) {
  SetClock clock;
  Counters counters(clock);
  errorpb::Error not_leader;
  not_leader.mutable_not_leader();
  counters.FailedAttempt(RegionErrorStatus(not_leader));
  counters.FailedAttempt(ServerIsBusy("full"));
  counters.FailedAttempt(Unavailable("refused"));
  counters.FailedAttempt(Unavailable("refused"));
  EXPECT_EQ(counters.ToJson()["failed_attempts"],
            json({{"not leader", 1}, {"server is busy", 1}, {"no answer", 2}}));
}

TEST(Counters, TellTheLongestTimeWithoutAWriteAlsoAcrossPhases) {
  SetClock clock;
  Counters counters(clock);
  counters.Call("put", true, absl::OkStatus());
  clock.now += std::chrono::seconds(3);
  counters.StartPhase();
  clock.now += std::chrono::seconds(2);
  EXPECT_EQ(counters.ToJson()["longest_gap_seconds"], 5.0);
  EXPECT_EQ(counters.ToJson()["seconds"], 2.0);
  counters.Call("delete", true, absl::OkStatus());
  clock.now += std::chrono::seconds(1);
  EXPECT_EQ(counters.ToJson()["longest_gap_seconds"], 5.0);
  counters.StartPhase();
  EXPECT_EQ(counters.ToJson()["longest_gap_seconds"], 1.0);
}

TEST(Counters, OnlyWhatAStoreHasAnsweredIsOver) {
  EXPECT_TRUE(IsAnswer(absl::OkStatus()));
  EXPECT_TRUE(IsAnswer(ServerIsBusy("full")));
  EXPECT_FALSE(IsAnswer(Unavailable("refused")));
  EXPECT_FALSE(IsAnswer(DeadlineExceeded("no answer within 5 s")));
}

}  // namespace
}  // namespace tinykv::soak
