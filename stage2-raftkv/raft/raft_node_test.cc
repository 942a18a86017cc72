#include "stage2-raftkv/raft/raft_node.h"

#include <gtest/gtest.h>

#include <string>

#include "common/status.h"
#include "common/strings.h"
#include "stage2-raftkv/raft/raft_test_util.h"

namespace tinykv::raft {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class HandClock final : public Clock {
 public:
  Duration Now() const override { return now; }
  int64_t UnixMillis() const override { return 0; }

  Duration now = seconds(100);
};

// Writes down what it is told.
class Witness final : public Feature {
 public:
  Witness(std::string name, std::vector<std::string>& notes)
      : name_(std::move(name)), notes_(notes) {}

  absl::Status BeforePropose(RaftCore& /*core*/, EntryType type,
                             const std::vector<Payload>& data) override {
    notes_.push_back(name_ + " propose");
    if (type == EntryType::kConfChange) return FailedPrecondition("one change at a time");
    EXPECT_FALSE(data.empty());
    return absl::OkStatus();
  }
  bool OnUnknownMessage(RaftCore& core, const Message& message) override {
    notes_.push_back(Concat(name_, " unknown ", ToString(message.type)));
    if (message.type == MessageType::kTimeoutNow) core.StartElection(true);
    return message.type == MessageType::kTimeoutNow;
  }
  void AfterStep(RaftCore& /*core*/, const Message& message) override {
    notes_.push_back(Concat(name_, " after ", ToString(message.type)));
  }
  void AfterTick(RaftCore& /*core*/) override { notes_.push_back(name_ + " tick"); }
  void OnRoleChange(RaftCore& core) override {
    notes_.push_back(Concat(name_, " ", ToString(core.role()), " of ", core.term()));
  }

 private:
  std::string name_;
  std::vector<std::string>& notes_;
};

class RaftNodeTest : public testing::Test {
 protected:
  using Notes = std::vector<std::string>;

  RaftNodeTest() {
    for (const char* name : {"a", "b"}) {
      node_.AddFeature(std::make_unique<Witness>(name, notes_));
    }
  }

  Notes TakeNotes() { return std::exchange(notes_, {}); }

  std::vector<Message> FlushNode(RaftNode& node) {
    std::vector<Message> messages;
    while (node.HasReady()) {
      Ready ready = node.TakeReady();
      node.Advance(ready);
      MoveToEnd(messages, std::move(ready.messages));
    }
    return messages;
  }

  void BecomeLeader() {
    node_.StartElection();
    FlushNode(node_);
    ASSERT_TRUE(node_
                    .Step({.type = MessageType::kRequestVoteResponse,
                           .to = 1,
                           .from = 2,
                           .term = node_.core().term()})
                    .ok());
    FlushNode(node_);
    TakeNotes();
  }

