#include "graders/stage2/kv_world.h"

#include <gtest/gtest.h>

#include "common/log.h"
#include "common/strings.h"

namespace tinykv::grading {
namespace {

using Kind = WorldFault::Kind;

std::string Say(const Result& result) {
  if (!result) return "passed";
  std::string text = Concat(NameOf(result->verdict), ": ", result->sentence, "\n", result->program);
  for (const std::string& event : result->events) text += event + "\n";
  return text;
}

class KvWorldTest : public testing::Test {
 protected:
  // Stores whose disks fail say so, thousands of times.
  KvWorldTest() { log::SetLevel(log::Level::kOff); }
  ~KvWorldTest() override { log::SetLevel(log::Level::kInfo); }
};

TEST_F(KvWorldTest, CalmStoresServeEverybodyAndEqualSeedsMakeEqualRuns) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Result result = RunKvPlan({.seed = seed, .lease = seed % 2 == 0}, true);
    ASSERT_FALSE(result.has_value()) << Say(result);
  }
}

TEST_F(KvWorldTest, StoresSurviveCrashesAndPartitions) {
  const KvPlan plan{.seed = 3,
                    .faults = {{.kind = Kind::kCrash, .peer = 1, .at_ms = 1500, .for_ms = 800},
                               {.kind = Kind::kPartition, .group = 2, .at_ms = 2500, .for_ms = 900},
                               {.kind = Kind::kBlackout, .at_ms = 4000, .for_ms = 100}}};
  const Result result = RunKvPlan(plan, true);
  ASSERT_FALSE(result.has_value()) << Say(result);
}

TEST_F(KvWorldTest, AStoreThatLostItsDiskIsFilledAgain) {
  for (const uint32_t log_entries_max : {0, 10}) {
    const KvPlan plan{.seed = 4,
                      .log_entries_max = log_entries_max,
                      .faults = {{.kind = Kind::kWipe, .peer = 2, .at_ms = 1500, .for_ms = 500}}};
    const Result result = RunKvPlan(plan, true);
    ASSERT_FALSE(result.has_value()) << Say(result);
  }
}

TEST_F(KvWorldTest, StoresWhoseDisksAreNearlyFullRefuseWritesUntilThereIsRoom) {
  KvPlan plan{.seed = 5, .clients = 5, .pause_ms = 20, .value_bytes = 300};
  for (uint64_t store = 1; store <= 3; ++store) {
    plan.faults.push_back({.kind = Kind::kTightDisk, .peer = store, .at_ms = 1000, .for_ms = 3500});
  }
  KvWorld world(plan, false);
  const Result result = world.Run();
  ASSERT_FALSE(result.has_value()) << Say(result);
  EXPECT_EQ(world.restarts(), 0u);
  // Whoever took all that the clients have to say would be stopped by the end of the disk.
  plan.disk_reserve = false;
  KvWorld careless(plan, false);
  EXPECT_FALSE(careless.Run().has_value());
  EXPECT_GT(careless.restarts(), 0u);
}

}  // namespace
}  // namespace tinykv::grading
