// Pre-vote, check-quorum, reads and the lease.
#include <gtest/gtest.h>

#include <optional>

#include "common/status.h"
#include "stage2-raftkv/raft/raft_test_util.h"

namespace tinykv::raft {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr Duration kTick = milliseconds(100);
const Membership kThree = {1, 2, 3};
const RaftOptions kPreVote = {.pre_vote = true, .check_quorum = true};
const RaftOptions kLease = {.check_quorum = true, .lease = LeaseOptions{.tick_interval = kTick}};

Message RequestVote(const RaftCore& from, PeerId to, Term term, bool by_leader = false) {
  const EntryId last = from.log().last();
  return {.type = MessageType::kRequestVote,
          .to = to,
          .from = from.id(),
          .term = term,
          .log_term = last.term,
          .index = last.index,
          .by_leader = by_leader};
}

// ---- Pre-vote ----

TEST(PreVote, AnIsolatedMemberRaisesNoTerm) {
  TestGroup group(kThree, kPreVote);
  group.Elect(1);
  group.Cut(3);
  group.Tick(100);
  EXPECT_EQ(group[3].term(), group[1].term());
  EXPECT_EQ(group[3].role(), Role::kPreCandidate);
  group.Mend(3);
  group.Tick(100);
  EXPECT_EQ(group[1].role(), Role::kLeader);
  EXPECT_EQ(group[1].term(), 1u);
  EXPECT_EQ(group[3].leader(), 1u);
}

TEST(PreVote, AGroupWithoutALeaderElectsOne) {
  TestGroup group(kThree, kPreVote);
  group.Tick(100);
  const PeerId leader = group[2].leader();
  ASSERT_NE(leader, kNone);
  group.Cut(leader);
  group.Tick(100);
  const PeerId survivor = leader == 2 ? 3 : 2;
  EXPECT_NE(group[survivor].leader(), kNone);
  EXPECT_NE(group[survivor].leader(), leader);
}

TEST(PreVote, AMemberThatIsBehindInTermsLearnsThemFromTheRefusal) {
  RaftCore ahead({.id = 1, .pre_vote = true}, {.hard_state = {.term = 9}, .members = kThree});
  RaftCore behind({.id = 2, .pre_vote = true}, {.hard_state = {.term = 4}, .members = kThree});
  behind.StartElection();
  for (const Message& message : OfType(Flush(behind).messages, MessageType::kPreVote, 1)) {
    ahead.Step(message);
  }
  EXPECT_EQ(ahead.term(), 9u);
  for (const Message& message : Flush(ahead).messages) behind.Step(message);
  EXPECT_EQ(behind.term(), 9u);
  EXPECT_EQ(behind.role(), Role::kFollower);
}

TEST(PreVote, YesesOfAnotherTermOrOfStrangersDoNotCount) {
  RaftCore core({.id = 1, .pre_vote = true}, {.hard_state = {.term = 4}, .members = kThree});
  core.StartElection();
  const Message yes{.type = MessageType::kPreVoteResponse, .to = 1, .from = 2, .term = 5};
  Message other = yes;
  other.term = 4;
  core.Step(other);
  other = yes;
  other.from = 9;
  core.Step(other);
  EXPECT_EQ(core.role(), Role::kPreCandidate);
  EXPECT_EQ(core.term(), 4u);
  core.Step(yes);
  EXPECT_EQ(core.role(), Role::kCandidate);
  EXPECT_EQ(core.term(), 5u);
}

TEST(PreVote, AMemberThatIsAloneNeedsNobody) {
  RaftCore core({.id = 1, .pre_vote = true}, {.members = {1}});
  core.StartElection();
  EXPECT_EQ(core.role(), Role::kLeader);
}

TEST(PreVote, IsSkippedWhereTheLeaderAsked) {
  RaftCore core({.id = 1, .pre_vote = true}, {.members = kThree});
  core.StartElection(true);
  EXPECT_EQ(core.role(), Role::kCandidate);
  const auto requests = OfType(Flush(core).messages, MessageType::kRequestVote);
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_TRUE(requests[0].by_leader);
}

// ---- Check-quorum ----

TEST(LostDisk, ATermThatIsEnteredIsStoredWithItsOwnVoteAndNothingIsSaid) {
  RaftCore core({.id = 1}, Bootstrapped({1, 2, 3}));
  core.EnterTerm(9);
  const Ready ready = core.TakeReady();
  ASSERT_TRUE(ready.hard_state);
  EXPECT_EQ(*ready.hard_state, (HardState{.term = 9, .vote = 1, .commit = 5}));
  EXPECT_TRUE(ready.must_sync);
  EXPECT_TRUE(ready.messages.empty());
  EXPECT_EQ(core.role(), Role::kFollower);
}

TEST(CheckQuorum, ALeaderThatNobodyAnswersStepsDownAfterElectionTicks) {
  RaftCore leader = LeaderOf(kThree, {.election_ticks = 7, .check_quorum = true});
  for (int i = 0; i < 6; ++i) leader.Tick();
  EXPECT_EQ(leader.role(), Role::kLeader);
  leader.Tick();
  EXPECT_EQ(leader.role(), Role::kFollower);
  EXPECT_EQ(leader.leader(), kNone);
}

TEST(CheckQuorum, AMajorityThatAnswersIsEnoughAndStrangersAreNone) {
  const Membership five = {1, 2, 3, 4, 5};
  for (const bool has_third : {false, true}) {
    RaftCore leader = LeaderOf(five, {.check_quorum = true});
    for (int i = 0; i < 40; ++i) {
      leader.Tick();
      AnswerHeartbeat(leader, 2, 0);
      AnswerHeartbeat(leader, 77, 0);
      AnswerHeartbeat(leader, 78, 0);
      if (has_third) AnswerHeartbeat(leader, 3, 0);
    }
    EXPECT_EQ(leader.role() == Role::kLeader, has_third);
  }
}

TEST(CheckQuorum, SheltersALeaderThatIsHeard) {
  TestGroup group(kThree, {.election_ticks = 7, .check_quorum = true});
  group.Elect(1);
  group.Tick();
  RaftCore& follower = group[2];
  for (int i = 0; i < 6; ++i) follower.Tick();
  follower.Step(RequestVote(group[3], 2, 9));
  EXPECT_EQ(follower.term(), 1u);
  EXPECT_TRUE(Flush(follower).messages.empty());
  follower.Tick();
  follower.Step(RequestVote(group[3], 2, 9));
  EXPECT_EQ(follower.term(), 9u);
  EXPECT_EQ(follower.vote(), 3u);
}

TEST(CheckQuorum, DoesNotShelterALeaderFromWhomItAsked) {
  TestGroup group(kThree, kPreVote);
  group.Elect(1);
  group.Tick();
  group[3].StartElection(true);
  group.Settle();
  EXPECT_EQ(group[3].role(), Role::kLeader);
  EXPECT_EQ(group[1].role(), Role::kFollower);
}

TEST(CheckQuorum, ARestartedMemberDoesNotVoteWhileALeaseCouldHold) {
  for (const bool check_quorum : {false, true}) {
    const RaftCore candidate({.id = 3}, {.members = kThree});
    RaftCore core({.id = 2, .election_ticks = 7, .check_quorum = check_quorum},
                  {.hard_state = {.term = 1}, .members = kThree});
    for (int i = 0; i < 6; ++i) core.Tick();
    core.Step(RequestVote(candidate, 2, 9));
    EXPECT_EQ(core.vote() == 3, !check_quorum);
  }
}

TEST(CheckQuorum, ALeaderThatIsOutOfDateLearnsItFromWhoIsAhead) {
  TestGroup group(kThree, {.check_quorum = true});
  group.Elect(1);
  group.Cut(3);
  group.Tick(50);  // without pre-vote, 3 campaigns in vain
  ASSERT_GT(group[3].term(), group[1].term());
  group.Mend(3);
  group.Tick(100);
  EXPECT_EQ(group[1].term(), group[3].term());
  EXPECT_EQ(group[1].leader(), group[3].leader());
  EXPECT_NE(group[3].leader(), kNone);
}

// ---- Reads ----

// Peer 1 of three, whose no-op is committed; heartbeats are numbered from 1 on.
RaftCore LeaderThatHasCommitted(const RaftOptions& options = {}) {
  RaftCore leader = LeaderOf(kThree, options);
  Acknowledge(leader, 2, 1);
  Flush(leader);
  return leader;
}

uint64_t RoundOf(const std::vector<Message>& messages) {
  const auto heartbeats = OfType(messages, MessageType::kHeartbeat);
  return heartbeats.empty() ? 0 : heartbeats.front().round;
}

TEST(ReadIndex, WaitsForAnEntryOfItsOwnTerm) {
  RaftCore leader = LeaderOf(kThree);
  ASSERT_TRUE(leader.ReadIndex(7).ok());
  leader.Tick();
  AnswerHeartbeat(leader, 2, RoundOf(Flush(leader).messages));
  EXPECT_TRUE(Flush(leader).reads.empty());
  Acknowledge(leader, 2, 1);
  // A round that was begun before the commit is not enough: this one is new.
  const Ready ready = Flush(leader);
  EXPECT_TRUE(ready.reads.empty());
  AnswerHeartbeat(leader, 2, RoundOf(ready.messages));
  EXPECT_EQ(Flush(leader).reads, std::vector<ReadState>({{7, 1}}));
}

TEST(ReadIndex, WaitsForAMajorityToAnswerARoundThatBeganAfterIt) {
  RaftCore leader = LeaderThatHasCommitted();
  leader.Tick();
  const uint64_t before = RoundOf(Flush(leader).messages);
  ASSERT_TRUE(leader.ReadIndex(7).ok());
  AnswerHeartbeat(leader, 2, before);
  const Ready ready = Flush(leader);
  EXPECT_TRUE(ready.reads.empty());
  EXPECT_EQ(RoundOf(ready.messages), before + 1);
  AnswerHeartbeat(leader, 2, before);
  AnswerHeartbeat(leader, 9, before + 1);
  EXPECT_TRUE(Flush(leader).reads.empty());
  AnswerHeartbeat(leader, 3, before + 1);
  EXPECT_EQ(Flush(leader).reads, std::vector<ReadState>({{7, 1}}));
}

TEST(ReadIndex, ReadsThatComeWhileARoundIsUnderWayShareTheNext) {
  RaftCore leader = LeaderThatHasCommitted();
  ASSERT_TRUE(leader.ReadIndex(1).ok());
  const uint64_t first = RoundOf(Flush(leader).messages);
  for (uint64_t request = 2; request <= 50; ++request) {
    ASSERT_TRUE(leader.ReadIndex(request).ok());
  }
  EXPECT_TRUE(Flush(leader).messages.empty());
  AnswerHeartbeat(leader, 2, first);
  const Ready ready = Flush(leader);
  EXPECT_EQ(ready.reads.size(), 1u);
  EXPECT_EQ(OfType(ready.messages, MessageType::kHeartbeat, 2).size(), 1u);
  AnswerHeartbeat(leader, 2, RoundOf(ready.messages));
  EXPECT_EQ(Flush(leader).reads.size(), 49u);
}

TEST(ReadIndex, IsAnsweredAtOnceWhereNobodyElseIsAsked) {
  RaftCore leader = LeaderOf({1});
  ASSERT_TRUE(leader.ReadIndex(7).ok());
  EXPECT_EQ(Flush(leader).reads, std::vector<ReadState>({{7, 1}}));
}

TEST(ReadIndex, IsRefusedOnAStepDown) {
  RaftCore leader = LeaderThatHasCommitted();
  ASSERT_TRUE(leader.ReadIndex(7).ok());
  ASSERT_TRUE(leader.ReadIndex(8).ok());
  leader.Step({.type = MessageType::kHeartbeat, .to = 1, .from = 2, .term = 9});
  const Ready ready = Flush(leader);
  EXPECT_TRUE(ready.reads.empty());
  EXPECT_EQ(ready.refused_reads, std::vector<uint64_t>({7, 8}));
  EXPECT_EQ(leader.ReadIndex(9).code(), absl::StatusCode::kFailedPrecondition);
}

TEST(ReadIndex, NoMoreWaitThanMay) {
  RaftCore leader = LeaderThatHasCommitted({.waiting_reads_max = 2});
  ASSERT_TRUE(leader.ReadIndex(7).ok());
  ASSERT_TRUE(leader.ReadIndex(8).ok());
  EXPECT_EQ(leader.ReadIndex(9).code(), absl::StatusCode::kResourceExhausted);
}

TEST(ReadIndex, GoesOnWhereTheOthersAreRemoved) {
  RaftCore leader = LeaderOf({1, 2});
  Acknowledge(leader, 2, 1);
  Flush(leader);
  ASSERT_TRUE(leader.ReadIndex(7).ok());
  EXPECT_TRUE(Flush(leader).reads.empty());
  leader.SwitchMembership({1});
  EXPECT_EQ(Flush(leader).reads, std::vector<ReadState>({{7, 1}}));
}

// ---- Lease ----

constexpr Duration kBegun = milliseconds(5000);

// Peer 1 of three, whose heartbeat of kBegun was answered by `from`.
RaftCore LeaderWithLease(std::optional<PeerId> from = 2) {
  RaftCore leader = LeaderThatHasCommitted(kLease);
  leader.SetTime(kBegun);
  leader.Tick();
  const uint64_t round = RoundOf(Flush(leader).messages);
  leader.SetTime(kBegun + milliseconds(50));  // when the answer came makes no difference
  if (from) AnswerHeartbeat(leader, *from, round);
  Flush(leader);
  return leader;
}

bool ServesAtOnce(RaftCore& leader) {
  EXPECT_TRUE(leader.ReadIndex(7).ok());
  return !Flush(leader).reads.empty();
}

TEST(Lease, HoldsForExactlyItsDuration) {
  const Duration end = kBegun + LeaseDuration(*kLease.lease, kLease.election_ticks);
  for (const bool is_over : {false, true}) {
    RaftCore leader = LeaderWithLease();
    leader.SetTime(is_over ? end : end - nanoseconds(1));
    EXPECT_EQ(ServesAtOnce(leader), !is_over);
  }
}

TEST(Lease, NeedsAMajority) {
  for (const std::optional<PeerId> from : {std::optional<PeerId>(), std::optional<PeerId>(9)}) {
    RaftCore leader = LeaderWithLease(from);
    EXPECT_FALSE(ServesAtOnce(leader));
  }
}

TEST(Lease, NeedsAnEntryOfItsOwnTerm) {
  RaftCore leader = LeaderOf(kThree, kLease);
  leader.Tick();
  AnswerHeartbeat(leader, 2, RoundOf(Flush(leader).messages));
  EXPECT_FALSE(ServesAtOnce(leader));
}

TEST(Lease, DoesNotOutliveTheRole) {
  RaftCore leader = LeaderWithLease();
  leader.Step({.type = MessageType::kHeartbeat, .to = 1, .from = 2, .term = 5});
  EXPECT_EQ(leader.ReadIndex(7).code(), absl::StatusCode::kFailedPrecondition);
  leader.StartElection(true);
  Flush(leader);
  leader.Step({.type = MessageType::kRequestVoteResponse, .to = 1, .from = 3, .term = 6});
  Flush(leader);
  Acknowledge(leader, 3, 2);
  Flush(leader);
  ASSERT_TRUE(leader.has_committed_in_term());
  EXPECT_FALSE(ServesAtOnce(leader));  // it leads again, but the answers were to another term
}

TEST(Lease, IsGivenUpByALeaderThatAsksSomebodyToTakeOver) {
  RaftCore leader = LeaderWithLease();
  leader.Send({.type = MessageType::kTimeoutNow, .to = 3});
  Flush(leader);
  EXPECT_FALSE(ServesAtOnce(leader));
  // It may arrive at any time, so there is no lease for the rest of the term.
  leader.Tick();
  AnswerHeartbeat(leader, 2, RoundOf(Flush(leader).messages));
  Flush(leader);  // the first read
  EXPECT_FALSE(ServesAtOnce(leader));
}

TEST(Lease, CountsMembersAsTheyAreNow) {
  RaftCore leader = LeaderWithLease();
  leader.SwitchMembership({1, 2, 3, 4});
  EXPECT_FALSE(ServesAtOnce(leader));
}

}  // namespace
}  // namespace tinykv::raft
