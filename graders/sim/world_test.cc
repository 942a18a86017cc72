#include "graders/sim/world.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/strings.h"

namespace tinykv::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Names = std::vector<std::string>;

// A process made of functions.
struct Scripted final : Process {
  explicit Scripted(std::function<void()> end) : at_end(std::move(end)) {}
  ~Scripted() override {
    if (at_end) at_end();
  }
  std::function<void()> at_end;
};

class WorldTest : public testing::Test {
 protected:
  // Adds a machine that does `begin` when it starts and `end` when its process is destroyed, and
  // starts it.
  NodeId Add(std::function<void(Machine&)> begin, std::function<void()> end = nullptr,
             const MachineOptions& options = {}) {
    const NodeId node = world_.AddNode(options, [begin, end](Machine& machine) {
      begin(machine);
      return std::make_unique<Scripted>(end);
    });
    world_.Start(node);
    return node;
  }

  void Note(const std::string& name) {
    seen_.push_back(Concat(name, "@", world_.clock().Now() / milliseconds(1)));
  }
  std::function<void()> Noting(const std::string& name) {
    return [this, name] { Note(name); };
  }

  World world_{{.seed = 1, .keep_trace = true}};
  Names seen_;
};

TEST_F(WorldTest, RunsEventsInOrderOfTime) {
  world_.After(milliseconds(30), [&] { Note("c"); });
  world_.After(milliseconds(10), [&] {
    Note("a");
    world_.After(milliseconds(10), [&] { Note("b"); });
  });
  EXPECT_TRUE(seen_.empty());
  world_.RunFor(milliseconds(20));
  EXPECT_EQ(seen_, (Names{"a@10", "b@20"}));
  EXPECT_EQ(world_.clock().Now(), milliseconds(20));
  EXPECT_TRUE(world_.RunOne());
  EXPECT_FALSE(world_.RunOne());
  EXPECT_EQ(seen_.back(), "c@30");
  EXPECT_EQ(world_.events(), 3u);
}

TEST_F(WorldTest, ActionsOfOneTimeHappenInOrder) {
  for (const char* name : {"a", "b", "c"}) world_.After(milliseconds(1), Noting(name));
  world_.RunFor(milliseconds(1));
  EXPECT_EQ(seen_, (Names{"a@1", "b@1", "c@1"}));
}

TEST_F(WorldTest, RunUntilStopsWhenTheConditionHolds) {
  for (int i = 1; i <= 10; ++i) world_.After(milliseconds(i), Noting("x"));
  EXPECT_TRUE(world_.RunUntil([&] { return seen_.size() == 3; }, seconds(1)));
  EXPECT_EQ(world_.clock().Now(), milliseconds(3));
  EXPECT_TRUE(world_.RunUntil([] { return true; }, seconds(1)));
  EXPECT_EQ(seen_.size(), 3u);
}

TEST_F(WorldTest, RunUntilGivesUpAtTheLimit) {
  world_.After(milliseconds(100), Noting("on time"));
  world_.After(milliseconds(101), Noting("late"));
  EXPECT_FALSE(world_.RunUntil([] { return false; }, milliseconds(100)));
  EXPECT_EQ(seen_, Names{"on time@100"});
  EXPECT_EQ(world_.clock().Now(), milliseconds(100));
  // Also where nothing happens any more.
  EXPECT_FALSE(world_.RunUntil([&] { return seen_.size() > 2; }, seconds(1)));
  EXPECT_EQ(world_.clock().Now(), milliseconds(1100));
}

TEST_F(WorldTest, RunUntilMayWaitForATimeAtWhichNothingHappens) {
  world_.After(milliseconds(10), [] {});
  EXPECT_TRUE(
      world_.RunUntil([&] { return world_.clock().Now() >= milliseconds(5); }, milliseconds(5)));
  EXPECT_EQ(world_.clock().Now(), milliseconds(5));
}

TEST_F(WorldTest, ObserverIsCalledAfterEveryEventAndStartAndCrash) {
  int calls = 0;
  world_.SetObserver([&] { ++calls; });
  const NodeId node = Add([&](Machine&) {});
  EXPECT_EQ(calls, 1);
  world_.After(milliseconds(1), [] {});
  world_.RunFor(milliseconds(1));
  EXPECT_EQ(calls, 2);
  world_.Crash(node, World::CrashKind::kProcess);
  EXPECT_EQ(calls, 3);
}

