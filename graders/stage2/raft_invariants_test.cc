// Each invariant is shown what it must reject, and what it must not.
#include "graders/stage2/raft_invariants.h"

#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tinykv::grading {
namespace {

using raft::Entry;
using raft::Index;
using raft::MessageType;
using raft::PeerId;
using raft::Term;

const raft::Membership kMembers = {1, 2, 3};

raft::StoredState Stored(const std::vector<Term>& terms, Term term, Index commit = 0) {
  raft::StoredState stored{.hard_state = {.term = term, .commit = commit}, .members = kMembers};
  for (const Term of_entry : terms) {
    stored.entries.push_back({.term = of_entry, .index = stored.entries.size() + 1});
  }
  return stored;
}

// Three members that anything can be done to, without anybody who keeps them consistent.
class Invariants : public testing::Test {
 protected:
  Invariants() {
    for (PeerId id = 1; id <= 3; ++id) Become(id, Stored({}, 0));
  }

  // `id` is somebody else from now on.
  void Become(PeerId id, const raft::StoredState& stored) {
    disks_.emplace_back(stored);
    members_.emplace_back(raft::RaftOptions{.id = id}, disks_.back());
    view_.resize(3);
    view_[id - 1] = {.id = id, .member = &members_.back(), .disk = &disks_.back()};
  }

  RaftMember& member(PeerId id) {
    for (RaftMember& member : members_) {
      if (&member == view_[id - 1].member) return member;
    }
    return members_.front();
  }
  RaftDisk& disk(PeerId id) {
    for (RaftDisk& disk : disks_) {
      if (&disk == view_[id - 1].disk) return disk;
    }
    return disks_.front();
  }

  // Times out, and gets a vote that somebody has made up.
  void Lead(PeerId id) {
    raft::RaftCore& core = member(id).core();
    core.Step({.type = MessageType::kHup});
    core.Step({.type = MessageType::kRequestVoteResponse,
               .to = id,
               .from = id % 3 + 1,
               .term = core.term()});
    while (core.HasReady()) {
      member(id).TakeReady();
      member(id).Write(disk(id));
      member(id).FinishReady();
    }
  }

  // The name of what `id` breaks; "" if nothing.
  std::string EventAt(PeerId id) { return NameOf(invariants_.OnEvent(view_, id)); }
  std::string StartOf(PeerId id) { return NameOf(invariants_.OnStart(view_, id)); }
  static std::string NameOf(const RaftInvariants::Result& result) {
    return result ? result->invariant : "";
  }

  RaftInvariants invariants_;
  RaftGroupView view_;

