#include "stage2-raftkv/raft/types.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <vector>

namespace tinykv::raft {
namespace {

const std::vector<MessageType> kAllTypes = {MessageType::kHup,
                                            MessageType::kBeat,
                                            MessageType::kPropose,
                                            MessageType::kAppend,
                                            MessageType::kRequestVote,
                                            MessageType::kAppendResponse,
                                            MessageType::kSnapshot,
                                            MessageType::kHeartbeat,
                                            MessageType::kRequestVoteResponse,
                                            MessageType::kTimeoutNow,
                                            MessageType::kPreVote,
                                            MessageType::kHeartbeatResponse,
                                            MessageType::kTransferLeader,
                                            MessageType::kPreVoteResponse};

TEST(Types, EveryMessageTypeHasANameOfItsOwn) {
  std::set<std::string> names;
  for (const MessageType type : kAllTypes) {
    EXPECT_EQ(ToString(type).find("message"), std::string::npos) << ToString(type);
    EXPECT_TRUE(names.insert(ToString(type)).second) << ToString(type);
  }
  EXPECT_EQ(ToString(MessageType{42}), "message 42");
}

TEST(Types, NoMessageTypeIsOfTwoKinds) {
  for (const MessageType type : kAllTypes) {
    EXPECT_LE(IsLocal(type) + IsFromLeader(type) + IsResponse(type), 1) << ToString(type);
  }
  EXPECT_FALSE(IsResponse(MessageType{42}));
}

TEST(Types, RolesHaveNames) {
  EXPECT_EQ(ToString(Role::kFollower), "follower");
  EXPECT_EQ(ToString(Role::kPreCandidate), "pre-candidate");
  EXPECT_EQ(ToString(Role::kCandidate), "candidate");
  EXPECT_EQ(ToString(Role::kLeader), "leader");
}

TEST(Types, AnAppendSaysWhatItBrings) {
  Message append{.type = MessageType::kAppend, .term = 2, .log_term = 1, .index = 3, .commit = 3};
  EXPECT_EQ(ToString(append), "Append term 2, after 3 of term 1, no entries, commit 3");
  append.entries = {{.term = 2, .index = 4}};
  EXPECT_EQ(ToString(append), "Append term 2, after 3 of term 1, entry 4 of term 2, commit 3");
  append.entries.push_back({.term = 2, .index = 5});
  append.entries.push_back({.term = 2, .index = 6});
  EXPECT_EQ(ToString(append),
            "Append term 2, after 3 of term 1, entries 4 to 6 of term 2, commit 3");
}

TEST(Types, OtherMessagesSayWhatTheyAreAbout) {
  EXPECT_EQ(ToString(Message{.type = MessageType::kPreVote, .term = 7, .log_term = 1, .index = 3}),
            "PreVote term 7, last entry 3 of term 1");
  EXPECT_EQ(ToString(Message{.type = MessageType::kSnapshot, .term = 7}),
            "Snapshot term 7, up to nothing");
  EXPECT_EQ(ToString(Message{
                .type = MessageType::kSnapshot, .term = 7, .snapshot = Snapshot{.last = {9, 6}}}),
            "Snapshot term 7, up to 9 of term 6");
  EXPECT_EQ(ToString(Message{.type = MessageType::kHeartbeat, .term = 7}), "Heartbeat term 7");
}

TEST(Types, AnswersSayWhetherTheyRefuse) {
  Message answer{.type = MessageType::kAppendResponse, .term = 7, .index = 3, .rejected_index = 8};
  EXPECT_EQ(ToString(answer), "AppendResponse term 7, has all up to 3");
  answer.reject = true;
  EXPECT_EQ(ToString(answer), "AppendResponse term 7, refuses what follows 8, try after 3");
  answer.type = MessageType::kRequestVoteResponse;
  EXPECT_EQ(ToString(answer), "RequestVoteResponse term 7, refused");
  answer.reject = false;
  EXPECT_EQ(ToString(answer), "RequestVoteResponse term 7, granted");
}

TEST(Types, AMajorityIsMoreThanHalf) {
  EXPECT_EQ(MajorityOf({1}), 1u);
  EXPECT_EQ(MajorityOf({1, 2}), 2u);
  EXPECT_EQ(MajorityOf({1, 2, 3}), 2u);
  EXPECT_EQ(MajorityOf({1, 2, 3, 4}), 3u);
  EXPECT_EQ(MajorityOf({1, 2, 3, 4, 5}), 3u);
}

TEST(Types, AnEntryTakesMoreThanItsData) {
  EXPECT_GT(SizeOf(Entry{}), 0u);
  EXPECT_EQ(SizeOf(Entry{.data = "1234"}), SizeOf(Entry{}) + 4);
}

TEST(EncodeMessage, TellsEveryFieldButTheRoundApart) {
  const std::vector<std::function<void(Message&)>> changes = {
      [](Message& m) { m.type = MessageType::kSnapshot; },
      [](Message& m) { m.to = 9; },
      [](Message& m) { m.from = 9; },
      [](Message& m) { m.term = 9; },
      [](Message& m) { m.log_term = 9; },
      [](Message& m) { m.index = 9; },
      [](Message& m) { m.commit = 9; },
      [](Message& m) { m.reject = true; },
      [](Message& m) { m.rejected_index = 9; },
      [](Message& m) { m.by_leader = true; },
      [](Message& m) { m.entries.push_back({}); },
      [](Message& m) { m.entries.push_back({.type = EntryType::kConfChange}); },
      [](Message& m) { m.entries.push_back({.term = 9}); },
      [](Message& m) { m.entries.push_back({.index = 9}); },
      [](Message& m) { m.entries.push_back({.data = "9"}); },
      [](Message& m) { m.snapshot.emplace(); },
      [](Message& m) { m.snapshot = Snapshot{.last = {.index = 9}}; },
      [](Message& m) { m.snapshot = Snapshot{.last = {.term = 9}}; },
      [](Message& m) { m.snapshot = Snapshot{.members = {9}}; },
      [](Message& m) { m.snapshot = Snapshot{.data = "9"}; }};
  std::set<std::string> encoded = {EncodeMessage(Message{})};
  for (size_t i = 0; i < changes.size(); ++i) {
    Message message;
    changes[i](message);
    EXPECT_TRUE(encoded.insert(EncodeMessage(message)).second) << "change " << i;
  }
  EXPECT_EQ(EncodeMessage({.round = 9}), EncodeMessage({}));
}

TEST(EncodeMessage, OfTwoInARowIsNotThatOfTwoOthers) {
  const Message with{.type = MessageType::kAppend, .snapshot = Snapshot{}};
  const Message without{.type = MessageType::kAppend};
  EXPECT_NE(EncodeMessage(with) + EncodeMessage(without),
            EncodeMessage(without) + EncodeMessage(with));
}

}  // namespace
}  // namespace tinykv::raft
