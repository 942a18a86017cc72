// Bounds, the contract of Ready, and changes of membership.
#include "stage2-raftkv/raft/raft_core.h"

#include <gtest/gtest.h>

#include <string>

#include "common/status.h"
#include "stage2-raftkv/raft/raft_test_util.h"

namespace tinykv::raft {
namespace {

const Membership kThree = {1, 2, 3};

absl::Status Propose(RaftCore& leader, size_t bytes = 1) {
  return leader.Propose(EntryType::kNormal, {std::string(bytes, 'x')});
}

Message AppendOf(Term term, EntryId previous, std::vector<Entry> entries, Index commit = 0) {
  return {.type = MessageType::kAppend,
          .to = 1,
          .from = 2,
          .term = term,
          .log_term = previous.term,
          .index = previous.index,
          .entries = std::move(entries),
          .commit = commit};
}

// ---- Bounds ----

TEST(RaftCore, TakesNoMoreThanSoMuchThatIsNotCommitted) {
  RaftCore leader = LeaderOf(kThree, {.uncommitted_bytes_max = 100});
  EXPECT_TRUE(Propose(leader, 60).ok());
  EXPECT_TRUE(Propose(leader, 40).ok());
  const Index last = leader.log().last_index();
  EXPECT_EQ(Propose(leader, 1).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(leader.log().last_index(), last);
  Flush(leader);
  Acknowledge(leader, 2, last - 1);
  EXPECT_TRUE(Propose(leader, 60).ok());
  EXPECT_FALSE(Propose(leader, 1).ok());
}

TEST(RaftCore, TakesASingleEntryHoweverLarge) {
  RaftCore leader = LeaderOf(kThree, {.uncommitted_bytes_max = 100});
  EXPECT_TRUE(Propose(leader, 5000).ok());
  EXPECT_FALSE(Propose(leader, 1).ok());
  Flush(leader);
  Acknowledge(leader, 2, leader.log().last_index());
  EXPECT_TRUE(Propose(leader, 5000).ok());
}

TEST(RaftCore, WhatAnEarlierLeaderLeftIsNotCountedNeitherComingNorGoing) {
  RaftCore leader({.id = 1, .uncommitted_bytes_max = 100},
                  {.hard_state = {.term = 1},
                   .members = kThree,
                   .entries = {{.term = 1, .index = 1, .data = std::string(5000, 'x')}}});
  leader.StartElection();
  Flush(leader);
  leader.Step({.type = MessageType::kRequestVoteResponse, .to = 1, .from = 2, .term = 2});
  EXPECT_TRUE(Propose(leader, 60).ok());
  Flush(leader);
  Acknowledge(leader, 2, 2);  // the other's entry and the no-op
  ASSERT_EQ(leader.log().committed(), 2u);
  EXPECT_FALSE(Propose(leader, 60).ok());
}

TEST(RaftCore, KeepsAsManyAppendsUnderWayAsMayBe) {
  RaftCore leader = LeaderOf({1, 2}, {.flow = {.in_flight_messages_max = 3}});
  Acknowledge(leader, 2, 1);
  Flush(leader);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Propose(leader).ok());
  EXPECT_EQ(OfType(Flush(leader).messages, MessageType::kAppend).size(), 3u);
  Acknowledge(leader, 2, 2);
  // One message for all that has come meanwhile.
  const auto appends = OfType(Flush(leader).messages, MessageType::kAppend);
  ASSERT_FALSE(appends.empty());
  EXPECT_EQ(appends.front().entries.size(), 7u);
  EXPECT_LE(leader.progress().at(2).in_flight_messages(), 3u);
}

TEST(RaftCore, KeepsAsManyBytesUnderWayAsMayBe) {
  RaftCore leader = LeaderOf({1, 2}, {.flow = {.in_flight_bytes_max = 1000}});
  Acknowledge(leader, 2, 1);
  Flush(leader);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Propose(leader, 400).ok());
  EXPECT_EQ(OfType(Flush(leader).messages, MessageType::kAppend).size(), 3u);
  EXPECT_EQ(leader.progress().at(2).in_flight_bytes(), 1200u);
}

TEST(RaftCore, MessagesAreNoLargerThanTheyMayBe) {
  RaftCore leader = LeaderOf({1, 2}, {.flow = {.message_bytes_max = 1000}});
  Flush(leader);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Propose(leader, 300).ok());
  ASSERT_TRUE(Propose(leader, 5000).ok());  // but one entry always fits
  Acknowledge(leader, 2, 1);
  Index last = 0;
  while (leader.progress().at(2).match() < leader.log().last_index()) {
    const auto appends = OfType(Flush(leader).messages, MessageType::kAppend);
    ASSERT_FALSE(appends.empty());
    for (const Message& append : appends) {
      EXPECT_LE(append.entries.size(), 3u);
      last = append.index + append.entries.size();
    }
    Acknowledge(leader, 2, last);
  }
}

