// Every change and every read of the fixed program fails once, or from then on; the disk fills up
// at any moment. What the session checks: the first error stays, what was acknowledged before is
// there afterwards, reads go on, and with a good disk the database opens again.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "graders/lsm/fixed_program.h"
#include "graders/lsm/session.h"

namespace tinykv::lsm::grading {
namespace {

// The fixed program on a bad disk. With `power_loss`, the machine goes down at the end, which tells
// whether the engine took a failed sync for a good one.
std::string RunWith(const Fault& fault, bool power_loss) {
  Program program = FixedProgram();
  program.commands.insert(program.commands.begin(), {fault});
  if (power_loss) program.commands.push_back({Crash{.power_loss = true, .seed = fault.at}});
  return RunProgram(program);
}

TEST(Fault, AtAnyChangeLosesNothingAcknowledged) {
  const Program program = FixedProgram();
  Session session(program.setup);
  ASSERT_EQ(session.Run(program.commands), "");
  for (uint64_t at = 1; at <= session.changes(); ++at) {
    for (const bool sticky : {false, true}) {
      const Fault fault = {.kind = Fault::Kind::kFailedChange, .at = at, .sticky = sticky};
      ASSERT_EQ(RunWith(fault, /*power_loss=*/!sticky), "") << Command{fault};
    }
  }
}

TEST(Fault, AtAnyReadLosesNothingAcknowledged) {
  for (uint64_t at = 1; at <= 400; ++at) {
    const Fault fault = {.kind = Fault::Kind::kFailedRead, .at = at, .sticky = at % 2 == 0};
    ASSERT_EQ(RunWith(fault, /*power_loss=*/at % 3 == 0), "") << Command{fault};
  }
}

TEST(Fault, OfAFullDiskLosesNothingAcknowledged) {
  const uint64_t step = std::max<uint64_t>(1, 37 / TestScale());
  for (uint64_t room = 0; room <= 25'000; room += step) {
    const Fault fault = {.kind = Fault::Kind::kFullDisk, .at = room};
    ASSERT_EQ(RunWith(fault, /*power_loss=*/room % 2 == 0), "") << Command{fault};
  }
}

}  // namespace
}  // namespace tinykv::lsm::grading
