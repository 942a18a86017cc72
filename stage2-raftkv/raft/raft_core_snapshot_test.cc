// Snapshots, from the leader's side and from the other.
#include <gtest/gtest.h>

#include "stage2-raftkv/raft/raft_test_util.h"

namespace tinykv::raft {
namespace {

const Membership kTwo = {1, 2};

// Peer 1 of `members`, with entries up to 6, of which 3 are compacted; peer 2 has nothing, and it
// is known.
RaftCore LeaderAhead(const Membership& members = kTwo, RaftOptions options = {}) {
  RaftCore leader = LeaderOf({1}, options);
  for (int i = 0; i < 5; ++i) leader.Propose(EntryType::kNormal, {"data"}).IgnoreError();
  Flush(leader);
  leader.CompactTo(3);
  leader.SwitchMembership(members);
  for (const PeerId peer : members) {
    leader.Step({.type = MessageType::kAppendResponse,
                 .to = 1,
                 .from = peer,
                 .term = 1,
                 .reject = true,
                 .rejected_index = 6});
  }
  return leader;
}

Snapshot SnapshotTo(Index index, const Membership& members = kTwo) {
  return {.last = {index, 1}, .members = members, .data = "state"};
}

// What peer 2 is sent after it has answered a heartbeat.
std::vector<Message> AfterHeartbeat(RaftCore& leader) {
  AnswerHeartbeat(leader, 2, 0);
  return Flush(leader).messages;
}

void Refuse(RaftCore& leader, PeerId from, Index rejected) {
  leader.Step({.type = MessageType::kAppendResponse,
               .to = 1,
               .from = from,
               .term = leader.term(),
               .reject = true,
               .rejected_index = rejected});
}

TEST(RaftSnapshot, IsWantedUntilItIsProvided) {
  RaftCore leader = LeaderAhead();
  for (int i = 0; i < 3; ++i) {
    leader.Tick();
    EXPECT_TRUE(Flush(leader).snapshot_wanted);
  }
  leader.ProvideSnapshot(SnapshotTo(5));
  const Ready ready = Flush(leader);
  EXPECT_FALSE(ready.snapshot_wanted);
  const auto sent = OfType(ready.messages, MessageType::kSnapshot, 2);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].snapshot, SnapshotTo(5));
}

TEST(RaftSnapshot, OfWhatIsCompactedSinceIsOfNoUse) {
  RaftCore leader = LeaderAhead();
  leader.CompactTo(5);
  leader.ProvideSnapshot(SnapshotTo(4));
  const Ready ready = Flush(leader);
  EXPECT_TRUE(OfType(ready.messages, MessageType::kSnapshot).empty());
  EXPECT_TRUE(leader.progress().at(2).wants_snapshot());
}

TEST(RaftSnapshot, IsNotSentToWhoJoinedAfterIt) {
  const Membership three = {1, 2, 3};
  RaftCore leader = LeaderAhead(three);
  leader.ProvideSnapshot(SnapshotTo(4, kTwo));
  const Ready ready = Flush(leader);
  EXPECT_EQ(OfType(ready.messages, MessageType::kSnapshot, 2).size(), 1u);
  EXPECT_TRUE(OfType(ready.messages, MessageType::kSnapshot, 3).empty());
  EXPECT_TRUE(leader.progress().at(3).wants_snapshot());
  leader.ProvideSnapshot(SnapshotTo(6, three));
  EXPECT_EQ(OfType(Flush(leader).messages, MessageType::kSnapshot, 3).size(), 1u);
}

TEST(RaftSnapshot, NobodyWaitsForOneThatNobodyWants) {
  RaftCore leader = LeaderOf(kTwo);
  Acknowledge(leader, 2, 1);
  Flush(leader);
  leader.ProvideSnapshot(SnapshotTo(1));
  EXPECT_TRUE(OfType(Flush(leader).messages, MessageType::kSnapshot).empty());
}

TEST(RaftSnapshot, AppendsGoOnBehindIt) {
  RaftCore leader = LeaderAhead();
  leader.ProvideSnapshot(SnapshotTo(5));
  EXPECT_TRUE(OfType(AfterHeartbeat(leader), MessageType::kAppend).empty());
  Acknowledge(leader, 2, 5);
  const auto appends = OfType(Flush(leader).messages, MessageType::kAppend, 2);
  ASSERT_EQ(appends.size(), 1u);
  EXPECT_EQ(appends[0].index, 5u);
  EXPECT_EQ(appends[0].entries.size(), 1u);
}