TEST_F(WorldTest, TimersCountOnTheMachinesOwnClock) {
  const auto tick = [&](const std::string& name) {
    return [this, name](Machine& machine) {
      EXPECT_EQ(machine.clock().Now(), seconds(3));
      machine.NewExecutor().PostAfter(seconds(1), [this, name, &machine] {
        EXPECT_EQ(machine.clock().Now(), seconds(4));
        Note(name);
      });
    };
  };
  Add(tick("exact"), nullptr, {.clock_offset = seconds(3)});
  Add(tick("fast"), nullptr, {.clock_rate_ppm = 250'000, .clock_offset = seconds(3)});
  Add(tick("slow"), nullptr, {.clock_rate_ppm = -200'000, .clock_offset = seconds(3)});
  world_.RunFor(seconds(2));
  EXPECT_EQ(seen_, (Names{"fast@800", "exact@1000", "slow@1250"}));
}

TEST_F(WorldTest, ACrashDropsTasksTimersAndReceiver) {
  const auto token = std::make_shared<int>();
  const NodeId node = Add([&, token](Machine& machine) {
    Executor& executor = machine.NewExecutor();
    executor.Post([this, kept = token] { Note("task"); });
    executor.PostAfter(milliseconds(5), [this, kept = token] { Note("timer"); });
    machine.transport().SetReceiver(
        [this, kept = token](StoreId, const std::string&) { Note("message"); });
  });
  const long count = token.use_count();
  world_.network().Send(node, node, "m");
  world_.Crash(node, World::CrashKind::kProcess);
  EXPECT_EQ(token.use_count(), count - 3);
  EXPECT_FALSE(world_.IsUp(node));
  EXPECT_EQ(world_.process(node), nullptr);
  world_.RunFor(seconds(1));
  EXPECT_TRUE(seen_.empty());
}

TEST_F(WorldTest, ARestartedProcessIsANewOne) {
  int starts = 0;
  std::vector<Executor*> executors;
  const NodeId node = Add([&](Machine& machine) {
    executors.push_back(&machine.NewExecutor());
    executors.back()->PostAfter(milliseconds(5), Noting(Concat("of ", ++starts)));
    machine.transport().SetReceiver(
        [this, starts](StoreId, const std::string&) { Note(Concat("message to ", starts)); });
  });
  world_.RunFor(milliseconds(2));
  world_.Crash(node, World::CrashKind::kProcess);
  world_.Start(node);
  EXPECT_TRUE(world_.IsUp(node));
  EXPECT_NE(world_.process(node), nullptr);
  executors[0]->Post(Noting("to a dead one"));
  world_.network().Send(node, node, "m");
  world_.RunFor(seconds(1));
  EXPECT_EQ(seen_, (Names{"message to 2@3", "of 2@7"}));
}

TEST_F(WorldTest, AnEndingProcessCanStillCallWhatItWasGiven) {
  Machine* machine = nullptr;
  Executor* executor = nullptr;
  const NodeId node = Add(
      [&](Machine& started) {
        machine = &started;
        executor = &started.NewExecutor();
        executor->Post(Noting("waited for"));
        executor->Post(Noting("dropped"));
      },
      [&] {
        EXPECT_TRUE(executor->RunOne());
        executor->Post(Noting("dropped too"));
        executor->PostAfter(milliseconds(1), Noting("dropped too"));
        machine->NewExecutor().Post(Noting("dropped too"));
        EXPECT_TRUE(machine->transport().Send(1, "dropped").ok());
        EXPECT_FALSE(machine->disk().Create("f").ok());
        EXPECT_GE(machine->clock().Now(), Duration::zero());
      });
  world_.Crash(node, World::CrashKind::kPower);
  world_.RunFor(seconds(1));
  EXPECT_EQ(seen_, Names{"waited for@0"});
  EXPECT_EQ(world_.network().total().sent, 0u);
  EXPECT_TRUE(world_.machine(node).disk().Create("f").ok());
}

TEST_F(WorldTest, TheDiskRefusesWhatAnEndingProcessStillWrites) {
  std::unique_ptr<WritableFile> file;
  const NodeId node = Add([&](Machine& machine) { file = *machine.disk().Create("f"); },
                          [&] { EXPECT_FALSE(file->Append("from beyond").ok()); });
  world_.Crash(node, World::CrashKind::kProcess);
  EXPECT_EQ(*ReadFile(world_.machine(node).disk(), "f"), "");
  file = nullptr;
}

TEST_F(WorldTest, AMachineThatIsDownRunsNothing) {
  const NodeId node = Add([](Machine&) {});
  world_.Crash(node, World::CrashKind::kProcess);
  world_.machine(node).NewExecutor().Post(Noting("nobody's"));
  EXPECT_TRUE(world_.machine(node).transport().Send(node, "nobody's").ok());
  world_.Start(node);
  world_.RunFor(seconds(1));
  EXPECT_TRUE(seen_.empty());
  EXPECT_EQ(world_.network().total().sent, 0u);
}

TEST_F(WorldTest, AnEndingProcessMayDropItsTasksFirst) {
  const auto token = std::make_shared<int>();
  Machine* machine = nullptr;
  Executor* executor = nullptr;
  const NodeId node = Add(
      [&](Machine& started) {
        machine = &started;
        executor = &started.NewExecutor();
        executor->Post([token] {});
      },
      [&] {
        EXPECT_EQ(token.use_count(), 2);
        machine->DropTasks(*executor);
        EXPECT_EQ(token.use_count(), 1);
      });
  world_.Crash(node, World::CrashKind::kProcess);
}

TEST_F(WorldTest, PowerLossTakesWhatWasNotSyncedAndAProcessCrashDoesNot) {
  std::set<bool> after_power_loss;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    World world({.seed = seed});
    const NodeId node = world.AddNode({}, [](Machine&) { return std::make_unique<Process>(); });
    SimFileSystem& disk = world.machine(node).disk();
    for (const auto kind : {World::CrashKind::kProcess, World::CrashKind::kPower}) {
      world.Start(node);
      EXPECT_TRUE(disk.Create("f").ok());
      world.Crash(node, kind);
      if (kind == World::CrashKind::kProcess) {
        EXPECT_TRUE(disk.Exists("f"));
      }
    }
    after_power_loss.insert(disk.Exists("f"));
  }
  EXPECT_EQ(after_power_loss, (std::set<bool>{false, true}));
}

TEST_F(WorldTest, APausedMachineDoesLaterWhatFellDue) {
  const NodeId node = Add([&](Machine& machine) {
    Executor& executor = machine.NewExecutor();
    for (const int delay : {10, 20, 30}) {
      executor.PostAfter(milliseconds(delay), Noting(Concat("timer ", delay)));
    }
    machine.transport().SetReceiver([&](StoreId, const std::string& message) { Note(message); });
  });
  world_.network().SetLinks({.capacity_messages = 2});
  world_.RunFor(milliseconds(15));
  world_.Pause(node);
  EXPECT_TRUE(world_.IsPaused(node));
  EXPECT_TRUE(world_.network().Send(node, node, "a"));
  EXPECT_TRUE(world_.network().Send(node, node, "b"));
  world_.RunFor(milliseconds(85));
  // What arrived meanwhile waits, and the link is full of it.
  EXPECT_FALSE(world_.network().Send(node, node, "c"));
  EXPECT_EQ(seen_, Names{"timer 10@10"});
  world_.Resume(node);
  EXPECT_FALSE(world_.IsPaused(node));
  world_.RunFor(milliseconds(10));
  EXPECT_EQ(seen_, (Names{"timer 10@10", "a@100", "b@100", "timer 20@100", "timer 30@100"}));
}

TEST_F(WorldTest, ACrashEndsAPause) {
  const NodeId node = Add([&](Machine& machine) {
    machine.NewExecutor().PostAfter(milliseconds(10), Noting("timer"));
  });
  world_.Pause(node);
  world_.Crash(node, World::CrashKind::kPower);
  EXPECT_FALSE(world_.IsPaused(node));
  world_.Start(node);
  world_.RunFor(milliseconds(10));
  EXPECT_EQ(seen_, Names{"timer@10"});
}

TEST_F(WorldTest, DiskOperationsKeepTheirActorBusyAndNoOther) {
  Add([&](Machine& machine) {
    machine.disk().SetFaults({.operation_delay = milliseconds(5)});
    Executor& writer = machine.NewExecutor();
    Executor& other = machine.NewExecutor();
    writer.PostAfter(milliseconds(1), [&] {
      Note("creates");
      EXPECT_TRUE(machine.disk().Create("f").ok());
      EXPECT_EQ(machine.clock().Now(), milliseconds(6));
      EXPECT_TRUE(machine.transport().Send(machine.id(), "written").ok());
    });
    writer.PostAfter(milliseconds(2), Noting("next"));
    other.PostAfter(milliseconds(2), Noting("other"));
    machine.transport().SetReceiver([&](StoreId, const std::string& message) { Note(message); });
  });
  world_.RunFor(seconds(1));
  EXPECT_EQ(seen_, (Names{"creates@1", "other@2", "next@6", "written@7"}));
}

TEST_F(WorldTest, WhatTheStartIsChargedDelaysEverythingOfTheMachine) {
  const NodeId node = world_.AddNode({}, [&](Machine& machine) {
    Executor& executor = machine.NewExecutor();
    executor.Post(Noting("task"));
    machine.transport().SetReceiver([&](StoreId, const std::string& message) { Note(message); });
    EXPECT_TRUE(machine.disk().Create("f").ok());
    return std::make_unique<Process>();
  });
  world_.machine(node).disk().SetFaults({.operation_delay = milliseconds(5)});
  world_.After(milliseconds(1), [&] { world_.Start(node); });
  world_.After(milliseconds(1), [&] { world_.network().Send(node, node, "message"); });
  world_.RunFor(seconds(1));
  EXPECT_EQ(std::set<std::string>(seen_.begin(), seen_.end()),
            (std::set<std::string>{"task@6", "message@6"}));
}

TEST_F(WorldTest, ANewProcessWaitsForNothingThatTheOldOneWasCharged) {
  const NodeId node = world_.AddNode({}, [&](Machine& machine) {
    EXPECT_TRUE(machine.disk().Create("f").ok());
    machine.transport().SetReceiver([&](StoreId, const std::string& message) { Note(message); });
    return std::make_unique<Process>();
  });
  world_.machine(node).disk().SetFaults({.operation_delay = milliseconds(5)});
  world_.Start(node);
  world_.Crash(node, World::CrashKind::kProcess);
  world_.machine(node).disk().SetFaults({});
  world_.Start(node);
  world_.network().Send(node, node, "message");
  world_.RunFor(seconds(1));
  EXPECT_EQ(seen_, Names{"message@1"});
}

TEST_F(WorldTest, WhatTheReceiverIsChargedDelaysTheNextMessage) {
  Add([&](Machine& machine) {
    machine.disk().SetFaults({.operation_delay = milliseconds(5)});
    machine.transport().SetReceiver([&](StoreId, const std::string& message) {
      Note(message);
      EXPECT_TRUE(machine.disk().Create("f").ok());
    });
  });
  world_.network().Send(1, 1, "a");
  world_.network().Send(1, 1, "b");
  world_.RunFor(seconds(1));
  EXPECT_EQ(seen_, (Names{"a@1", "b@6"}));
}

TEST_F(WorldTest, WhoLooksAtADiskFromOutsideTakesNoTime) {
  const NodeId node = Add([](Machine&) {});
  world_.machine(node).disk().SetFaults({.operation_delay = milliseconds(5)});
  world_.After(milliseconds(1), [&] {
    EXPECT_TRUE(world_.machine(node).disk().Create("f").ok());
    Note("seen");
  });
  world_.RunFor(seconds(1));
  EXPECT_EQ(seen_, Names{"seen@1"});
}

TEST_F(WorldTest, TellsWhenSomebodyWaitsForNothing) {
  int stuck = 0;
  world_.SetStuckHook([&] { ++stuck; });
  Add([&](Machine& machine) {
    Executor& background = machine.NewExecutor();
    machine.NewExecutor().Post([&] { EXPECT_FALSE(background.RunOne()); });
  });
  world_.RunFor(seconds(1));
  EXPECT_EQ(stuck, 1);
}

TEST_F(WorldTest, SurvivesAnExceptionOfATask) {
  Add([&](Machine& machine) {
    Executor& executor = machine.NewExecutor();
    executor.Post([] { throw std::runtime_error("a hole that is not solved"); });
    executor.Post(Noting("next"));
  });
  EXPECT_THROW(world_.RunFor(seconds(1)), std::runtime_error);
  world_.RunFor(seconds(1));
  EXPECT_EQ(seen_, Names{"next@0"});
}

TEST_F(WorldTest, SurvivesAnExceptionOfAStart) {
  const NodeId node = world_.AddNode({}, [&](Machine& machine) -> std::unique_ptr<Process> {
    machine.NewExecutor().Post([] {});
    throw std::runtime_error("a hole that is not solved");
  });
  EXPECT_THROW(world_.Start(node), std::runtime_error);
}

TEST_F(WorldTest, TheTraceTellsWhatWasDoneToANode) {
  const NodeId node = Add([](Machine&) {});
  world_.RunFor(milliseconds(3));
  world_.Pause(node);
  world_.Resume(node);
  world_.Crash(node, World::CrashKind::kPower);
  world_.Start(node);
  world_.Crash(node, World::CrashKind::kProcess);
  EXPECT_EQ(world_.trace().LastEvents(100),
            (Names{"0 ms  1  starts", "3 ms  1  is paused", "3 ms  1  goes on",
                   "3 ms  1  loses power", "3 ms  1  starts", "3 ms  1  crashes"}));
}

// A machine that gossips: every few milliseconds it tells somebody a number, and it passes on the
// larger half of what it hears.
class Gossip final : public Process {
 public:
  explicit Gossip(Machine& machine) : machine_(machine), executor_(machine.NewExecutor()) {
    machine.transport().SetReceiver([this](StoreId, std::string message) {
      executor_.Post([this, message = std::move(message)] { Hear(message); });
    });
    Tick();
  }

 private:
  void Tick() {
    Tell(std::to_string(machine_.random().Uniform(1000)));
    executor_.PostAfter(milliseconds(machine_.random().Uniform(20)), [this] { Tick(); });
  }
  void Hear(const std::string& message) {
    const auto file = machine_.disk().Create("heard");
    if (file.ok()) (*file)->Append(message).IgnoreError();
    if (message > "5") Tell(message.substr(0, message.size() - 1));
  }
  void Tell(std::string message) {
    machine_.transport().Send(machine_.random().Between(1, 5), std::move(message)).IgnoreError();
  }

  Machine& machine_;
  Executor& executor_;
};

// Runs five of them with all kinds of faults.
uint64_t HashOfGossip(uint64_t seed, bool keep_trace = false) {
  World world({.seed = seed, .keep_trace = keep_trace});
  Random& random = world.random();
  for (int i = 0; i < 5; ++i) {
    const NodeId node =
        world.AddNode({.clock_rate_ppm = static_cast<int32_t>(random.Uniform(200)) - 100},
                      [](Machine& machine) { return std::make_unique<Gossip>(machine); });
    world.machine(node).disk().SetFaults({.operation_delay = Duration(random.Uniform(100'000))});
    world.Start(node);
  }
  world.network().SetLinks(LinkOptions::Draw(random));
  std::function<void()> fault = [&] {
    const NodeId node = random.Between(1, 5);
    if (!world.IsUp(node)) {
      world.Start(node);
    } else if (world.IsPaused(node)) {
      world.Resume(node);
    } else if (random.Percent(50)) {
      world.Crash(node, random.Percent(50) ? World::CrashKind::kPower : World::CrashKind::kProcess);
    } else {
      world.Pause(node);
    }
    if (random.Percent(30)) world.network().Isolate(node);
    if (random.Percent(30)) world.network().MendAll();
    world.After(milliseconds(random.Uniform(100)), fault);
  };
  fault();
  world.RunFor(seconds(1));
  EXPECT_GT(world.events(), 100u);
  return world.trace().hash();
}

TEST(World, EqualSeedsGiveEqualRuns) {
  for (uint64_t seed = 0; seed < 20; ++seed) EXPECT_EQ(HashOfGossip(seed), HashOfGossip(seed));
}

TEST(World, DifferentSeedsGiveDifferentRuns) {
  std::set<uint64_t> hashes;
  for (uint64_t seed = 0; seed < 100; ++seed) hashes.insert(HashOfGossip(seed));
  EXPECT_EQ(hashes.size(), 100u);
}

TEST(World, TheHashTellsInterleavingsApart) {
  std::set<uint64_t> hashes;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    World world({.seed = seed});
    const NodeId node = world.AddNode({}, [](Machine& machine) {
      Executor& upper = machine.NewExecutor();
      Executor& lower = machine.NewExecutor();
      for (int i = 0; i < 3; ++i) upper.Post([] {});
      for (int i = 0; i < 3; ++i) lower.Post([] {});
      return std::make_unique<Process>();
    });
    world.Start(node);
    world.RunFor(seconds(1));
    hashes.insert(world.trace().hash());
  }
  EXPECT_EQ(hashes.size(), 20u);  // 6 over 3
}

TEST(World, KeepingTheTraceChangesNothing) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(HashOfGossip(seed, false), HashOfGossip(seed, true));
  }
}

}  // namespace
}  // namespace tinykv::sim
