// A crash at every change of a file that the fixed program makes, and crashes of the recovery.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "graders/lsm/fixed_program.h"
#include "graders/lsm/session.h"

namespace tinykv::lsm::grading {
namespace {

// The changes that the program makes when nothing goes wrong.
uint64_t ChangesOf(const Program& program) {
  Session session(program.setup);
  EXPECT_EQ(session.Run(program.commands), "");
  // The program must be worth crashing.
  EXPECT_GT(session.statistics().flushes, 1u);
  EXPECT_GT(session.statistics().compactions, 1u);
  return session.changes();
}

// The fixed program with a crash announced at its start.
Program FixedProgramWith(const Crash& crash) {
  Program program = FixedProgram();
  program.commands.insert(program.commands.begin(), {crash});
  return program;
}

TEST(Crash, OfTheProcessAtEveryChangeLosesNothingAcknowledged) {
  const uint64_t changes = ChangesOf(FixedProgram());
  for (uint64_t at = 1; at <= changes; ++at) {
    const Crash crash = {.power_loss = false, .after_changes = at};
    ASSERT_EQ(RunProgram(FixedProgramWith(crash)), "") << Command{crash};
  }
}

TEST(Crash, OfTheMachineAtEveryChangeLosesNothingSynced) {
  const uint64_t changes = ChangesOf(FixedProgram());
  for (uint64_t at = 1; at <= changes; ++at) {
    const uint64_t seeds = 2 * TestScale();
    for (uint64_t seed = at * seeds; seed < (at + 1) * seeds; ++seed) {
      const Crash crash = {.power_loss = true, .after_changes = at, .seed = seed};
      ASSERT_EQ(RunProgram(FixedProgramWith(crash)), "") << Command{crash};
    }
  }
}

// The restart after a crash crashes, at each of its changes in turn.
TEST(Crash, OfARecoveryLosesNothingMore) {
  const uint64_t changes = ChangesOf(FixedProgram());
  const uint64_t step = std::max<uint64_t>(1, 19 / TestScale());
  for (uint64_t at = 1; at <= changes; at += step) {
    bool cut_short = true;
    for (uint64_t again = 1; cut_short; ++again) {
      const Crash crash = {.power_loss = (at + again) % 3 > 0,
                           .after_changes = at,
                           .recovery_changes = again,
                           .seed = at + again};
      const Program program = FixedProgramWith(crash);
      Session session(program.setup);
      ASSERT_EQ(session.Run(program.commands), "") << Command{crash};
      cut_short = session.restart_was_cut_short();
    }
  }
}

}  // namespace
}  // namespace tinykv::lsm::grading
