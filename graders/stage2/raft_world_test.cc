// Simulated runs: a plan is one run, and says in words what goes wrong.
#include "graders/stage2/raft_world.h"

#include <gtest/gtest.h>

#include <sstream>

#include "graders/stage2/raft_plan.h"

namespace tinykv::grading {
namespace {

uint64_t HashOf(const RaftPlan& plan) {
  RaftWorld world(plan, false);
  EXPECT_FALSE(world.Run());
  return world.trace().hash();
}

RaftPlan Crashing() {
  return {
      .seed = 5,
      .faults = {{.kind = WorldFault::Kind::kCrash, .peer = 1, .at_ms = 2000, .for_ms = 500},
                 {.kind = WorldFault::Kind::kPartition, .group = 5, .at_ms = 3000, .for_ms = 900}}};
}

TEST(RaftWorld, IsTheSameForTheSamePlan) { EXPECT_EQ(HashOf(Crashing()), HashOf(Crashing())); }

TEST(RaftWorld, DiffersForAnotherSeed) {
  RaftPlan other = Crashing();
  other.seed = 6;
  EXPECT_NE(HashOf(Crashing()), HashOf(other));
}

TEST(RaftWorld, DoesNotDependOnWhetherATraceIsKept) {
  RaftWorld kept(Crashing(), true);
  EXPECT_FALSE(kept.Run());
  EXPECT_EQ(kept.trace().hash(), HashOf(Crashing()));
  EXPECT_FALSE(kept.trace().steps().empty());
}

TEST(RaftWorld, CarriesOutItsFaults) {
  RaftWorld world(Crashing(), true);
  EXPECT_FALSE(world.Run());
  const auto& steps = world.trace().steps();
  const auto count = [&](sim::TraceEvent::Kind kind, const std::string& text) {
    return std::count_if(steps.begin(), steps.end(), [&](const sim::Trace::Step& step) {
      return step.event.kind == kind && step.event.text.find(text) != std::string::npos;
    });
  };
  EXPECT_EQ(count(sim::TraceEvent::Kind::kNote, "loses power"), 1);
  EXPECT_EQ(count(sim::TraceEvent::Kind::kNote, "everything is mended"), 1);
  EXPECT_GT(count(sim::TraceEvent::Kind::kDrop, ""), 0);
}

TEST(RaftPlan, IsPrintedAsWhatGoesWrong) {
  std::ostringstream out;
  out << Crashing();
  EXPECT_NE(out.str().find("from 2000 ms for 500 ms: peer 1 crashes, and starts again"),
            std::string::npos);
  EXPECT_NE(out.str().find("peers 1 3 are cut off from the others"), std::string::npos);
  EXPECT_NE(out.str().find("at 5000 ms: everything is mended"), std::string::npos);
}

}  // namespace
}  // namespace tinykv::grading
