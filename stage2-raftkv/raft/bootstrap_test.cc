#include "stage2-raftkv/raft/bootstrap.h"

#include <gtest/gtest.h>

#include "stage2-raftkv/raft/raft_test_util.h"

namespace tinykv::raft {
namespace {

TEST(Bootstrap, TheFirstEntryOfAGroupIsNumberSixOfTermSix) {
  RaftCore core({.id = 1}, Bootstrapped({1}));
  core.StartElection();
  const Ready ready = Flush(core);
  ASSERT_EQ(ready.committed.size(), 1u);
  EXPECT_EQ(ready.committed.front(), (Entry{.term = 6, .index = 6}));
}

TEST(Bootstrap, ANewMemberHasNothingToWriteOrToSay) {
  const RaftCore core({.id = 1}, Bootstrapped({1, 2, 3}));
  EXPECT_FALSE(core.HasReady());
  EXPECT_EQ(core.hard_state(), (HardState{.term = 5, .vote = kNone, .commit = 5}));
  EXPECT_EQ(core.log().last(), kBootstrapEntry);
}

TEST(Bootstrap, AnUninitializedPeerNeverCampaigns) {
  RaftCore core({.id = 4}, Uninitialized());
  for (int i = 0; i < 100; ++i) core.Tick();
  core.StartElection(true);
  EXPECT_EQ(core.role(), Role::kFollower);
  EXPECT_EQ(core.term(), 0u);
  EXPECT_FALSE(core.HasReady());
}

TEST(Bootstrap, AnUninitializedPeerIsBehindAndGetsASnapshot) {
  RaftCore leader({.id = 1}, Bootstrapped({1}));
  RaftCore peer({.id = 4}, Uninitialized());
  leader.StartElection();
  Flush(leader);
  leader.SwitchMembership({1, 4});
  bool was_wanted = false;
  for (int i = 0; i < 10 && peer.log().last_index() < 6; ++i) {
    leader.Tick();
    const Ready ready = Flush(leader);
    for (const Message& message : ready.messages) peer.Step(message);
    for (const Message& message : Flush(peer).messages) leader.Step(message);
    was_wanted = was_wanted || ready.snapshot_wanted;
    if (ready.snapshot_wanted) {
      leader.ProvideSnapshot({.last = {6, 6}, .members = {1, 4}, .data = "state"});
    }
  }
  EXPECT_TRUE(was_wanted);
  EXPECT_EQ(peer.members(), Membership({1, 4}));
  EXPECT_EQ(peer.log().boundary(), (EntryId{6, 6}));
  EXPECT_EQ(peer.term(), leader.term());
}

}  // namespace
}  // namespace tinykv::raft
