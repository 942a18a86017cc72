// The storage engine on machines of a world: its writes wait for its background work in virtual
// time, and a synced write survives power loss.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "common/strings.h"
#include "graders/sim/world.h"
#include "lsm/db.h"

namespace tinykv::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

using Content = std::map<std::string, std::string>;

// Writes random pairs with sync, and tells which were acknowledged.
class EngineProcess final : public Process {
 public:
  EngineProcess(Machine& machine, Content& acknowledged, Content& attempted)
      : random_(machine.random()),
        acknowledged_(acknowledged),
        attempted_(attempted),
        writer_(machine.NewExecutor()) {
    // So small that a few writes cause flushes and compactions, and wait for them.
    const lsm::Options options{.file_system = &machine.disk(),
                               .background = &machine.NewExecutor(),
                               .memtable_bytes = 600,
                               .immutable_memtables_max = 1,
                               .block_bytes = 64,
                               .table_bytes = 1 << 10,
                               .l0_compact_tables = 2,
                               .l0_slowdown_tables = 3,
                               .l0_stop_tables = 4,
                               .level_bytes_base = 1 << 10};
    auto db = lsm::DB::Open(options, "db");
    opened_ = db.status();
    if (!db.ok()) return;
    db_ = *std::move(db);
    WriteNext();
  }

  const absl::Status& opened() const { return opened_; }
  uint64_t flushes() const { return db_->GetStatistics().flushes; }
  uint64_t stalls() const { return db_->GetStatistics().write_stalls; }

  std::string Get(const std::string& key) const {
    const auto value = db_->Get({}, 0, key);
    return value.ok() ? value->value_or("missing") : std::string(value.status().message());
  }

 private:
  void WriteNext() {
    writer_.PostAfter(microseconds(random_.Uniform(3000)), [this] {
      // Sometimes so many in one go that they wait for background work, which runs inside then.
      for (uint64_t count = random_.OneIn(4) ? 60 : 1; count > 0; --count) {
        if (!Write()) return;  // the plug is being pulled
      }
      WriteNext();
    });
  }

  bool Write() {
    const std::string key = Concat("key ", random_.Uniform(50));
    const std::string value = Concat("value ", random_.Next());
    lsm::WriteBatch batch;
    batch.Put(0, key, value);
    attempted_[key] = value;
    if (!db_->Write({.sync = true}, batch).ok()) return false;
    acknowledged_[key] = value;
    return true;
  }

  Random& random_;
  Content& acknowledged_;
  Content& attempted_;
  Executor& writer_;
  absl::Status opened_;
  std::unique_ptr<lsm::DB> db_;
};

struct Totals {
  uint64_t acknowledged = 0;
  uint64_t flushes = 0;
  uint64_t stalls = 0;
};

// Writes, pulls the plug and looks, a few times over. Returns the hash of the world.
uint64_t CrashAndLook(uint64_t seed, Totals& totals) {
  World world({.seed = seed});
  Content acknowledged;
  Content attempted;
  const NodeId node = world.AddNode({}, [&](Machine& machine) {
    return std::make_unique<EngineProcess>(machine, acknowledged, attempted);
  });
  SimFileSystem& disk = world.machine(node).disk();
  for (int round = 0; round < 5; ++round) {
    disk.SetFaults({.operation_delay = microseconds(10), .sync_delay = milliseconds(1)});
    world.Start(node);
    const auto& engine = static_cast<const EngineProcess&>(*world.process(node));
    EXPECT_TRUE(engine.opened().ok()) << engine.opened();
    if (!engine.opened().ok()) return 0;
    for (const auto& [key, value] : acknowledged) {
      const std::string found = engine.Get(key);
      // A write that was under way when the plug was pulled may be there, and is newer.
      EXPECT_TRUE(found == value || found == attempted[key]) << key << ": " << found;
      acknowledged[key] = found;
    }
    attempted = acknowledged;
    // In the middle of something, or between two events.
    if (world.random().Percent(50)) {
      disk.SetFaults({.halt_at_change = 1 + world.random().Uniform(300)});
    }
    world.RunFor(milliseconds(world.random().Uniform(300)));
    totals.flushes += engine.flushes();
    totals.stalls += engine.stalls();
    world.Crash(node, World::CrashKind::kPower);
  }
  totals.acknowledged += acknowledged.size();
  world.trace().Hash(disk.trace_hash());
  return world.trace().hash();
}

TEST(EngineInWorld, FindsEveryAcknowledgedWriteAfterPowerLoss) {
  Totals totals;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    CrashAndLook(seed, totals);
  }
  EXPECT_GT(totals.acknowledged, 500u);
  EXPECT_GT(totals.flushes, 200u);
  EXPECT_GT(totals.stalls, 20u);
}

TEST(EngineInWorld, EqualSeedsGiveEqualRuns) {
  Totals totals;
  for (uint64_t seed = 0; seed < 3; ++seed) {
    EXPECT_EQ(CrashAndLook(seed, totals), CrashAndLook(seed, totals));
  }
}

}  // namespace
}  // namespace tinykv::sim