TEST(RaftCore, ASlowMemberIsNotForgotten) {
  RaftCore leader = LeaderOf({1, 2}, {.flow = {.in_flight_messages_max = 2}});
  Acknowledge(leader, 2, 1);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Propose(leader).ok());
  Flush(leader);  // and all of it is lost
  bool has_all = false;
  for (int round = 0; round < 20 && !has_all; ++round) {
    AnswerHeartbeat(leader, 2, 0, 1);
    for (const Message& append : OfType(Flush(leader).messages, MessageType::kAppend)) {
      const bool is_refused = append.index > 1;
      leader.Step({.type = MessageType::kAppendResponse,
                   .to = 1,
                   .from = 2,
                   .term = 1,
                   .index = is_refused ? 1 : append.index + append.entries.size(),
                   .reject = is_refused,
                   .rejected_index = is_refused ? append.index : 0});
      has_all = has_all || leader.progress().at(2).match() == leader.log().last_index();
    }
  }
  EXPECT_TRUE(has_all);
}

TEST(RaftCore, HandsOutNoMoreAtOnceThanMayBe) {
  RaftCore leader = LeaderOf({1}, {.apply_bytes_max = 1000});
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Propose(leader, 400).ok());
  leader.Advance(leader.TakeReady());
  size_t handed_out = 0;
  while (leader.HasReady()) {
    const Ready ready = leader.TakeReady();
    EXPECT_LE(ready.committed.size(), 2u);
    handed_out += ready.committed.size();
    leader.Advance(ready);
  }
  EXPECT_EQ(handed_out, 10u);
}

// ---- Ready ----

TEST(Ready, IsOutOnceAtATime) {
  RaftCore core({.id = 1}, {.members = {1}});
  EXPECT_DEATH(core.Advance({}), "there must be a Ready");
  core.TakeReady();
  EXPECT_DEATH(core.TakeReady(), "must be given to Advance");
}

TEST(Ready, NeedsNoSyncForACommitIndex) {
  RaftCore core({.id = 1}, {.members = kThree});
  core.Step(AppendOf(1, {0, 0}, {{.term = 1, .index = 1}}));
  EXPECT_TRUE(core.HasReady());
  const Ready first = core.TakeReady();
  EXPECT_TRUE(first.must_sync);
  EXPECT_EQ(first.entries.size(), 1u);
  core.Advance(first);
  core.Step(AppendOf(1, {1, 1}, {}, 1));
  const Ready second = core.TakeReady();
  EXPECT_FALSE(second.must_sync);
  EXPECT_EQ(second.hard_state, (HardState{.term = 1, .commit = 1}));
  EXPECT_EQ(second.committed.size(), 1u);
  core.Advance(second);
  EXPECT_FALSE(core.HasReady());
}

TEST(Ready, AVoteIsWrittenBeforeItIsGiven) {
  RaftCore core({.id = 1}, {.members = kThree});
  core.Step({.type = MessageType::kRequestVote, .to = 1, .from = 2, .term = 1});
  const Ready ready = core.TakeReady();
  EXPECT_TRUE(ready.must_sync);
  EXPECT_EQ(ready.hard_state, (HardState{.term = 1, .vote = 2}));
  ASSERT_EQ(ready.messages.size(), 1u);
  EXPECT_FALSE(MaySendBeforeSync(ready.messages[0]));
}

TEST(Ready, WhatWasReplacedMeanwhileIsWrittenAgain) {
  RaftCore core({.id = 1}, {.members = kThree});
  core.Step(AppendOf(1, {0, 0}, {{.term = 1, .index = 1}, {.term = 1, .index = 2}}));
  const Ready first = core.TakeReady();
  core.Step(AppendOf(2, {1, 1}, {{.term = 2, .index = 2}}, 2));
  core.Advance(first);
  EXPECT_EQ(core.log().stable(), 0u);  // the last that was written is gone; what is before it waits
  const Ready second = core.TakeReady();
  EXPECT_EQ(second.entries.back(), (Entry{.term = 2, .index = 2}));
  EXPECT_TRUE(second.committed.empty());
  core.Advance(second);
  EXPECT_EQ(core.TakeReady().committed.size(), 2u);
}

TEST(Ready, WhatWasReplacedAndCameBackMeanwhileIsWritten) {
  RaftCore core({.id = 1}, {.members = kThree});
  core.Step(AppendOf(1, {0, 0}, {{.term = 1, .index = 1}, {.term = 1, .index = 2}}));
  const Ready first = core.TakeReady();
  core.Step(AppendOf(2, {1, 1}, {{.term = 2, .index = 2}}));
  core.Step(AppendOf(3, {1, 1}, {{.term = 1, .index = 2}}));
  core.Advance(first);
  EXPECT_EQ(core.log().stable(), 2u);
}

