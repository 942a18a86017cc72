#include "graders/task/property.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <vector>

#include "common/check.h"
#include "common/your_code_here.h"

namespace tinykv::grading {
namespace {

struct Numbers {
  std::vector<int> numbers;
};

std::ostream& operator<<(std::ostream& out, const Numbers& program) {
  for (const int number : program.numbers) out << number << ' ';
  return out;
}

rc::Gen<Numbers> AnyNumbers() {
  return rc::gen::build<Numbers>(rc::gen::set(
      &Numbers::numbers, rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 1000))));
}

bool HasMoreThan(const Numbers& program, int bound) {
  return std::ranges::any_of(program.numbers, [&](int number) { return number > bound; });
}

// The finding of the first seed that fails.
Result FirstFailure(const std::function<Result(const Numbers&)>& run) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Result finding = CheckProgram<Numbers>(seed, AnyNumbers(), run);
    if (finding.has_value()) return finding;
  }
  return std::nullopt;
}

TEST(CheckProgram, PassesWhatIsRight) {
  EXPECT_FALSE(FirstFailure([](const Numbers&) { return Result(); }).has_value());
}

TEST(CheckProgram, ShrinksToTheSmallestProgramThatFails) {
  const Result finding = FirstFailure([](const Numbers& program) -> Result {
    if (HasMoreThan(program, 17)) return Wrong("more than 17");
    return std::nullopt;
  });
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->verdict, Verdict::kWrong);
  EXPECT_EQ(finding->program, "18 ");
  EXPECT_EQ(finding->sentence, "more than 17");
}

TEST(CheckProgram, KeepsTheVerdictWhileShrinking) {
  // Small programs get stuck, large ones are wrong: a wrong one must not shrink into a stuck one.
  const Result finding = FirstFailure([](const Numbers& program) -> Result {
    if (HasMoreThan(program, 500)) return Wrong("large");
    if (HasMoreThan(program, 400)) return Stuck("middling");
    return std::nullopt;
  });
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->program, finding->verdict == Verdict::kWrong ? "501 " : "401 ");
}

TEST(CheckProgram, DoesTheSameForTheSameSeed) {
  std::vector<std::vector<int>> runs;
  for (int round = 0; round < 2; ++round) {
    CheckProgram<Numbers>(7, AnyNumbers(), [&](const Numbers& program) {
      runs.push_back(program.numbers);
      return Result();
    });
  }
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0], runs[1]);
}

TEST(CheckProgram, TakesAFailedCheckForACrashAndShrinksIt) {
  const GraderChecks checks;
  const Result finding = FirstFailure([](const Numbers& program) -> Result {
    TKV_CHECK(!HasMoreThan(program, 99) && "numbers are small");
    return std::nullopt;
  });
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->verdict, Verdict::kCrashed);
  EXPECT_EQ(finding->program, "100 ");
  EXPECT_NE(finding->sentence.find("numbers are small"), std::string::npos) << finding->sentence;
}

TEST(CheckProgram, EndsAtAHole) {
  int runs = 0;
  const Result finding = CheckProgram<Numbers>(1, AnyNumbers(), [&](const Numbers&) -> Result {
    ++runs;
    YourCodeHere("1-raw-get");
  });
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->verdict, Verdict::kNotStarted);
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace tinykv::grading
