#include "stage2-raftkv/raftstore/proposals.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "common/status.h"
#include "common/storage/region_error.h"

namespace tinykv::raftstore {
namespace {

constexpr uint64_t kAll = std::numeric_limits<uint64_t>::max();

class ProposalQueueTest : public testing::Test {
 protected:
  void Add(raft::Index index, raft::Term term, uint64_t tick = 0) {
    queue_.Add({.index = index, .term = term}, tick, [this, index](const absl::Status& status) {
      const auto error = RegionErrorOf(status);
      answers_.push_back(Concat(index, error && error->has_stale_command() ? " stale"
                                       : status.ok()                       ? " ok"
                                                                           : " other"));
    });
  }
  // Whether somebody waited for it; that one is told that it is applied.
  bool Take(raft::Index index, raft::Term term) {
    CommandDone done = queue_.Take({.index = index, .term = term});
    if (!done) return false;
    done(absl::OkStatus());
    return true;
  }
  // What was answered since.
  std::vector<std::string> Answers() { return std::exchange(answers_, {}); }

  using Strings = std::vector<std::string>;
  ProposalQueue queue_;
  Strings answers_;
};

TEST_F(ProposalQueueTest, GivesBackWhoWaitsForThatIndexAndTerm) {
  Add(6, 2);
  Add(7, 2);
  EXPECT_TRUE(Take(6, 2));
  EXPECT_EQ(Answers(), Strings{"6 ok"});
  EXPECT_EQ(queue_.size(), 1u);
  EXPECT_TRUE(Take(7, 2));
  EXPECT_EQ(queue_.size(), 0u);
}

TEST_F(ProposalQueueTest, NobodyWaitsForEntriesOfOthers) {
  EXPECT_FALSE(Take(5, 1));
  Add(7, 2);
  EXPECT_FALSE(Take(5, 1));  // of before this leader's time
  EXPECT_FALSE(Take(6, 2));  // its no-op
  EXPECT_EQ(Answers(), Strings{});
  EXPECT_TRUE(Take(7, 2));
}

TEST_F(ProposalQueueTest, AnswersWhoLostHisPlaceWithStaleCommand) {
  Add(6, 2);
  EXPECT_FALSE(Take(6, 3));
  EXPECT_EQ(Answers(), Strings{"6 stale"});
  EXPECT_EQ(queue_.size(), 0u);
}

TEST_F(ProposalQueueTest, AnswersAllOfAnOlderTermOnceANewerOneCommits) {
  Add(6, 2);
  Add(7, 2);
  Add(8, 4);  // it led again
  EXPECT_FALSE(Take(6, 3));
  EXPECT_EQ(Answers(), (Strings{"6 stale", "7 stale"}));
  EXPECT_FALSE(Take(7, 4));
  EXPECT_TRUE(Take(8, 4));
}

TEST_F(ProposalQueueTest, AnswersWhosePlaceIsDecidedThoughTheTermThereIsOlder) {
  Add(6, 3);
  Add(8, 3);
  EXPECT_FALSE(Take(6, 2));
  EXPECT_EQ(Answers(), Strings{"6 stale"});
  EXPECT_FALSE(Take(9, 3));  // jumped over, as by a snapshot
  EXPECT_EQ(Answers(), Strings{"8 stale"});
}

TEST_F(ProposalQueueTest, GivesUpWhatIsOlderThanATickInOrder) {
  Add(6, 2, 10);
  Add(7, 2, 11);
  Add(8, 2, 12);
  queue_.GiveUp(10, "time");
  EXPECT_EQ(Answers(), Strings{});
  queue_.GiveUp(12, "time");
  EXPECT_EQ(Answers(), (Strings{"6 stale", "7 stale"}));
  EXPECT_TRUE(Take(8, 2));
  Add(9, 2, 13);
  queue_.GiveUp(kAll, "the end");
  EXPECT_EQ(Answers(), (Strings{"8 ok", "9 stale"}));
}

TEST_F(ProposalQueueTest, AnAnswerMayAddAnother) {
  queue_.Add({.index = 6, .term = 2}, 0, [this](const absl::Status&) { Add(9, 3); });
  EXPECT_FALSE(Take(6, 3));
  EXPECT_EQ(queue_.size(), 1u);
  EXPECT_TRUE(Take(9, 3));
}

}  // namespace
}  // namespace tinykv::raftstore
