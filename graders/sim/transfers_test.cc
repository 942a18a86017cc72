#include "graders/sim/transfers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "common/strings.h"
#include "graders/sim/world.h"

namespace tinykv::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using CrashKind = World::CrashKind;

constexpr NodeId kSender = 1;
constexpr NodeId kReceiver = 2;

// What a transfer is like: how long, and who makes an error of which chunk.
struct Plan {
  size_t chunks = 4;
  size_t source_fails_at = SIZE_MAX;
  size_t sink_fails_at = SIZE_MAX;
  bool finish_fails = false;
  bool refuse = false;
  Duration pause = {};  // of the source, before each chunk and the end
};

// What there is to see of one.
struct Sent {
  std::vector<absl::Status> done = {};
  bool source_gone = false;
};
struct Received {
  std::string content = {};
  bool finished = false;
  bool gone = false;
};

std::string ChunkNumber(size_t i) { return Concat("chunk ", i, std::string(100 * i, '.'), ";"); }

std::string ContentOf(const Plan& plan) {
  std::string content;
  for (size_t i = 0; i < plan.chunks; ++i) content += ChunkNumber(i);
  return content;
}

class Source final : public ChunkSource {
 public:
  Source(Machine& machine, const Plan& plan, std::shared_ptr<Sent> sent)
      : machine_(machine), plan_(plan), sent_(std::move(sent)) {}
  ~Source() override { sent_->source_gone = true; }

  Duration Wait() override { return may_go_ - machine_.clock().Now(); }
  absl::StatusOr<std::optional<std::string>> Next() override {
    EXPECT_LE(Wait(), Duration::zero());
    may_go_ = machine_.clock().Now() + plan_.pause;
    machine_.disk().Exists("a file");  // takes time
    if (next_ == plan_.source_fails_at) return DataLoss("a bad sector");
    if (next_ == plan_.chunks) return std::nullopt;
    return ChunkNumber(next_++);
  }

 private:
  Machine& machine_;
  const Plan plan_;
  const std::shared_ptr<Sent> sent_;
  size_t next_ = 0;
  Duration may_go_ = machine_.clock().Now() + plan_.pause;
};

class Sink final : public ChunkSink {
 public:
  Sink(Machine& machine, const Plan& plan, std::shared_ptr<Received> received)
      : machine_(machine), plan_(plan), received_(std::move(received)) {}
  ~Sink() override { received_->gone = true; }

  absl::Status Take(std::string chunk) override {
    machine_.disk().Exists("a file");
    EXPECT_FALSE(received_->finished);
    if (taken_++ == plan_.sink_fails_at) return ResourceExhausted("the disk is full");
    received_->content += chunk;
    return absl::OkStatus();
  }
  absl::Status Finish() override {
    EXPECT_FALSE(received_->finished);
    if (plan_.finish_fails) return DataLoss("a wrong checksum");
    received_->finished = true;
    return absl::OkStatus();
  }

 private:
  Machine& machine_;
  const Plan plan_;
  const std::shared_ptr<Received> received_;
  size_t taken_ = 0;
};

// Two machines (or more), each of which sends, if asked, and receives.
class TransferWorld {
 public:
  explicit TransferWorld(const Plan& plan = {}, const World::Options& options = {}, int nodes = 2)
      : world(options), plan_(plan) {
    for (int i = 0; i < nodes; ++i) {
      const NodeId node = world.AddNode({}, [this](Machine& machine) {
        if (accepting) {
          machine.transport().SetAcceptor(
              [this, &machine](StoreId from) { return Accept(machine, from); });
        }
        machine.transport().SetReceiver(
            [this](StoreId, const std::string& message) { messages.push_back(message); });
        return std::make_unique<Process>();
      });
      world.Start(node);
    }
  }

  std::shared_ptr<Sent> Transfer(NodeId from = kSender, NodeId to = kReceiver) {
    sent.push_back(std::make_shared<Sent>());
    Machine& machine = world.machine(from);
    auto record = sent.back();
    machine.transport().Transfer(to, std::make_unique<Source>(machine, plan_, record),
                                 [record](absl::Status status) {
                                   EXPECT_TRUE(record->source_gone);
                                   record->done.push_back(std::move(status));
                                 });
    EXPECT_TRUE(record->done.empty());
    return record;
  }

