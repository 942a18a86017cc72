#include "stage2-raftkv/raftstore/rejoin.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "stage2-raftkv/raftstore/peer_storage.h"
#include "stage2-raftkv/raftstore/raftstore_test_util.h"

namespace tinykv::raftstore {
namespace {

using raft::Message;
using raft::MessageType;
using raft::Ready;

constexpr uint64_t kNumber = 77;

raft::Entry EntryOf(raft::Index index, raft::Term term) { return {.term = term, .index = index}; }

// Peer 1 of 1, 2 and 3, which has lost its disk.
class RejoinTest : public StartedStoreTest {
 protected:
  void SetUp() override {
    Open();
    ASSERT_TRUE(InitializeStore(machine_.engines(), IdentOf(9, 1), FirstRegion({1, 2, 3}),
                                Beginning::kRejoin)
                    .ok());
  }

  bool Answer(raft::PeerId from, raft::Term term, uint64_t number = kNumber) {
    return rejoin_.OnAnswer(
        {.type = MessageType::kTellTerm, .to = 1, .from = from, .term = term, .round = number},
        core_);
  }
  bool Save(const Ready& ready) {
    lsm::WriteBatch batch;
    const bool is_over = rejoin_.Save(ready, batch);
    EXPECT_TRUE(machine_.raft().Write({.sync = true}, batch).ok());
    return is_over;
  }
  // "none", or the term above which the peer rejoins.
  std::string Load(raft::Term last_term = 5) {
    const auto state = LoadRejoin(machine_.raft(), 1, last_term);
    if (!state.ok()) return state.status().ToString();
    return *state ? Concat((*state)->above_term()) : "none";
  }

