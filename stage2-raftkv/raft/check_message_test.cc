#include "stage2-raftkv/raft/check_message.h"

#include <gtest/gtest.h>

#include <functional>

#include "common/random.h"
#include "common/status.h"
#include "stage2-raftkv/raft/raft_test_util.h"

namespace tinykv::raft {
namespace {

constexpr uint64_t kHuge = ~uint64_t{0};

void ExpectRefused(const Message& message, const RaftCore& core, std::string_view why) {
  const absl::Status status = CheckMessage(message, core);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << ToString(message);
  EXPECT_NE(MessageOf(status).find(why), std::string_view::npos) << status;
}

// Peer 1 in term 7, with entries 1 to 4 of terms 1, 1, 6, 6, of which 3 are committed and 2 gone.
StoredState SomeFollowerState() {
  return {.hard_state = {.term = 7, .commit = 3},
          .members = {1, 2, 3},
          .boundary = {.index = 2, .term = 1},
          .entries = {{.term = 6, .index = 3}, {.term = 6, .index = 4}},
          .applied = 2};
}

RaftCore SomeFollower() { return RaftCore({.id = 1}, SomeFollowerState()); }

const Message kHeartbeat = {.type = MessageType::kHeartbeat, .to = 1, .from = 2, .term = 7};

// Entry 5 of term 7, behind 4 of term 6.
const Message kAppend = {.type = MessageType::kAppend,
                         .to = 1,
                         .from = 2,
                         .term = 7,
                         .log_term = 6,
                         .index = 4,
                         .entries = {{.term = 7, .index = 5}, {.term = 7, .index = 6}}};

const Message kSnapshot = {.type = MessageType::kSnapshot,
                           .to = 1,
                           .from = 2,
                           .term = 7,
                           .snapshot = Snapshot{.last = {20, 7}, .members = {1, 2, 3}}};

Message With(Message message, const std::function<void(Message&)>& change) {
  change(message);
  return message;
}

TEST(CheckMessage, LetsPassWhatMembersSend) {
  const RaftCore core = SomeFollower();
  for (const Message& message : {kHeartbeat, kAppend, kSnapshot}) {
    EXPECT_TRUE(CheckMessage(message, core).ok()) << CheckMessage(message, core);
  }
}

TEST(CheckMessage, LocalMisdirectedAndTermlessMessagesAreRefused) {
  const RaftCore core = SomeFollower();
  for (const MessageType type : {MessageType::kHup, MessageType::kBeat, MessageType::kPropose}) {
    ExpectRefused(With(kHeartbeat, [&](Message& m) { m.type = type; }), core, "never sent");
  }
  ExpectRefused(With(kHeartbeat, [](Message& m) { m.to = 2; }), core, "for peer 2 came to peer 1");
  ExpectRefused(With(kHeartbeat, [](Message& m) { m.from = 0; }), core, "from whom");
  ExpectRefused(With(kHeartbeat, [](Message& m) { m.from = 1; }), core, "to itself");
  ExpectRefused(With(kHeartbeat, [](Message& m) { m.term = 0; }), core, "must have a term");
}

TEST(CheckMessage, ARequestForATransferNeedsNoTermAndMayNameAnybody) {
  const RaftCore core = SomeFollower();
  const Message transfer{.type = MessageType::kTransferLeader, .to = 1, .from = 1};
  EXPECT_TRUE(CheckMessage(transfer, core).ok());
}

TEST(CheckMessage, CountsThatNobodyCanHaveReachedAreRefused) {
  const RaftCore core = SomeFollower();
  ExpectRefused(With(kHeartbeat, [](Message& m) { m.term = kHuge; }), core, "term 1844674407");
  ExpectRefused(With(kAppend, [](Message& m) { m.index = kHuge; }), core, "index 1844674407");
}

TEST(CheckMessage, EntriesWithGapsOrOutOfOrderAreRefused) {
  const RaftCore core = SomeFollower();
  ExpectRefused(With(kAppend, [](Message& m) { m.entries[0].index = 6; }), core,
                "entry 6 after entry 4");
  ExpectRefused(With(kAppend, [](Message& m) { m.entries[1].index = 5; }), core,
                "entry 5 after entry 5");
  ExpectRefused(With(kAppend, [](Message& m) { m.entries[0].index = 0; }), core,
                "entry 0 after entry 4");
}

TEST(CheckMessage, TermsThatGoBackOrAreYetToComeAreRefused) {
  const RaftCore core = SomeFollower();
  ExpectRefused(With(kAppend, [](Message& m) { m.entries[1].term = 6; }), core,
                "term 6 after one of term 7");
  ExpectRefused(With(kAppend, [](Message& m) { m.entries[0].term = 5; }), core,
                "term 5 after one of term 6");
  ExpectRefused(With(kAppend, [](Message& m) { m.entries[1].term = 8; }), core,
                "has an entry of term 8");
}

TEST(CheckMessage, EntriesThatContradictCommittedOnesAreRefused) {
  const RaftCore core = SomeFollower();
  Message append = kAppend;
  append.index = 1;
  append.log_term = 1;
  append.entries = {{.term = 1, .index = 2}, {.term = 6, .index = 3}, {.term = 7, .index = 4}};
  EXPECT_TRUE(CheckMessage(append, core).ok());
  append.entries[1].term = 5;
  ExpectRefused(append, core, "3 of term 6 is committed");
  append.entries[0].term = 2;  // of which only the term is left
  ExpectRefused(append, core, "2 of term 1 is committed");
  append.entries[2].term = 6;
  append.term = 6;  // of a leader that is not one any more, and is told so
  EXPECT_TRUE(CheckMessage(append, core).ok());
}

TEST(CheckMessage, SnapshotsThatCannotBeAreRefused) {
  const RaftCore core = SomeFollower();
  ExpectRefused(With(kSnapshot, [](Message& m) { m.snapshot.reset(); }), core, "no snapshot");
  ExpectRefused(With(kSnapshot, [](Message& m) { m.snapshot->last.index = 0; }), core, "entry 0");
  ExpectRefused(With(kSnapshot, [](Message& m) { m.snapshot->last.index = kHuge; }), core,
                "which cannot be");
  ExpectRefused(With(kSnapshot, [](Message& m) { m.snapshot->last.term = 8; }), core, "of term 8");
  ExpectRefused(With(kSnapshot, [](Message& m) { m.snapshot->last.term = 0; }), core, "of term 0");
  ExpectRefused(With(kSnapshot, [](Message& m) { m.snapshot->members = {}; }), core, "no members");
  ExpectRefused(With(kSnapshot, [](Message& m) { m.snapshot->members = {0, 1}; }), core, "peer 0");
}

TEST(CheckMessage, NobodyElseLeadsInATermThatOneWasElectedFor) {
  const RaftCore leader = LeaderOf({1, 2, 3});
  Message heartbeat = kHeartbeat;
  heartbeat.term = leader.term();
  ExpectRefused(heartbeat, leader, "claims to lead in term 1");
  heartbeat.term = leader.term() + 1;
  EXPECT_TRUE(CheckMessage(heartbeat, leader).ok());
}

TEST(CheckMessage, NobodyHasWhatTheLeaderHasNot) {
  const RaftCore leader = LeaderOf({1, 2, 3});
  Message answer{.type = MessageType::kAppendResponse,
                 .to = 1,
                 .from = 2,
                 .term = leader.term(),
                 .index = leader.log().last_index()};
  EXPECT_TRUE(CheckMessage(answer, leader).ok());
  ++answer.index;
  ExpectRefused(answer, leader, "says it has entry 2, but the leader's log ends with 1");
  answer.reject = true;  // a hint may be anything
  EXPECT_TRUE(CheckMessage(answer, leader).ok());
}

// Numbers near what is there, and far from it.
uint64_t SomeNumber(Random& random) {
  if (random.OneIn(8)) return kHuge - random.Uniform(3);
  return random.Uniform(9);
}

Message SomeMessage(Random& random) {
  static constexpr MessageType kTypes[] = {
      MessageType::kAppend,     MessageType::kAppendResponse,      MessageType::kRequestVote,
      MessageType::kSnapshot,   MessageType::kRequestVoteResponse, MessageType::kHeartbeat,
      MessageType::kPreVote,    MessageType::kHeartbeatResponse,   MessageType::kPreVoteResponse,
      MessageType::kTimeoutNow, MessageType::kTransferLeader,      MessageType{42},
      MessageType::kHup};
  Message message{.type = kTypes[random.Uniform(std::size(kTypes))],
                  .to = 1,
                  .from = random.Uniform(6),
                  .term = SomeNumber(random),
                  .log_term = SomeNumber(random),
                  .index = SomeNumber(random),
                  .commit = SomeNumber(random),
                  .reject = random.OneIn(3),
                  .rejected_index = SomeNumber(random),
                  .round = SomeNumber(random),
                  .by_leader = random.OneIn(2)};
  Index index = message.index;
  for (uint64_t i = random.Uniform(4); i > 0; --i) {
    index = random.OneIn(10) ? SomeNumber(random) : index + 1;
    message.entries.push_back({.term = SomeNumber(random), .index = index, .data = "data"});
  }
  if (random.OneIn(2)) {
    message.snapshot = Snapshot{.last = {SomeNumber(random), SomeNumber(random)}};
    for (const PeerId member : {0, 1, 2, 3, 4}) {
      if (random.OneIn(2)) message.snapshot->members.insert(member);
    }
  }
  return message;
}

// Whatever comes over the network: no check of the core's may end the process.
TEST(CheckMessage, NothingThatItLetsPassEndsTheProcess) {
  size_t passed = 0;
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    RaftCore core({.id = 1,
                   .random_seed = seed,
                   .pre_vote = random.OneIn(2),
                   .check_quorum = random.OneIn(2),
                   .fast_back_off = random.OneIn(2)},
                  SomeFollowerState());
    for (int step = 0; step < 60; ++step) {
      const Message message = SomeMessage(random);
      if (CheckMessage(message, core).ok()) {
        core.Step(message);
        ++passed;
      }
      if (random.OneIn(8)) core.StartElection(random.OneIn(2));
      if (random.OneIn(8)) core.Propose(EntryType::kNormal, {"own"}).IgnoreError();
      if (random.OneIn(8)) core.ReadIndex(step).IgnoreError();
      if (random.OneIn(3)) core.Tick();
      if (random.OneIn(3)) Flush(core);
      if (random.OneIn(9)) core.CompactTo(core.log().applied());
    }
  }
  EXPECT_GT(passed, 20'000u);
}

}  // namespace
}  // namespace tinykv::raft