TEST(RaftSnapshot, ThatIsLostIsMadeAgain) {
  for (const bool is_reported : {false, true}) {
    RaftCore leader = LeaderAhead(kTwo, {.snapshot_ticks_max = 20});
    leader.ProvideSnapshot(SnapshotTo(5));
    Flush(leader);
    if (is_reported) leader.ReportSnapshotFailure(2);
    for (int i = 0; !is_reported && i < 20; ++i) leader.Tick();
    // First it is asked whether it is there all the same.
    const auto probes = OfType(AfterHeartbeat(leader), MessageType::kAppend, 2);
    ASSERT_FALSE(probes.empty());
    EXPECT_EQ(probes.back().index, 5u);
    Refuse(leader, 2, 5);
    EXPECT_TRUE(leader.progress().at(2).wants_snapshot());
    leader.ProvideSnapshot(SnapshotTo(6));
    EXPECT_EQ(OfType(Flush(leader).messages, MessageType::kSnapshot, 2).size(), 1u);
  }
}

TEST(RaftSnapshot, WhoseAnswerIsLostIsNotMadeAgain) {
  RaftCore leader = LeaderAhead();
  leader.ProvideSnapshot(SnapshotTo(5));
  leader.ReportSnapshotFailure(2);
  const auto probes = OfType(AfterHeartbeat(leader), MessageType::kAppend, 2);
  ASSERT_FALSE(probes.empty());
  Acknowledge(leader, 2, 6);
  EXPECT_FALSE(leader.progress().at(2).wants_snapshot());
  EXPECT_EQ(leader.progress().at(2).match(), 6u);
}

TEST(RaftSnapshot, FailuresOfStrangersAreNobodys) {
  RaftCore leader = LeaderAhead();
  leader.ReportSnapshotFailure(9);
  leader.ReportSnapshotFailure(1);
  EXPECT_TRUE(leader.progress().at(2).wants_snapshot());
}

Message SnapshotMessage(const Snapshot& snapshot) {
  return {.type = MessageType::kSnapshot, .to = 2, .from = 1, .term = 1, .snapshot = snapshot};
}

Index AnswerOf(RaftCore& core) {
  const auto answers = OfType(Flush(core).messages, MessageType::kAppendResponse);
  EXPECT_EQ(answers.size(), 1u);
  return answers.empty() ? 0 : answers[0].index;
}

TEST(RaftSnapshot, ReplacesAShorterLog) {
  RaftCore core({.id = 2}, {.members = kTwo, .entries = {{.term = 1, .index = 1}}});
  core.Step(SnapshotMessage(SnapshotTo(5, {1, 2, 3})));
  EXPECT_EQ(core.members(), Membership({1, 2, 3}));
  EXPECT_EQ(core.log().boundary(), (EntryId{5, 1}));
  EXPECT_EQ(core.leader(), 1u);
  EXPECT_EQ(AnswerOf(core), 5u);
}

TEST(RaftSnapshot, OfWhatIsThereOnlyCommits) {
  RaftCore core({.id = 2},
                {.members = kTwo, .entries = {{.term = 1, .index = 1}, {.term = 1, .index = 2}}});
  core.Step(SnapshotMessage(SnapshotTo(1)));
  EXPECT_EQ(core.log().committed(), 1u);
  EXPECT_EQ(core.log().last_index(), 2u);
  const Ready ready = core.TakeReady();
  EXPECT_FALSE(ready.snapshot.has_value());
  core.Advance(ready);
  EXPECT_EQ(OfType(ready.messages, MessageType::kAppendResponse).at(0).index, 1u);
}

TEST(RaftSnapshot, ThatIsOldIsAnsweredAndIgnored) {
  RaftCore core(
      {.id = 2},
      {.hard_state = {.term = 1, .commit = 9}, .members = kTwo, .boundary = {9, 1}, .applied = 9});
  core.Step(SnapshotMessage(SnapshotTo(5)));
  EXPECT_EQ(core.log().boundary(), (EntryId{9, 1}));
  EXPECT_EQ(AnswerOf(core), 9u);
}

TEST(RaftSnapshot, OfAGroupWithoutThisMemberIsNotRestored) {
  RaftCore core({.id = 2}, Uninitialized());
  core.Step(SnapshotMessage(SnapshotTo(5, {1, 3})));
  EXPECT_EQ(core.log().last_index(), 0u);
  EXPECT_EQ(AnswerOf(core), 0u);
}

TEST(RaftSnapshot, ALeaderProvidesOnlyWhatWasApplied) {
  RaftCore leader = LeaderAhead();
  EXPECT_DEATH(leader.ProvideSnapshot(SnapshotTo(7)), "a snapshot shows what was applied");
}

}  // namespace
}  // namespace tinykv::raft