  raft::RaftCore core_{{.id = 1}, raft::Bootstrapped({1, 2, 3})};
  Rejoin rejoin_{1, {}, {2, 3}, kNumber};
};

TEST_F(RejoinTest, AsksWhoHasNotAnsweredLessAndLessOften) {
  std::vector<int> asked;
  for (int tick = 1; tick <= 40; ++tick) {
    const std::vector<Message> questions = rejoin_.Tick(core_);
    if (questions.empty()) continue;
    asked.push_back(tick);
    ASSERT_EQ(questions.size(), asked.size() > 2 ? 1u : 2u);
    EXPECT_EQ(questions.back().to, 3u);
    EXPECT_EQ(questions.back().round, kNumber);
    EXPECT_EQ(questions.back().from, 1u);
    if (asked.size() == 2) {
      EXPECT_FALSE(Answer(2, 6));
    }
  }
  EXPECT_EQ(asked, (std::vector<int>{1, 3, 7, 15, 31}));
}

TEST_F(RejoinTest, TakesTheHighestTermOfAllOthers) {
  EXPECT_FALSE(Answer(2, 9));
  EXPECT_FALSE(Answer(2, 10));  // once each
  EXPECT_TRUE(rejoin_.is_asking());
  EXPECT_TRUE(Answer(3, 7));
  EXPECT_FALSE(rejoin_.is_asking());
  EXPECT_EQ(rejoin_.above_term(), 9u);
  EXPECT_FALSE(Answer(3, 20));
  EXPECT_EQ(rejoin_.above_term(), 9u);
}

TEST_F(RejoinTest, DoesNotTakeAnAnswerToAnotherLife) {
  EXPECT_FALSE(Answer(2, 6, kNumber + 1));
  EXPECT_FALSE(Answer(3, 6, 0));
  EXPECT_FALSE(Answer(4, 6));  // nor from somebody who is no member
  EXPECT_EQ(rejoin_.Tick(core_).size(), 2u);
}

TEST_F(RejoinTest, AnswersSayTheTermAndTheNumber) {
  const Message answer =
      AnswerTo({.type = MessageType::kAskTerm, .to = 1, .from = 3, .term = 5, .round = 8}, core_);
  EXPECT_EQ(answer.type, MessageType::kTellTerm);
  EXPECT_EQ(answer.to, 3u);
  EXPECT_EQ(answer.from, 1u);
  EXPECT_EQ(answer.term, core_.term());
  EXPECT_EQ(answer.round, 8u);
}

TEST_F(RejoinTest, TakesNoPartUntilItKnowsTheTermAndThenOnlyFollows) {
  const auto admitted = [&] {
    int count = 0;
    for (int type = 0; type < 120; ++type) count += rejoin_.Admits(MessageType(type)) ? 1 : 0;
    return count;
  };
  EXPECT_EQ(admitted(), 0);
  Answer(2, 6);
  EXPECT_EQ(admitted(), 0);
  Answer(3, 6);
  EXPECT_TRUE(rejoin_.Admits(MessageType::kAppend));
  EXPECT_TRUE(rejoin_.Admits(MessageType::kHeartbeat));
  EXPECT_TRUE(rejoin_.Admits(MessageType::kSnapshot));
  EXPECT_EQ(admitted(), 3);
}

TEST_F(RejoinTest, IsOverOnceAnEntryOfALaterTermIsStored) {
  EXPECT_EQ(Load(), "0");
  Answer(2, 6);
  EXPECT_EQ(Load(), "0");  // a crash now starts over
  Answer(3, 7);
  EXPECT_FALSE(Save({.hard_state = raft::HardState{.term = 8, .vote = 1, .commit = 5}}));
  EXPECT_EQ(Load(), "7");
  EXPECT_FALSE(Save({.entries = {EntryOf(6, 6), EntryOf(7, 7)}}));
  EXPECT_FALSE(Save({.snapshot = raft::Snapshot{.last = {9, 7}}}));
  EXPECT_EQ(Load(), "7");
  EXPECT_TRUE(Save({.entries = {EntryOf(10, 7), EntryOf(11, 9)}}));
  EXPECT_EQ(Load(), "none");
}

TEST_F(RejoinTest, IsOverWithASnapshotThatEndsInALaterTerm) {
  Answer(2, 6);
  Answer(3, 7);
  EXPECT_TRUE(Save({.snapshot = raft::Snapshot{.last = {9, 8}}}));
  EXPECT_EQ(Load(), "none");
}

TEST_F(RejoinTest, GoesOnAfterACrash) {
  Answer(2, 6);
  Answer(3, 7);
  Save({.hard_state = raft::HardState{.term = 8, .vote = 1, .commit = 5}});
  LosePowerAndOpen();
  const auto loaded = PeerStorage::Load(machine_.engines(), 1);
  ASSERT_TRUE(loaded.ok() && loaded->rejoin) << loaded.status();
  Rejoin later(1, *loaded->rejoin, {2, 3}, kNumber + 1);
  EXPECT_FALSE(later.is_asking());
  EXPECT_TRUE(later.Tick(core_).empty());
  EXPECT_FALSE(later.Admits(MessageType::kRequestVote));
  EXPECT_EQ(later.above_term(), 7u);
}

// A crash came when a snapshot's data was in place, and not yet the log's.
TEST_F(RejoinTest, LeavesNoMarkBehindThatIsNotNeeded) {
  Answer(2, 6);
  Answer(3, 7);
  Save({});
  EXPECT_EQ(Load(7), "7");
  EXPECT_EQ(Load(8), "none");
  EXPECT_EQ(Load(7), "none");
}

TEST_F(RejoinTest, AMarkThatKnowsNoTermStaysWhateverTheLogHas) { EXPECT_EQ(Load(100), "0"); }

TEST_F(RejoinTest, SaysWhatItWaitsFor) {
  EXPECT_EQ(rejoin_.Describe(), "asks for the terms of peers 2, 3");
  Answer(2, 6);
  EXPECT_EQ(rejoin_.Describe(), "asks for the terms of peers 3");
  Answer(3, 6);
  EXPECT_EQ(rejoin_.Describe(), "waits for an entry of a term after 6");
}

}  // namespace
}  // namespace tinykv::raftstore