  // Runs until all are done or a minute has passed.
  bool RunUntilDone() {
    return world.RunUntil(
        [this] {
          return std::all_of(sent.begin(), sent.end(),
                             [](const auto& each) { return !each->done.empty(); });
        },
        seconds(60));
  }
  // The outcome of a single one.
  absl::Status Outcome() {
    EXPECT_TRUE(RunUntilDone());
    world.RunFor(seconds(10));
    EXPECT_EQ(sent[0]->done.size(), 1u);
    return sent[0]->done[0];
  }

  // Called at the end: nothing is left, and what arrived is whole.
  void Check() {
    world.RunFor(seconds(10));
    for (const auto& each : sent) {
      EXPECT_TRUE(each->source_gone);
      EXPECT_LE(each->done.size(), 1u);
    }
    for (const auto& each : received) {
      EXPECT_TRUE(each->gone);
      if (each->finished) {
        EXPECT_EQ(each->content, ContentOf(plan_));
      }
    }
  }
  size_t finished() const {
    return static_cast<size_t>(std::count_if(received.begin(), received.end(),
                                             [](const auto& each) { return each->finished; }));
  }
  size_t succeeded() const {
    return static_cast<size_t>(std::count_if(sent.begin(), sent.end(), [](const auto& each) {
      return !each->done.empty() && each->done[0].ok();
    }));
  }

  bool accepting = true;
  std::vector<std::shared_ptr<Sent>> sent;
  std::vector<std::shared_ptr<Received>> received;
  std::vector<StoreId> senders;
  std::vector<std::string> messages;
  World world;

 private:
  absl::StatusOr<std::unique_ptr<ChunkSink>> Accept(Machine& machine, StoreId from) {
    senders.push_back(from);
    if (plan_.refuse) return ResourceExhausted("no room for one more");
    received.push_back(std::make_shared<Received>());
    return std::make_unique<Sink>(machine, plan_, received.back());
  }

  const Plan plan_;
};

TEST(Transfers, AreAsSlowAsTheirSourceWants) {
  TransferWorld w({.chunks = 10, .pause = milliseconds(700)}, {.seed = 3});
  w.world.network().SetLinks(
      {.delay_max = milliseconds(50), .loss_percent = 10, .duplicate_percent = 20});
  w.Transfer();
  EXPECT_FALSE(w.world.RunUntil([&] { return !w.sent[0]->done.empty(); }, milliseconds(7600)));
  EXPECT_TRUE(w.Outcome().ok());
  EXPECT_EQ(w.finished(), 1u);
  w.Check();
}

TEST(Transfers, ArriveWhole) {
  for (const size_t chunks : {0, 1, 4, 20}) {
    TransferWorld w({.chunks = chunks});
    const auto sent = w.Transfer();
    EXPECT_TRUE(w.Outcome().ok());
    EXPECT_EQ(w.senders, std::vector<StoreId>{kSender});
    EXPECT_TRUE(w.received[0]->finished);
    EXPECT_EQ(w.received[0]->content, ContentOf({.chunks = chunks}));
    w.Check();
  }
}

TEST(Transfers, TakeOneRoundTripAChunk) {
  TransferWorld w;
  w.Transfer();
  w.RunUntilDone();
  EXPECT_EQ(w.world.clock().Now(), milliseconds(12));  // and one each to begin and to end
}

TEST(Transfers, SurviveLossDuplicatesAndDisorder) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    TransferWorld w({.chunks = 10}, {.seed = seed});
    w.world.network().SetLinks({.delay_min = milliseconds(0),
                                .delay_max = milliseconds(30),
                                .loss_percent = 20,
                                .duplicate_percent = 40,
                                .straggler_percent = 10,
                                .straggler_delay = milliseconds(500)});
    w.Transfer();
    w.Transfer();
    w.Transfer(kReceiver, kSender);
    w.Transfer(kSender, kSender);
    ASSERT_TRUE(w.RunUntilDone());
    w.Check();
    EXPECT_EQ(w.succeeded(), 4u) << "seed " << seed;
    EXPECT_EQ(w.finished(), 4u) << "seed " << seed;
    EXPECT_EQ(w.received.size(), 4u) << "seed " << seed;
  }
}