  HandClock clock_;
  std::vector<std::string> notes_;
  RaftNode node_{{.id = 1}, {.hard_state = {.term = 3}, .members = {1, 2, 3}}, clock_};
};

TEST_F(RaftNodeTest, TellsFeaturesInTheOrderInWhichTheyWereAdded) {
  node_.Tick();
  EXPECT_EQ(TakeNotes(), Notes({"a tick", "b tick"}));
  EXPECT_TRUE(node_.Step({.type = MessageType::kHeartbeat, .to = 1, .from = 2, .term = 3}).ok());
  EXPECT_EQ(TakeNotes(), Notes({"a after Heartbeat", "b after Heartbeat"}));
}

TEST_F(RaftNodeTest, UnknownMessagesGoToFeaturesUntilOneHandlesThem) {
  EXPECT_TRUE(node_.Step({.type = MessageType{42}, .to = 1, .from = 2, .term = 3}).ok());
  EXPECT_EQ(TakeNotes(), Notes({"a unknown message 42", "b unknown message 42",
                                "a after message 42", "b after message 42"}));
  EXPECT_TRUE(node_.Step({.type = MessageType::kTimeoutNow, .to = 1, .from = 2, .term = 3}).ok());
  EXPECT_EQ(TakeNotes(), Notes({"a unknown TimeoutNow", "a after TimeoutNow", "b after TimeoutNow",
                                "a candidate of 4", "b candidate of 4"}));
}

TEST_F(RaftNodeTest, UnknownMessagesOfAnOldTermGoToNobody) {
  EXPECT_TRUE(node_.Step({.type = MessageType::kTimeoutNow, .to = 1, .from = 2, .term = 2}).ok());
  EXPECT_EQ(node_.core().role(), Role::kFollower);
  EXPECT_EQ(TakeNotes(), Notes({"a after TimeoutNow", "b after TimeoutNow"}));
}

TEST_F(RaftNodeTest, ARequestForATransferHasNoTermAndGoesToFeatures) {
  EXPECT_TRUE(node_.Step({.type = MessageType::kTransferLeader, .to = 1, .from = 2}).ok());
  EXPECT_EQ(TakeNotes().front(), "a unknown TransferLeader");
  EXPECT_EQ(node_.core().term(), 3u);
}

TEST_F(RaftNodeTest, RoleChangesAreToldOnceEach) {
  node_.StartElection();
  EXPECT_EQ(TakeNotes(), Notes({"a candidate of 4", "b candidate of 4"}));
  FlushNode(node_);
  EXPECT_TRUE(TakeNotes().empty());
  EXPECT_TRUE(
      node_.Step({.type = MessageType::kRequestVoteResponse, .to = 1, .from = 2, .term = 4}).ok());
  EXPECT_EQ(TakeNotes(), Notes({"a after RequestVoteResponse", "b after RequestVoteResponse",
                                "a leader of 4", "b leader of 4"}));
  node_.Tick();
  EXPECT_EQ(TakeNotes(), Notes({"a tick", "b tick"}));
  node_.SwitchMembership({2, 3});
  EXPECT_EQ(TakeNotes(), Notes({"a follower of 4", "b follower of 4"}));
}

TEST_F(RaftNodeTest, ANewTermIsAChangeEvenIfTheRoleIsTheSame) {
  EXPECT_TRUE(node_.Step({.type = MessageType::kHeartbeat, .to = 1, .from = 2, .term = 9}).ok());
  EXPECT_EQ(TakeNotes(), Notes({"a after Heartbeat", "b after Heartbeat", "a follower of 9",
                                "b follower of 9"}));
}

TEST_F(RaftNodeTest, AFeatureCanRefuseAProposal) {
  BecomeLeader();
  EXPECT_TRUE(node_.Propose(EntryType::kNormal, {"data"}).ok());
  EXPECT_EQ(TakeNotes(), Notes({"a propose", "b propose"}));
  const Index last = node_.core().log().last_index();
  const absl::Status status = node_.Propose(EntryType::kConfChange, {"change"});
  EXPECT_EQ(MessageOf(status), "one change at a time");
  EXPECT_EQ(TakeNotes(), Notes({"a propose"}));
  EXPECT_EQ(node_.core().log().last_index(), last);
}

TEST_F(RaftNodeTest, AProposalToWhoDoesNotLeadIsRefused) {
  EXPECT_EQ(node_.Propose(EntryType::kNormal, {"data"}).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(RaftNodeTest, AMessageThatCannotBeIsAnErrorAndChangesNothing) {
  const std::string before = node_.core().EncodeState();
  const Message heartbeat{.type = MessageType::kHeartbeat, .to = 2, .from = 3, .term = 9};
  EXPECT_EQ(node_.Step(heartbeat).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(node_.core().EncodeState(), before);
  EXPECT_TRUE(TakeNotes().empty());
}

// Peer 2 answers heartbeats and has stored the leader's no-op, peer 3 answers heartbeats only.
TEST(RaftNode, KnowsTheTimeWhenMembersChange) {
  HandClock clock;
  const RaftOptions options{
      .id = 1, .check_quorum = true, .lease = LeaseOptions{.tick_interval = milliseconds(100)}};
  RaftNode node(options, {.members = {1, 2, 3, 4}}, clock);
  const auto flush = [&node] {
    while (node.HasReady()) node.Advance(node.TakeReady());
  };
  const auto answer = [&](MessageType type, PeerId from, Index index, uint64_t round) {
    const Message message{
        .type = type, .to = 1, .from = from, .term = 1, .index = index, .round = round};
    ASSERT_TRUE(node.Step(message).ok());
  };
  node.StartElection(true);
  flush();
  answer(MessageType::kRequestVoteResponse, 2, 0, 0);
  answer(MessageType::kRequestVoteResponse, 3, 0, 0);
  flush();
  node.Tick();  // a round of heartbeats
  answer(MessageType::kHeartbeatResponse, 2, 0, 1);
  answer(MessageType::kHeartbeatResponse, 3, 0, 1);
  answer(MessageType::kAppendResponse, 2, 1, 0);
  flush();
  ASSERT_TRUE(node.ReadIndex(7).ok());
  ASSERT_FALSE(node.core().has_committed_in_term());
  clock.now += seconds(10);  // nobody has promised anything for so long
  node.SwitchMembership({1, 2, 3});
  ASSERT_TRUE(node.core().has_committed_in_term());
  EXPECT_TRUE(node.TakeReady().reads.empty());
}

}  // namespace
}  // namespace tinykv::raft
