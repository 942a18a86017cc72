// 2b-…, 2c-…: whole stores in a simulated world; a seed is a plan of what goes wrong.
#include "graders/stage2/kv_tasks.h"
#include "graders/stage2/kv_world.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

// Every so many seeds run twice, and both runs must be the same.
constexpr uint64_t kCompareEvery = 16;

Task SimTask(std::string id, rc::Gen<KvPlan> plans) {
  return {.id = std::move(id), .run = [plans = std::move(plans)](uint64_t seed) {
            return CheckProgram<KvPlan>(seed, plans, [seed](const KvPlan& plan) {
              return RunKvPlan(plan, seed % kCompareEvery == 0);
            });
          }};
}

Task SimTask(std::string id, const KvPlanKind& kind) {
  return SimTask(std::move(id), AnyKvPlan(kind));
}

}  // namespace

Task KvCalm() { return SimTask("2b-calm", {}); }
Task KvNetwork() {
  return SimTask("2b-network", {.faults = {.partitions = true}, .bad_links = true, .drift = true});
}
Task KvCrash() {
  return SimTask("2b-crash", {.faults = {.crashes = true, .kills = true, .partitions = true},
                              .bad_links = true});
}
Task KvDisk() { return SimTask("2b-disk", {.faults = {.crashes = true, .disks = true}}); }
Task KvSnapshotNetwork() {
  return SimTask("2c-network",
                 {.faults = {.partitions = true}, .bad_links = true, .compaction = true});
}
Task KvSnapshotCrash() {
  return SimTask("2c-crash", {.faults = {.crashes = true, .kills = true, .partitions = true},
                              .bad_links = true,
                              .compaction = true});
}
Task KvSnapshotInterrupt() { return SimTask("2c-interrupt", AnyInterruptedSnapshot()); }
Task KvSnapshotDisk() {
  return SimTask("2c-disk", {.faults = {.crashes = true, .partitions = true, .disks = true},
                             .compaction = true});
}
Task KvRejoin() { return SimTask("2c-rejoin", AnyLostDisks()); }

}  // namespace tinykv::grading