TEST(Transfers, EndOnAnyNetworkAndWhoSucceededHasArrived) {
  size_t succeeded = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    TransferWorld w({}, {.seed = seed}, 3);
    w.world.network().SetLinks(LinkOptions::Draw(w.world.random()));
    for (NodeId to = 1; to <= 3; ++to) w.Transfer(kSender, to);
    EXPECT_TRUE(w.RunUntilDone()) << "seed " << seed;
    w.Check();
    EXPECT_LE(w.succeeded(), w.finished()) << "seed " << seed;
    EXPECT_LE(w.received.size(), 3u) << "seed " << seed;
    succeeded += w.succeeded();
  }
  EXPECT_GT(succeeded, 800u);
}

// Does something to a transfer after each number of events, and looks what comes of it.
void AfterEachEvent(const std::function<void(TransferWorld&)>& fault,
                    const std::function<void(TransferWorld&)>& check) {
  size_t before_sink = 0, within = 0, after_finish = 0;
  for (uint64_t events = 0;; ++events) {
    SCOPED_TRACE(Concat("after ", Counted(events, "event")));
    TransferWorld w;
    w.Transfer();
    while (w.world.events() < events) ASSERT_TRUE(w.world.RunOne());
    if (!w.sent[0]->done.empty()) break;
    ++(w.received.empty() ? before_sink : w.received[0]->finished ? after_finish : within);
    fault(w);
    check(w);
    w.Check();
    EXPECT_LE(w.received.size(), 1u);
  }
  // The fault met every part of it.
  EXPECT_GT(before_sink, 3u);
  EXPECT_GT(within, 10u);
  EXPECT_GT(after_finish, 0u);
}

// The sender has been told once; and of success only where it was one.
void CheckToldOnce(TransferWorld& w) {
  const bool finished = w.finished() > 0;
  const absl::Status outcome = w.Outcome();
  EXPECT_LE(w.world.clock().Now(), Transfers::kPatience + seconds(11));
  if (!finished) {
    EXPECT_FALSE(outcome.ok());
    EXPECT_EQ(w.finished(), 0u);
  }
}

TEST(Transfers, BreakWhereverTheSenderCrashes) {
  const auto check = [](TransferWorld& w) {
    w.world.RunFor(Transfers::kPatience + seconds(1));
    EXPECT_TRUE(w.sent[0]->source_gone);
    EXPECT_TRUE(w.sent[0]->done.empty());
  };
  AfterEachEvent([](TransferWorld& w) { w.world.Crash(kSender, CrashKind::kProcess); }, check);
  const auto restart = [](TransferWorld& w) {
    w.world.Crash(kSender, CrashKind::kPower);
    w.world.Start(kSender);
  };
  AfterEachEvent(restart, check);
}

TEST(Transfers, BreakWhereverTheReceiverCrashes) {
  AfterEachEvent([](TransferWorld& w) { w.world.Crash(kReceiver, CrashKind::kProcess); },
                 CheckToldOnce);
}

TEST(Transfers, BreakWhereverTheReceiverRestartsAfterItBegan) {
  const auto restart = [](TransferWorld& w) {
    w.world.Crash(kReceiver, CrashKind::kPower);
    w.world.Start(kReceiver);
  };
  AfterEachEvent(restart, [](TransferWorld& w) {
    const size_t sinks = w.received.size();
    const bool finished = w.finished() > 0;
    const absl::Status outcome = w.Outcome();
    if (sinks == 1 && !finished) {
      EXPECT_EQ(outcome.code(), absl::StatusCode::kUnavailable);
      EXPECT_EQ(w.finished(), 0u);
    }
    // The new process says at once that it knows nothing of it.
    EXPECT_LE(w.world.clock().Now(), seconds(11));
  });
}

