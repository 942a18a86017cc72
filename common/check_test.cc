#include "common/check.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace tinykv {
namespace {

void Throw(const char*, int, const char* condition) { throw std::runtime_error(condition); }

TEST(CheckDeathTest, AbortsNamingTheConditionAndItsPlace) {
  EXPECT_DEATH(TKV_CHECK(1 > 2 && "one is less"),
               "check_test.cc:.*check failed: 1 > 2 && \"one is less\"");
}

TEST(Check, LetsATrueConditionPassAndEvaluatesItOnce) {
  int calls = 0;
  TKV_CHECK(++calls == 1);
  EXPECT_EQ(calls, 1);
}

TEST(Check, CallsTheHandlerThatAGraderInstalls) {
  const CheckHandler before = SetCheckHandler(Throw);
  EXPECT_THROW(TKV_CHECK(1 > 2), std::runtime_error);
  EXPECT_EQ(SetCheckHandler(before), Throw);
}

}  // namespace
}  // namespace tinykv
