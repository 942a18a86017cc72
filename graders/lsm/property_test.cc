// Random programs against the model.
//
// RapidCheck draws the programs, shrinks one that fails and prints what is left of it, with a line
// that starts with `reproduce=`. Replay exactly that one with
//     RC_PARAMS="reproduce=…" build/release/bin/lsm_property_test
// and try more, or others, with
//     RC_PARAMS="max_success=10000 seed=7" build/release/bin/lsm_property_test
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <string>

#include "graders/lsm/program_generator.h"
#include "graders/lsm/session.h"
#include "graders/task/finding.h"

namespace tinykv::lsm::grading {
namespace {

void CheckPrograms(const Hazards& hazards) {
  // RapidCheck takes an exception for a failure, and goes on to shrink.
  const tinykv::grading::GraderChecks checks;
  rc::detail::checkGTest([&] {
    const Program program = *AnyProgram(hazards);
    Session session(program.setup);
    const std::string failure = session.Run(program.commands);
    if (!failure.empty()) RC_FAIL(failure);
    RC_CLASSIFY(session.statistics().flushes > 0, "flushed");
    RC_CLASSIFY(session.statistics().compactions > 0, "compacted");
  });
}

class EngineProperty : public testing::Test {
 protected:
  // A default that fits ThreadSanitizer's pace; RC_PARAMS of the caller wins.
  static void SetUpTestSuite() { setenv("RC_PARAMS", "max_success=100", /*overwrite=*/0); }
};

TEST_F(EngineProperty, BehavesLikeAMap) { CheckPrograms({}); }

TEST_F(EngineProperty, BehavesLikeAMapAcrossRestarts) { CheckPrograms({.restarts = true}); }

TEST_F(EngineProperty, LosesNothingDurableInACrash) {
  CheckPrograms({.restarts = true, .crashes = true});
}

TEST_F(EngineProperty, LosesNothingDurableOnABadDisk) {
  CheckPrograms({.restarts = true, .crashes = true, .faults = true});
}

TEST_F(EngineProperty, EqualProgramsMakeEqualTraces) {
  rc::detail::checkGTest([] {
    const Program program = *AnyProgram({.restarts = true, .crashes = true, .faults = true});
    Session first(program.setup), second(program.setup);
    first.Run(program.commands);
    second.Run(program.commands);
    RC_ASSERT(first.trace_hash() == second.trace_hash());
  });
}

}  // namespace
}  // namespace tinykv::lsm::grading