TEST(Transfers, BreakWhereverTheLinkIsCut) {
  for (const auto& [from, to] : {std::pair(kSender, kReceiver), std::pair(kReceiver, kSender)}) {
    AfterEachEvent([from = from, to = to](TransferWorld& w) { w.world.network().Cut(from, to); },
                   [](TransferWorld& w) {
                     w.world.RunFor(Transfers::kPatience + seconds(1));
                     // Whatever the one who hears nothing may think, both have ended it.
                     EXPECT_EQ(w.sent[0]->done.size(), 1u);
                     EXPECT_TRUE(w.received.empty() || w.received[0]->gone);
                     if (w.finished() == 0) {
                       EXPECT_EQ(w.sent[0]->done[0].code(), absl::StatusCode::kDeadlineExceeded);
                     }
                   });
  }
}

TEST(Transfers, SurviveACutThatIsShorterThanPatience) {
  AfterEachEvent(
      [](TransferWorld& w) {
        w.world.network().Isolate(kReceiver);
        w.world.RunFor(Transfers::kPatience - milliseconds(200));
        w.world.network().MendAll();
      },
      [](TransferWorld& w) { EXPECT_TRUE(w.Outcome().ok()); });
}

TEST(Transfers, SurviveAShortPauseAndNoLongOne) {
  for (const NodeId paused : {kSender, kReceiver}) {
    for (const Duration pause : {seconds(2), seconds(5)}) {
      TransferWorld w;
      w.Transfer();
      w.world.RunFor(milliseconds(5));
      w.world.Pause(paused);
      w.world.RunFor(pause);
      w.world.Resume(paused);
      EXPECT_EQ(w.Outcome().ok(), pause < Transfers::kPatience);
      w.Check();
    }
  }
}

TEST(Transfers, TellTheSenderWhyTheyFailed) {
  const auto outcome = [](const Plan& plan) {
    TransferWorld w(plan);
    w.Transfer();
    absl::Status status = w.Outcome();
    EXPECT_EQ(w.finished(), 0u);
    w.Check();
    return status;
  };
  EXPECT_EQ(outcome({.source_fails_at = 2}), DataLoss("a bad sector"));
  EXPECT_EQ(outcome({.sink_fails_at = 0}), ResourceExhausted("the disk is full"));
  EXPECT_EQ(outcome({.sink_fails_at = 3}), ResourceExhausted("the disk is full"));
  EXPECT_EQ(outcome({.finish_fails = true}), DataLoss("a wrong checksum"));
  EXPECT_EQ(outcome({.refuse = true}), ResourceExhausted("no room for one more"));
}

TEST(Transfers, TellTheReceiverAtOnceThatTheSourceFailed) {
  TransferWorld w({.source_fails_at = 2});
  w.Transfer();
  w.world.RunFor(milliseconds(20));
  EXPECT_TRUE(w.received[0]->gone);
}

TEST(Transfers, FailWhereNobodyAccepts) {
  TransferWorld w;
  w.accepting = false;
  w.world.Crash(kReceiver, CrashKind::kProcess);
  w.world.Start(kReceiver);
  w.Transfer();
  EXPECT_EQ(w.Outcome(), Unavailable("machine 2 accepts no transfers yet"));
}

TEST(Transfers, FailWhereThereIsNoMachine) {
  for (const NodeId nobody : {0, 3}) {
    TransferWorld w;
    w.Transfer(kSender, nobody);
    EXPECT_EQ(w.Outcome().code(), absl::StatusCode::kNotFound);
  }
}

