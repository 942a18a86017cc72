#include "stage2-raftkv/raft/progress.h"

#include <gtest/gtest.h>

namespace tinykv::raft {
namespace {

using State = Progress::State;

constexpr FlowLimits kLimits = {.in_flight_messages_max = 3, .in_flight_bytes_max = 100};

// In kReplicate, and has all up to `match`.
Progress Replicating(Index match, const FlowLimits& limits = kLimits) {
  Progress progress(match + 1, limits);
  progress.Acknowledge(match);
  return progress;
}

TEST(Progress, BeginsWithOneProbe) {
  Progress progress(8, kLimits);
  EXPECT_EQ(progress.state(), State::kProbe);
  EXPECT_EQ(progress.match(), 0u);
  EXPECT_TRUE(progress.MaySend());
  progress.Sent(9, 20);
  EXPECT_FALSE(progress.MaySend());
  EXPECT_EQ(progress.next(), 8u);  // nobody has confirmed it
}

TEST(Progress, AnAcceptedProbeOpensThePipeline) {
  Progress progress(8, kLimits);
  progress.Sent(9, 20);
  EXPECT_TRUE(progress.Acknowledge(9));
  EXPECT_EQ(progress.state(), State::kReplicate);
  EXPECT_EQ(progress.match(), 9u);
  EXPECT_EQ(progress.next(), 10u);
  progress.Sent(11, 20);
  EXPECT_EQ(progress.next(), 12u);
  EXPECT_TRUE(progress.MaySend());
}

TEST(Progress, NeverGoesBackOnALateAnswer) {
  Progress progress = Replicating(9);
  progress.Sent(11, 20);
  EXPECT_FALSE(progress.Acknowledge(5));
  EXPECT_EQ(progress.match(), 9u);
  EXPECT_EQ(progress.next(), 12u);
  EXPECT_TRUE(progress.Acknowledge(11));
  EXPECT_FALSE(progress.Acknowledge(11));
}

TEST(Progress, KeepsAsManyMessagesUnderWayAsMayBe) {
  Progress progress = Replicating(9);
  for (const Index last : {10, 11, 12}) {
    EXPECT_TRUE(progress.MaySend());
    progress.Sent(last, 1);
  }
  EXPECT_FALSE(progress.MaySend());
  EXPECT_EQ(progress.in_flight_messages(), 3u);
  progress.Acknowledge(11);  // stands for 10, too
  EXPECT_EQ(progress.in_flight_messages(), 1u);
  EXPECT_EQ(progress.in_flight_bytes(), 1u);
  EXPECT_TRUE(progress.MaySend());
}

TEST(Progress, KeepsAsManyBytesUnderWayAsMayBe) {
  Progress progress = Replicating(9);
  progress.Sent(10, 99);
  EXPECT_TRUE(progress.MaySend());
  progress.Sent(11, 50);  // reached, by less than one message
  EXPECT_FALSE(progress.MaySend());
  EXPECT_EQ(progress.in_flight_bytes(), 149u);
  progress.Acknowledge(10);
  EXPECT_TRUE(progress.MaySend());
}

TEST(Progress, OneMessageAlwaysMayBeUnderWay) {
  Progress progress = Replicating(9, {.in_flight_messages_max = 1, .in_flight_bytes_max = 0});
  EXPECT_TRUE(progress.MaySend());
  progress.Sent(10, 1000);
  EXPECT_FALSE(progress.MaySend());
}

TEST(Progress, AnAppendWithoutEntriesIsNotCounted) {
  Progress progress = Replicating(9);
  for (int i = 0; i < 10; ++i) progress.Sent(9, 0);
  EXPECT_EQ(progress.in_flight_messages(), 0u);
  EXPECT_EQ(progress.next(), 10u);
}

TEST(Progress, ARefusalInThePipelineIsProbedFromWhatIsKnown) {
  Progress progress = Replicating(9);
  progress.Sent(10, 1);
  progress.Sent(11, 1);
  EXPECT_TRUE(progress.BackOff(10, 9));
  EXPECT_EQ(progress.state(), State::kProbe);
  EXPECT_EQ(progress.next(), 10u);
  EXPECT_EQ(progress.in_flight_messages(), 0u);
  EXPECT_TRUE(progress.MaySend());
}

TEST(Progress, ARefusalOfWhatWasAcceptedSinceIsIgnored) {
  Progress progress = Replicating(9);
  progress.Sent(10, 1);
  EXPECT_FALSE(progress.BackOff(9, 3));
  EXPECT_EQ(progress.state(), State::kReplicate);
  EXPECT_EQ(progress.next(), 11u);
}

TEST(Progress, AProbeGoesBackAsFarAsTheHint) {
  Progress progress(20, kLimits);
  progress.Sent(19, 0);
  EXPECT_TRUE(progress.BackOff(19, 12));
  EXPECT_EQ(progress.next(), 13u);
  EXPECT_TRUE(progress.MaySend());
}

TEST(Progress, AProbeGoesBackWhateverTheHintSays) {
  Progress progress(20, kLimits);
  EXPECT_TRUE(progress.BackOff(19, 30));
  EXPECT_EQ(progress.next(), 19u);
  EXPECT_TRUE(progress.BackOff(18, ~Index{0}));  // the one after that is no index
  EXPECT_EQ(progress.next(), 1u);
}

TEST(Progress, AProbeGoesBackOnlyToWhatIsNotKnownToBeThere) {
  Progress progress = Replicating(9);
  progress.Sent(12, 1);
  progress.BackOff(12, 11);
  EXPECT_FALSE(progress.BackOff(9, 0));
  EXPECT_EQ(progress.next(), 10u);
}

TEST(Progress, ARefusalOfAnEarlierProbeIsIgnored) {
  Progress progress(20, kLimits);
  EXPECT_TRUE(progress.BackOff(19, 12));
  progress.Sent(12, 0);
  EXPECT_FALSE(progress.BackOff(19, 5));
  EXPECT_EQ(progress.next(), 13u);
  EXPECT_FALSE(progress.MaySend());  // the answer to the last probe is still to come
}

TEST(Progress, ARefusalThatDoesNotSayOfWhatIsOfTheLast) {
  Progress progress(20, kLimits);
  EXPECT_TRUE(progress.BackOff(0, 12));
  EXPECT_EQ(progress.next(), 13u);
  Progress replicating = Replicating(9);
  EXPECT_FALSE(replicating.BackOff(0, 3));  // all that was sent is there
  replicating.Sent(10, 1);
  EXPECT_TRUE(replicating.BackOff(0, 3));
  EXPECT_EQ(replicating.next(), 10u);
}

TEST(Progress, ALostProbeIsSentAgainAfterANudge) {
  Progress progress(8, kLimits);
  progress.Sent(9, 20);
  progress.Nudge();
  EXPECT_TRUE(progress.MaySend());
  EXPECT_EQ(progress.next(), 8u);
}

TEST(Progress, NudgesOpenAFullPipeline) {
  Progress progress = Replicating(9);
  for (const Index last : {10, 11, 12}) progress.Sent(last, 1);
  progress.Nudge();
  EXPECT_TRUE(progress.MaySend());
  progress.Nudge();  // one that is not full stays as it is
  EXPECT_EQ(progress.in_flight_messages(), 2u);
  EXPECT_EQ(progress.in_flight_bytes(), 2u);
}

TEST(Progress, NudgesOpenAPipelineThatIsFullOfBytesOneByOne) {
  Progress progress = Replicating(9);
  progress.Sent(10, 1);
  progress.Sent(11, 200);
  progress.Nudge();
  EXPECT_FALSE(progress.MaySend());
  progress.Nudge();
  EXPECT_TRUE(progress.MaySend());
  EXPECT_EQ(progress.in_flight_bytes(), 0u);
}

TEST(Progress, NothingIsSentToWhoWaitsForASnapshot) {
  Progress progress(8, kLimits);
  progress.NeedSnapshot();
  EXPECT_TRUE(progress.wants_snapshot());
  EXPECT_FALSE(progress.MaySend());
  progress.SnapshotSent(30);
  EXPECT_FALSE(progress.wants_snapshot());
  progress.Nudge();
  EXPECT_FALSE(progress.MaySend());
  EXPECT_FALSE(progress.BackOff(7, 3));
  EXPECT_EQ(progress.state(), State::kSnapshot);
}

TEST(Progress, GoesOnBehindASnapshotThatIsThere) {
  Progress progress(8, kLimits);
  progress.NeedSnapshot();
  progress.SnapshotSent(30);
  progress.Acknowledge(7);  // of something before
  EXPECT_EQ(progress.state(), State::kSnapshot);
  progress.Acknowledge(30);
  EXPECT_EQ(progress.state(), State::kReplicate);
  EXPECT_EQ(progress.next(), 31u);
}

TEST(Progress, ALateAnswerDoesNotStandForASnapshotThatWasNotSent) {
  Progress progress(8, kLimits);
  progress.NeedSnapshot();
  EXPECT_TRUE(progress.Acknowledge(7));
  EXPECT_TRUE(progress.wants_snapshot());
}

TEST(Progress, ProbesWhetherASnapshotThatFailedIsThereAllTheSame) {
  Progress progress(8, kLimits);
  progress.NeedSnapshot();
  progress.SnapshotSent(30);
  progress.SnapshotFailed();
  EXPECT_EQ(progress.state(), State::kProbe);
  EXPECT_EQ(progress.next(), 31u);
  EXPECT_TRUE(progress.BackOff(30, 4));  // no, it is not
  EXPECT_EQ(progress.next(), 5u);
}

TEST(Progress, ASnapshotThatWasNeverSentFailsToWhatIsKnown) {
  Progress progress = Replicating(9);
  progress.NeedSnapshot();
  progress.SnapshotFailed();
  EXPECT_EQ(progress.next(), 10u);
}

TEST(Progress, AFailureOfWhatIsOverChangesNothing) {
  Progress progress = Replicating(9);
  progress.Sent(10, 1);
  progress.SnapshotFailed();
  EXPECT_EQ(progress.state(), State::kReplicate);
  EXPECT_EQ(progress.next(), 11u);
}

TEST(Progress, ASnapshotIsGivenUpAfterSoManyTicksFromWhenItWasSent) {
  Progress progress(8, kLimits);
  progress.NeedSnapshot();
  for (int i = 0; i < 100; ++i) progress.TickSnapshot(3);
  EXPECT_TRUE(progress.wants_snapshot());  // making one may take as long as it takes
  progress.SnapshotSent(30);
  progress.TickSnapshot(3);
  progress.TickSnapshot(3);
  EXPECT_EQ(progress.state(), State::kSnapshot);
  progress.TickSnapshot(3);
  EXPECT_EQ(progress.state(), State::kProbe);
}

}  // namespace
}  // namespace tinykv::raft
