#include "graders/stage2/kv_world.h"

#include <gtest/gtest.h>

#include "common/log.h"
#include "common/strings.h"
#include "graders/stage2/kv_tasks.h"

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

TEST_F(KvWorldTest, ReferencePassesItsTasks) {
  for (const Task& task :
       {KvSave(), KvApply(), KvAnswers(), KvCalm(), KvNetwork(), KvCrash(), KvDisk(),
        KvSnapshotNetwork(), KvSnapshotInterrupt(), KvSnapshotCrash(), KvSnapshotDisk()}) {
    for (uint64_t seed = 1; seed <= 40; ++seed) {
      const Result result = task.run(seed);
      ASSERT_FALSE(result.has_value()) << task.id << ", seed " << seed << ": " << Say(result);
    }
  }
}

}  // namespace
}  // namespace tinykv::grading