TEST(Transfers, AreBounded) {
  TransferWorld w;
  for (size_t i = 0; i < Transfers::kOutgoingMax + 1; ++i) w.Transfer();
  EXPECT_TRUE(w.RunUntilDone());
  EXPECT_EQ(w.sent.back()->done[0].code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(w.succeeded(), Transfers::kOutgoingMax);
  w.Check();

  // There is room again, but not for those of two senders.
  TransferWorld x({}, {}, 3);
  for (size_t i = 0; i < Transfers::kIncomingMax; ++i) {
    x.Transfer(1, 2);
    x.Transfer(3, 2);
  }
  EXPECT_TRUE(x.RunUntilDone());
  EXPECT_EQ(x.succeeded(), Transfers::kIncomingMax);
  x.Transfer();
  EXPECT_TRUE(x.RunUntilDone());
  EXPECT_TRUE(x.sent.back()->done[0].ok());
  x.Check();
}

TEST(Transfers, FramesThatArriveLateDoNothing) {
  TransferWorld w;
  std::vector<std::pair<std::pair<NodeId, NodeId>, std::string>> frames;
  w.world.network().SetFilter([&](NodeId from, NodeId to, std::string_view message) {
    EXPECT_TRUE(IsTransferFrame(message));
    frames.push_back({{from, to}, std::string(message)});
    return false;
  });
  w.Transfer();
  EXPECT_TRUE(w.Outcome().ok());
  w.world.network().SetFilter(nullptr);

  const auto repeat_all = [&] {
    for (const auto& [link, frame] : frames) {
      w.world.network().Send(link.first, link.second, frame);
      w.world.RunFor(milliseconds(5));
    }
    w.world.RunFor(seconds(10));
  };
  repeat_all();
  w.world.Crash(kReceiver, CrashKind::kProcess);
  w.world.Start(kReceiver);
  repeat_all();
  w.world.Crash(kSender, CrashKind::kProcess);
  w.world.Start(kSender);
  repeat_all();
  // During another transfer too.
  w.Transfer();
  repeat_all();
  EXPECT_EQ(w.received.size(), 2u);
  EXPECT_EQ(w.succeeded(), 2u);
  w.Check();
}

TEST(Transfers, KeepOnlyTheirOwnLanesBusy) {
  TransferWorld w;
  w.world.machine(kReceiver).disk().SetFaults({.operation_delay = milliseconds(50)});
  w.Transfer();
  w.world.RunFor(milliseconds(10));
  EXPECT_TRUE(w.world.machine(kSender).transport().Send(kReceiver, "message").ok());
  w.world.RunFor(milliseconds(1));
  EXPECT_EQ(w.messages, std::vector<std::string>{"message"});
  EXPECT_TRUE(w.Outcome().ok());
}

TEST(Transfers, AreShownInTheTrace) {
  TransferWorld w({.chunks = 1}, {.keep_trace = true});
  w.world.network().SetDescriber([](std::string_view) { return "an ordinary message"; });
  w.Transfer();
  EXPECT_TRUE(w.RunUntilDone());
  std::vector<std::string> sends;
  for (const auto& step : w.world.trace().steps()) {
    if (step.event.kind == TraceEvent::Kind::kSend) sends.push_back(step.event.text);
  }
  EXPECT_EQ(sends, (std::vector<std::string>{
                       "transfer 1: begins", "transfer 1: is welcome",
                       "transfer 1: chunk 0, 8 bytes", "transfer 1: has 1 chunk",
                       "transfer 1: ends after 1 chunk", "transfer 1: has arrived"}));
}

uint64_t HashOfTransfers(uint64_t seed) {
  TransferWorld w({}, {.seed = seed}, 3);
  Random& random = w.world.random();
  w.world.network().SetLinks(LinkOptions::Draw(random));
  for (int i = 0; i < 20; ++i) {
    const NodeId from = random.Between(1, 3);
    const NodeId to = random.Between(1, 3);
    if (w.world.IsUp(from)) w.Transfer(from, to);
    const NodeId node = random.Between(1, 3);
    if (!w.world.IsUp(node)) {
      w.world.Start(node);
    } else if (random.Percent(20)) {
      w.world.Crash(node, random.Percent(50) ? CrashKind::kPower : CrashKind::kProcess);
    }
    w.world.RunFor(milliseconds(random.Uniform(500)));
  }
  w.Check();
  return w.world.trace().hash();
}

TEST(Transfers, EqualSeedsGiveEqualRuns) {
  std::set<uint64_t> hashes;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const uint64_t hash = HashOfTransfers(seed);
    EXPECT_EQ(HashOfTransfers(seed), hash);
    hashes.insert(hash);
  }
  EXPECT_EQ(hashes.size(), 50u);
}

}  // namespace
}  // namespace tinykv::sim
