// 2a-network, 2a-crash: a group in a simulated world; a seed is a plan of what goes wrong.
#include "graders/stage2/raft_plan.h"
#include "graders/stage2/raft_world.h"
#include "graders/stage2/tasks.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

// Every so many seeds run twice, and both runs must be the same.
constexpr uint64_t kCompareEvery = 16;

Task SimTask(std::string id, const RaftPlanKind& kind) {
  return {.id = std::move(id), .run = [kind](uint64_t seed) {
            return CheckProgram<RaftPlan>(seed, AnyRaftPlan(kind), [seed](const RaftPlan& plan) {
              return RunRaftPlan(plan, seed % kCompareEvery == 0);
            });
          }};
}

}  // namespace

Task RaftNetwork() { return SimTask("2a-network", {.partitions = true, .bad_links = true}); }
Task RaftCrash() {
  return SimTask("2a-crash", {.crashes = true, .partitions = true, .bad_links = true});
}

}  // namespace tinykv::grading
