#include "stage2-raftkv/raft/heartbeat_rounds.h"

#include <gtest/gtest.h>

namespace tinykv::raft {
namespace {

using std::chrono::milliseconds;

const Membership kThree = {1, 2, 3};

TEST(HeartbeatRounds, NoneIsConfirmedBeforeAnyWasBegun) {
  const HeartbeatRounds rounds;
  EXPECT_EQ(rounds.last(), 0u);
  EXPECT_EQ(rounds.Confirmed({1}, 1), 0u);
  EXPECT_EQ(rounds.ConfirmedAt({1}, 1), std::nullopt);
}

TEST(HeartbeatRounds, AreConfirmedByAMajorityWithTheLeader) {
  HeartbeatRounds rounds;
  const uint64_t one = rounds.Begin(milliseconds(10));
  EXPECT_EQ(rounds.Confirmed(kThree, 1), 0u);
  rounds.Acknowledge(2, one);
  EXPECT_EQ(rounds.Confirmed(kThree, 1), one);
  EXPECT_EQ(rounds.ConfirmedAt(kThree, 1), milliseconds(10));
  EXPECT_EQ(rounds.Confirmed({1, 2, 3, 4}, 1), 0u);
}

TEST(HeartbeatRounds, AGroupOfOneAgreesAtOnce) {
  HeartbeatRounds rounds;
  const uint64_t one = rounds.Begin(milliseconds(10));
  EXPECT_EQ(rounds.Confirmed({1}, 1), one);
}

TEST(HeartbeatRounds, AnAnswerStandsForAllRoundsBefore) {
  HeartbeatRounds rounds;
  rounds.Begin(milliseconds(10));
  const uint64_t two = rounds.Begin(milliseconds(20));
  const uint64_t three = rounds.Begin(milliseconds(30));
  rounds.Acknowledge(2, three);
  rounds.Acknowledge(3, two);
  EXPECT_EQ(rounds.Confirmed({1, 2, 3, 4, 5}, 1), two);
  EXPECT_EQ(rounds.ConfirmedAt({1, 2, 3, 4, 5}, 1), milliseconds(20));
}

TEST(HeartbeatRounds, ALateAnswerTakesNothingBack) {
  HeartbeatRounds rounds;
  const uint64_t one = rounds.Begin(milliseconds(10));
  const uint64_t two = rounds.Begin(milliseconds(20));
  rounds.Acknowledge(2, two);
  rounds.Acknowledge(2, one);
  EXPECT_EQ(rounds.Confirmed(kThree, 1), two);
}

TEST(HeartbeatRounds, AnswersToWhatWasNeverBegunAreIgnored) {
  HeartbeatRounds rounds;
  const uint64_t one = rounds.Begin(milliseconds(10));
  rounds.Acknowledge(2, 0);
  rounds.Acknowledge(2, one + 1);
  EXPECT_EQ(rounds.Confirmed(kThree, 1), 0u);
}

TEST(HeartbeatRounds, OnlyMembersCount) {
  HeartbeatRounds rounds;
  const uint64_t one = rounds.Begin(milliseconds(10));
  rounds.Acknowledge(9, one);
  EXPECT_EQ(rounds.Confirmed(kThree, 1), 0u);
}

TEST(HeartbeatRounds, AnAnswerFromBeforeAResetDoesNotStandForARoundAfterIt) {
  HeartbeatRounds rounds;
  const uint64_t one = rounds.Begin(milliseconds(10));
  rounds.Acknowledge(2, one);
  rounds.Reset();
  EXPECT_EQ(rounds.Confirmed(kThree, 1), 0u);
  const uint64_t two = rounds.Begin(milliseconds(20));
  EXPECT_GT(two, one);
  rounds.Acknowledge(3, one);
  EXPECT_EQ(rounds.Confirmed(kThree, 1), 0u);
  rounds.Acknowledge(3, two);
  EXPECT_EQ(rounds.Confirmed(kThree, 1), two);
}

TEST(HeartbeatRounds, WhenAnOldRoundBeganIsForgottenButNotThatItIsConfirmed) {
  HeartbeatRounds rounds;
  const uint64_t one = rounds.Begin(milliseconds(10));
  rounds.Acknowledge(2, one);
  for (int i = 0; i < 1000; ++i) rounds.Begin(milliseconds(20));
  EXPECT_EQ(rounds.Confirmed(kThree, 1), one);
  EXPECT_EQ(rounds.ConfirmedAt(kThree, 1), std::nullopt);
}

}  // namespace
}  // namespace tinykv::raft