TEST(Ready, ASnapshotThatCameMeanwhileIsInTheNext) {
  RaftCore core({.id = 1}, {.members = kThree});
  core.Step(AppendOf(1, {0, 0}, {{.term = 1, .index = 1}, {.term = 1, .index = 2}}, 1));
  core.Advance(core.TakeReady());
  const Ready first = core.TakeReady();
  EXPECT_EQ(first.committed.size(), 1u);
  core.Step({.type = MessageType::kSnapshot,
             .to = 1,
             .from = 2,
             .term = 2,
             .snapshot = Snapshot{.last = {9, 2}, .members = {1, 2}}});
  core.Step(AppendOf(2, {9, 2}, {{.term = 2, .index = 10}}, 10));
  core.Advance(first);
  EXPECT_EQ(core.log().applied(), 9u);
  const Ready second = core.TakeReady();
  ASSERT_TRUE(second.snapshot.has_value());
  EXPECT_EQ(second.entries.size(), 1u);
  EXPECT_TRUE(second.committed.empty());  // entry 10 is not on this disk yet
  EXPECT_TRUE(second.must_sync);
  core.Advance(second);
  EXPECT_EQ(core.TakeReady().committed.front().index, 10u);
}

TEST(Ready, IsNotEmptyWhereThereIsOne) {
  TestGroup group(kThree);
  group.Elect(1);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(Propose(group[1]).ok());
    if (i % 3 == 0) group[2].Tick();
    for (const PeerId id : kThree) {
      const bool has_one = group[id].HasReady();
      const Ready ready = group[id].TakeReady();
      EXPECT_EQ(has_one, ready.hard_state || ready.snapshot || !ready.entries.empty() ||
                             !ready.messages.empty() || !ready.committed.empty());
      group[id].Advance(ready);
      for (const Message& message : ready.messages) group[message.to].Step(message);
    }
  }
}

// ---- Membership ----

TEST(SwitchMembership, ANewMemberIsProbed) {
  RaftCore leader = LeaderOf({1, 2});
  leader.SwitchMembership(kThree);
  EXPECT_EQ(leader.progress().at(3).state(), Progress::State::kProbe);
  leader.Tick();
  EXPECT_EQ(OfType(Flush(leader).messages, MessageType::kHeartbeat, 3).size(), 1u);
}

TEST(SwitchMembership, ASmallerGroupMayHaveAMajorityAlready) {
  RaftCore leader = LeaderOf({1, 2, 3, 4});
  Acknowledge(leader, 2, 1);
  EXPECT_EQ(leader.log().committed(), 0u);
  leader.SwitchMembership(kThree);
  EXPECT_EQ(leader.log().committed(), 1u);
}

TEST(SwitchMembership, ALeaderThatIsNoMemberStepsDown) {
  RaftCore leader = LeaderOf(kThree);
  leader.SwitchMembership({2, 3});
  EXPECT_EQ(leader.role(), Role::kFollower);
  EXPECT_TRUE(leader.progress().empty());
  for (int i = 0; i < 100; ++i) leader.Tick();
  EXPECT_EQ(leader.role(), Role::kFollower);
}

TEST(SwitchMembership, VotesOfWhoIsNoMemberDoNotElect) {
  RaftCore candidate({.id = 1}, {.members = {1, 2, 3, 4}});
  candidate.StartElection();
  Message answer{.type = MessageType::kRequestVoteResponse, .to = 1, .from = 4, .term = 1};
  candidate.Step(answer);
  candidate.SwitchMembership(kThree);
  answer.from = 3;
  answer.reject = true;
  candidate.Step(answer);
  EXPECT_EQ(candidate.role(), Role::kCandidate);  // 2 and 3 may elect another in this term
  answer.from = 2;
  answer.reject = false;
  candidate.Step(answer);
  EXPECT_EQ(candidate.role(), Role::kLeader);
}

TEST(SwitchMembership, IsWaitedForByWhoWouldCampaign) {
  RaftCore core({.id = 1}, {.hard_state = {.term = 1, .commit = 1},
                            .members = {1},
                            .entries = {{.type = EntryType::kConfChange, .term = 1, .index = 1}}});
  core.StartElection();
  EXPECT_EQ(core.role(), Role::kFollower);
  const Ready ready = core.TakeReady();
  ASSERT_EQ(ready.committed.size(), 1u);
  core.StartElection();
  EXPECT_EQ(core.role(), Role::kFollower);
  core.SwitchMembership({1, 2});
  core.Advance(ready);
  core.StartElection();
  EXPECT_EQ(core.role(), Role::kCandidate);
}

}  // namespace
}  // namespace tinykv::raft
