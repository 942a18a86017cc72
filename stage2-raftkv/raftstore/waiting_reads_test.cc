#include "stage2-raftkv/raftstore/waiting_reads.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/status.h"

namespace tinykv::raftstore {
namespace {

using Strings = std::vector<std::string>;

class WaitingReadsTest : public testing::Test {
 protected:
  uint64_t Add(const std::string& name, uint64_t tick = 0) {
    return reads_.Add(tick, [this, name](const absl::StatusOr<metapb::Region>& region) {
      answers_.push_back(region.ok() ? Concat(name, " region ", region->id())
                                     : Concat(name, ' ', MessageOf(region.status())));
    });
  }
  void Serve(raft::Index applied) {
    metapb::Region region;
    region.set_id(7);
    reads_.Serve(applied, region);
  }
  Strings Answers() { return std::exchange(answers_, {}); }

  WaitingReads reads_;
  Strings answers_;
};

TEST_F(WaitingReadsTest, NobodyIsServedBeforeRaftHasConfirmed) {
  const uint64_t number = Add("a");
  Serve(100);
  EXPECT_EQ(Answers(), Strings{});
  reads_.Confirm({.request = number, .index = 100});
  EXPECT_EQ(Answers(), Strings{});
  Serve(100);
  EXPECT_EQ(Answers(), Strings{"a region 7"});
  EXPECT_EQ(reads_.size(), 0u);
}

TEST_F(WaitingReadsTest, EachWaitsUntilItsIndexIsApplied) {
  const uint64_t a = Add("a");
  const uint64_t b = Add("b");
  const uint64_t c = Add("c");
  EXPECT_NE(a, b);
  reads_.Confirm({.request = b, .index = 5});
  reads_.Confirm({.request = a, .index = 7});
  reads_.Confirm({.request = c, .index = 5});
  Serve(4);
  EXPECT_EQ(Answers(), Strings{});
  Serve(6);
  EXPECT_EQ(Answers(), (Strings{"b region 7", "c region 7"}));
  Serve(7);
  EXPECT_EQ(Answers(), Strings{"a region 7"});
}

TEST_F(WaitingReadsTest, WhoIsRefusedIsToldOnceAndNeverServed) {
  const uint64_t number = Add("a");
  reads_.Refuse(number, Unavailable("no"));
  EXPECT_EQ(Answers(), Strings{"a no"});
  reads_.Refuse(number, Unavailable("no"));
  reads_.Confirm({.request = number, .index = 1});
  Serve(1);
  EXPECT_EQ(Answers(), Strings{});
}

TEST_F(WaitingReadsTest, GivesUpOnlyWhatIsOldAndNotConfirmed) {
  const uint64_t confirmed = Add("confirmed", 1);
  Add("old", 1);
  Add("new", 2);
  reads_.Confirm({.request = confirmed, .index = 9});
  reads_.GiveUp(2, Unavailable("time"));
  EXPECT_EQ(Answers(), Strings{"old time"});
  EXPECT_EQ(reads_.size(), 2u);
  Serve(9);
  EXPECT_EQ(Answers(), Strings{"confirmed region 7"});
}

TEST_F(WaitingReadsTest, AtTheEndEverybodyIsTold) {
  const uint64_t confirmed = Add("confirmed");
  Add("asked");
  reads_.Confirm({.request = confirmed, .index = 9});
  reads_.RefuseAll(Unavailable("the end"));
  EXPECT_EQ(Answers(), (Strings{"asked the end", "confirmed the end"}));
  EXPECT_EQ(reads_.size(), 0u);
}

TEST_F(WaitingReadsTest, AnAnswerMayAskAgain) {
  const uint64_t number =
      reads_.Add(0, [this](const absl::StatusOr<metapb::Region>&) { Add("again"); });
  reads_.Confirm({.request = number, .index = 1});
  Serve(1);
  EXPECT_EQ(reads_.size(), 1u);
}

}  // namespace
}  // namespace tinykv::raftstore
