#include "stage2-raftkv/raft/options.h"

#include <gtest/gtest.h>

#include "common/status.h"

namespace tinykv::raft {
namespace {

using std::chrono::milliseconds;

const RaftOptions kWithLease = {
    .id = 1, .check_quorum = true, .lease = LeaseOptions{.tick_interval = milliseconds(100)}};

void ExpectRefused(const RaftOptions& options, std::string_view name) {
  const absl::Status status = Validate(options);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
  EXPECT_NE(MessageOf(status).find(name), std::string_view::npos) << status;
}

TEST(RaftOptions, AreFineWithAnIdAndNothingElse) {
  EXPECT_TRUE(Validate({.id = 1}).ok());
  EXPECT_TRUE(Validate(kWithLease).ok()) << Validate(kWithLease);
}

TEST(RaftOptions, EachThatIsWrongIsNamed) {
  ExpectRefused({}, "id is 0");
  ExpectRefused({.id = 1, .heartbeat_ticks = 0}, "heartbeat_ticks");
  ExpectRefused({.id = 1, .election_ticks = 3, .heartbeat_ticks = 3}, "election_ticks is 3");
  ExpectRefused({.id = 1, .flow = {.in_flight_messages_max = 0}}, "in_flight_messages_max");
  ExpectRefused({.id = 1, .snapshot_ticks_max = 0}, "snapshot_ticks_max");
}

TEST(RaftOptions, ALeaseRestsOnCheckQuorumAndABoundOnDrift) {
  RaftOptions options = kWithLease;
  options.check_quorum = false;
  ExpectRefused(options, "check_quorum");
  options = kWithLease;
  options.lease->clock_drift_percent = 100;
  ExpectRefused(options, "clock_drift_percent is 100");
  options = kWithLease;
  options.lease->tick_interval = Duration::zero();
  ExpectRefused(options, "tick_interval");
}

TEST(LeaseDuration, IsOneTickLessThanAnElectionTakesAtLeast) {
  EXPECT_EQ(LeaseDuration({.tick_interval = milliseconds(100), .clock_drift_percent = 0}, 10),
            milliseconds(900));
  EXPECT_EQ(LeaseDuration({.tick_interval = milliseconds(100), .clock_drift_percent = 0}, 1),
            milliseconds(0));
}

// A follower whose clock is fast lives through its ticks in less true time; by a leader's slow
// clock, the same true time looks shorter still.
TEST(LeaseDuration, IsNeverLongerThanTheWorstClocksAllow) {
  for (const uint32_t drift : {0, 1, 5, 10, 50, 99}) {
    for (const uint32_t election_ticks : {2, 3, 10, 100}) {
      const LeaseOptions lease{.tick_interval = milliseconds(100), .clock_drift_percent = drift};
      const double follower_shelters =
          1e8 * (election_ticks - 1) / (1 + drift / 100.0);  // true time, nanoseconds
      const double by_leader = follower_shelters * (1 - drift / 100.0);
      const auto length = static_cast<double>(LeaseDuration(lease, election_ticks).count());
      EXPECT_LE(length, by_leader + 1e-3);
      EXPECT_GT(length, by_leader - 1000);  // and no shorter than that, but for rounding
    }
  }
}

}  // namespace
}  // namespace tinykv::raft