 private:
  std::deque<RaftDisk> disks_;
  std::deque<RaftMember> members_;
};

TEST_F(Invariants, AcceptAnElection) {
  Lead(1);
  EXPECT_EQ(EventAt(1), "");
  EXPECT_EQ(EventAt(2), "");
}

TEST_F(Invariants, RejectTwoLeadersInATerm) {
  Lead(1);
  Lead(2);
  EXPECT_EQ(EventAt(1), "");
  EXPECT_EQ(EventAt(2), "ElectionSafety");
}

TEST_F(Invariants, AcceptLeadersOfSeveralTerms) {
  Lead(1);
  EXPECT_EQ(EventAt(1), "");
  Become(2, Stored({}, 1));
  Lead(2);
  EXPECT_EQ(EventAt(2), "");
}

TEST_F(Invariants, RejectALeaderThatRemovesAnEntry) {
  Lead(1);
  ASSERT_TRUE(member(1).core().Propose(raft::EntryType::kNormal, {raft::Payload("x")}).ok());
  EXPECT_EQ(EventAt(1), "");
  Become(1, Stored({}, 0));
  Lead(1);
  EXPECT_EQ(EventAt(1), "LeaderAppendOnly");
}

TEST_F(Invariants, RejectDifferentDataInOneEntry) {
  raft::StoredState stored = Stored({1}, 1);
  stored.entries[0].data = "a";
  Become(1, stored);
  stored.entries[0].data = "b";
  Become(2, stored);
  EXPECT_EQ(StartOf(1), "");
  EXPECT_EQ(StartOf(2), "LogMatching");
}

TEST_F(Invariants, RejectDifferentEntriesBeforeEqualOnes) {
  Become(1, Stored({1, 2}, 2));
  Become(2, Stored({2, 2}, 2));
  EXPECT_EQ(StartOf(1), "");
  EXPECT_EQ(StartOf(2), "LogMatching");
}

TEST_F(Invariants, AcceptLogsThatDivergeAndStay) {
  Become(1, Stored({1, 2, 2}, 3));
  Become(2, Stored({1, 3}, 3));
  EXPECT_EQ(StartOf(1), "");
  EXPECT_EQ(StartOf(2), "");
}

TEST_F(Invariants, RejectALeaderWithoutWhatWasCommitted) {
  Become(1, Stored({1}, 1, 1));
  EXPECT_EQ(StartOf(1), "");
  Become(2, Stored({}, 1));
  Lead(2);
  EXPECT_EQ(EventAt(2), "LeaderCompleteness");
}

// The votes for an old term may arrive late; its leader cannot commit any more, and does no harm.
TEST_F(Invariants, AcceptALateLeaderOfAnOlderTerm) {
  Become(1, Stored({2}, 2, 1));
  EXPECT_EQ(StartOf(1), "");
  Lead(2);
  EXPECT_EQ(member(2).core().term(), 1);
  EXPECT_EQ(EventAt(2), "");
}

TEST_F(Invariants, RejectDifferentCommittedEntries) {
  Become(1, Stored({1}, 2, 1));
  Become(2, Stored({2}, 2, 1));
  EXPECT_EQ(StartOf(1), "");
  EXPECT_EQ(StartOf(2), "StateMachineSafety");
}

TEST_F(Invariants, RejectWhatIsCommittedOnOneDiskOfThree) {
  Lead(1);
  EXPECT_EQ(EventAt(1), "");
  member(1).core().Step(
      {.type = MessageType::kAppendResponse, .to = 1, .from = 2, .term = 1, .index = 1});
  ASSERT_EQ(member(1).core().log().committed(), 1);
  EXPECT_EQ(EventAt(1), "CommittedIsStored");
}

TEST_F(Invariants, AcceptWhatIsCommittedOnTwoDisksOfThree) {
  Lead(1);
  EXPECT_EQ(EventAt(1), "");
  disk(2).entries = disk(1).entries;
  member(1).core().Step(
      {.type = MessageType::kAppendResponse, .to = 1, .from = 2, .term = 1, .index = 1});
  EXPECT_EQ(EventAt(1), "");
}

TEST_F(Invariants, RejectAReadyThatHandsOutWhatIsNotOnDisk) {
  raft::Ready ready{.committed = {{.term = 1, .index = 1}}};
  EXPECT_EQ(NameOf(RaftInvariants::OnReady(1, ready, disk(1))), "AppliedIsStored");
  disk(1).entries = ready.committed;
  EXPECT_EQ(NameOf(RaftInvariants::OnReady(1, ready, disk(1))), "");
}

TEST_F(Invariants, RejectReadysWithoutEnd) {
  EXPECT_EQ(NameOf(RaftInvariants::NoEnd(1, 100)), "ReadysEnd");
}

TEST_F(Invariants, RejectPromisesThatAreNotOnDisk) {
  const raft::Message vote{
      .type = MessageType::kRequestVoteResponse, .to = 2, .from = 1, .term = 1};
  const raft::Message has_two{
      .type = MessageType::kAppendResponse, .to = 2, .from = 1, .term = 1, .index = 2};
  EXPECT_EQ(NameOf(invariants_.OnSend(vote, disk(1))), "PromisesAreStored");  // the term
  disk(1).hard_state = {.term = 1};
  EXPECT_EQ(NameOf(invariants_.OnSend(vote, disk(1))), "PromisesAreStored");  // the vote
  EXPECT_EQ(NameOf(invariants_.OnSend(has_two, disk(1))), "PromisesAreStored");
  disk(1).hard_state.vote = 2;
  disk(1).entries = {{.term = 1, .index = 1}, {.term = 1, .index = 2}};
  EXPECT_EQ(NameOf(invariants_.OnSend(vote, disk(1))), "");
  EXPECT_EQ(NameOf(invariants_.OnSend(has_two, disk(1))), "");
}

TEST_F(Invariants, RejectTwoVotesInATermAcrossACrash) {
  raft::Message vote{.type = MessageType::kRequestVoteResponse, .to = 2, .from = 1, .term = 1};
  disk(1).hard_state = {.term = 1, .vote = 2};
  EXPECT_EQ(NameOf(invariants_.OnSend(vote, disk(1))), "");
  disk(1).hard_state = {.term = 1, .vote = 3};
  vote.to = 3;
  EXPECT_EQ(NameOf(invariants_.OnSend(vote, disk(1))), "OneVoteATerm");
}

// What nobody was told may be lost.
TEST_F(Invariants, AcceptThatACrashTakesAVoteBackThatNobodyHeardOf) {
  member(1).core().Step({.type = MessageType::kHup});
  EXPECT_EQ(EventAt(1), "");
  Become(1, Stored({}, 0));
  EXPECT_EQ(StartOf(1), "");
  member(1).core().Step({.type = MessageType::kRequestVote, .to = 1, .from = 3, .term = 1});
  EXPECT_EQ(EventAt(1), "");
}

TEST_F(Invariants, RejectAVoteThatChanges) {
  member(1).core().Step({.type = MessageType::kRequestVote, .to = 1, .from = 3, .term = 1});
  EXPECT_EQ(EventAt(1), "");
  Become(1, Stored({}, 0));
  member(1).core().Step({.type = MessageType::kRequestVote, .to = 1, .from = 2, .term = 1});
  EXPECT_EQ(EventAt(1), "OneVoteATerm");
}

TEST_F(Invariants, RejectWhatGoesBack) {
  Become(1, Stored({1, 1}, 3, 2));
  EXPECT_EQ(StartOf(1), "");
  EXPECT_EQ(EventAt(1), "");
  Become(1, Stored({1, 1}, 2, 2));
  EXPECT_EQ(EventAt(1), "Monotony");  // the term
  Become(1, Stored({1, 1}, 3, 1));
  EXPECT_EQ(EventAt(1), "Monotony");  // the commit index
  // A process that starts may know of a smaller commit index than the one before.
  EXPECT_EQ(StartOf(1), "");
}

TEST_F(Invariants, RejectATermThatIsForgottenInACrash) {
  disk(1).hard_state = {.term = 4};
  EXPECT_EQ(NameOf(invariants_.OnSend(
                {.type = MessageType::kHeartbeatResponse, .to = 2, .from = 1, .term = 4}, disk(1))),
            "");
  Become(1, Stored({}, 3));
  EXPECT_EQ(StartOf(1), "Monotony");
}

TEST_F(Invariants, RejectAReadThatMissesWhatWasCommitted) {
  Become(1, Stored({1, 1}, 1, 2));
  EXPECT_EQ(StartOf(1), "");
  invariants_.OnReadAsked(7);
  invariants_.OnReadAsked(8);
  EXPECT_EQ(NameOf(invariants_.OnReadAnswered(1, {.request = 7, .index = 2})), "");
  EXPECT_EQ(NameOf(invariants_.OnReadAnswered(2, {.request = 8, .index = 1})), "ReadsAreCurrent");
  EXPECT_EQ(NameOf(invariants_.OnReadAnswered(2, {.request = 9, .index = 2})), "ReadsAreCurrent");
}

TEST_F(Invariants, SayWhoDisagreesAboutWhat) {
  Lead(1);
  Lead(2);
  EXPECT_EQ(EventAt(1), "");
  EXPECT_EQ(invariants_.OnEvent(view_, 2)->sentence,
            "peers 1 and 2 have both become leader of term 1");
}

}  // namespace
}  // namespace tinykv::grading
