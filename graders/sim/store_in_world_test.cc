// A small server with a log file, on each of three machines that lose power: what it acknowledged
// as durable is never lost, and what it did not may be.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "common/strings.h"
#include "graders/sim/world.h"

namespace tinykv::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr NodeId kServers = 3;
constexpr NodeId kClient = 4;
constexpr char kDirectory[] = "data";

// "   17   17\n": twice, so that a record that a crash tore is known as such.
std::string MakeRecord(uint64_t value) {
  std::string digits = std::to_string(value);
  digits.insert(0, 8 - digits.size(), ' ');
  return digits + digits + "\n";
}

// The records of one file, up to the first that is torn.
std::set<uint64_t> ReadRecords(std::string_view content) {
  std::set<uint64_t> values;
  const size_t size = MakeRecord(0).size();
  for (; content.size() >= size; content.remove_prefix(size)) {
    const std::string_view record = content.substr(0, size);
    const std::string_view digits = record.substr(0, 8);
    const size_t first = digits.find_first_not_of(' ');
    if (first == digits.npos) break;
    if (digits.find_first_not_of("0123456789", first) != digits.npos) break;
    const uint64_t value = std::stoull(std::string(digits.substr(first)));
    if (record != MakeRecord(value)) break;
    values.insert(value);
  }
  return values;
}

// Adds the numbers that it is sent to a file of this process's own, and recovers from the files of
// all processes before it. "s17" is synced and then acknowledged, "u17" is neither.
class LogServer final : public Process {
 public:
  explicit LogServer(Machine& machine)
      : disk_(machine.disk()), transport_(machine.transport()), actor_(machine.NewExecutor()) {
    EXPECT_TRUE(disk_.CreateDirectories(kDirectory).ok());
    const auto names = disk_.List(kDirectory);
    for (const std::string& name : *names) {
      values_.merge(ReadRecords(*ReadFile(disk_, JoinPath(kDirectory, name))));
    }
    // Names are not reused: the file of a process before may have survived in part.
    file_ = *disk_.Create(JoinPath(kDirectory, Concat("log-", names->size())));
    EXPECT_TRUE(disk_.SyncDirectory(kDirectory).ok());
    transport_.SetReceiver([this](StoreId from, std::string message) {
      actor_.Post([this, from, message = std::move(message)] { Handle(from, message); });
    });
  }

  const std::set<uint64_t>& values() const { return values_; }

 private:
  void Handle(StoreId from, const std::string& message) {
    const uint64_t value = std::stoull(message.substr(1));
    if (!file_->Append(MakeRecord(value)).ok()) return;
    values_.insert(value);
    if (message[0] != 's' || !file_->Sync().ok()) return;
    transport_.Send(from, std::to_string(value)).IgnoreError();
  }

  SimFileSystem& disk_;
  Transport& transport_;
  Executor& actor_;
  std::unique_ptr<WritableFile> file_;
  std::set<uint64_t> values_;
};

struct Outcome {
  uint64_t hash = 0;
  size_t acknowledged = 0;
  size_t lost_acknowledged = 0;
  size_t unsynced = 0;
  size_t lost_unsynced = 0;
};

// Three servers, and a client that sends each number to one of them. Power fails now and then.
class LogWorld {
 public:
  explicit LogWorld(uint64_t seed) : world_({.seed = seed}) {
    for (NodeId node = 1; node <= kServers; ++node) {
      world_.AddNode({}, [](Machine& machine) { return std::make_unique<LogServer>(machine); });
      world_.machine(node).disk().SetFaults(
          {.operation_delay = microseconds(20), .sync_delay = milliseconds(2)});
      world_.Start(node);
    }
    const NodeId client = world_.AddNode({}, [this](Machine& machine) {
      machine.transport().SetReceiver([this](StoreId, const std::string& message) {
        acknowledged_.insert(std::stoull(message));
      });
      SendNext(machine, machine.NewExecutor());
      return std::make_unique<Process>();
    });
    EXPECT_EQ(client, kClient);
    world_.Start(client);
    world_.network().SetLinks(
        {.delay_max = milliseconds(5), .loss_percent = 5, .duplicate_percent = 5});
    FailPower();
  }

  Outcome Run() {
    world_.RunFor(seconds(1));
    // Whatever is up goes down once more, so that nothing is counted that is only in memory.
    for (NodeId node = 1; node <= kServers; ++node) {
      if (world_.IsUp(node)) world_.Crash(node, World::CrashKind::kPower);
      world_.Start(node);
    }
    Outcome outcome{.hash = world_.trace().hash()};
    for (const auto& [value, target] : sent_) {
      const auto& server = static_cast<const LogServer&>(*world_.process(target.node));
      const bool lost = !server.values().contains(value);
      if (acknowledged_.contains(value)) {
        ++outcome.acknowledged;
        if (lost) ++outcome.lost_acknowledged;
      } else if (!target.sync) {
        ++outcome.unsynced;
        if (lost) ++outcome.lost_unsynced;
      }
    }
    return outcome;
  }

 private:
  struct Target {
    NodeId node;
    bool sync;
  };

  void SendNext(Machine& machine, Executor& executor) {
    const uint64_t value = sent_.size();
    const Target target{machine.random().Between(1, kServers), machine.random().Percent(50)};
    sent_.emplace(value, target);
    machine.transport().Send(target.node, Concat(target.sync ? 's' : 'u', value)).IgnoreError();
    executor.PostAfter(milliseconds(machine.random().Uniform(4)),
                       [this, &machine, &executor] { SendNext(machine, executor); });
  }

  void FailPower() {
    world_.After(milliseconds(world_.random().Uniform(100)), [this] {
      const NodeId node = world_.random().Between(1, kServers);
      if (world_.IsUp(node)) {
        world_.Crash(node, World::CrashKind::kPower);
      } else {
        world_.Start(node);
      }
      FailPower();
    });
  }

  std::map<uint64_t, Target> sent_;
  std::set<uint64_t> acknowledged_;
  World world_;
};

TEST(StoreInWorld, PowerLossTakesNoAcknowledgedRecordAndSomeOthers) {
  Outcome total;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const Outcome outcome = LogWorld(seed).Run();
    EXPECT_EQ(outcome.lost_acknowledged, 0u) << "seed " << seed;
    total.acknowledged += outcome.acknowledged;
    total.unsynced += outcome.unsynced;
    total.lost_unsynced += outcome.lost_unsynced;
  }
  // The test is one: much was acknowledged, and of the rest some was lost and some was not.
  EXPECT_GT(total.acknowledged, 5'000u);
  EXPECT_GT(total.lost_unsynced, 500u);
  EXPECT_LT(total.lost_unsynced, total.unsynced - 500);
}

TEST(StoreInWorld, EqualSeedsGiveEqualRuns) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    EXPECT_EQ(LogWorld(seed).Run().hash, LogWorld(seed).Run().hash);
  }
}

}  // namespace
}  // namespace tinykv::sim
