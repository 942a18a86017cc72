// GraderMain() as ./tinykv grade sees it: grade-self as a child process.
#include "graders/task/task.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/env/file_system.h"
#include "common/env/temporary_directory.h"
#include "common/strings.h"
#include "graders/process/child_process.h"

namespace tinykv::grading {
namespace {

using Json = nlohmann::json;

struct Outcome {
  int exit_status = 0;
  std::vector<Json> events;
  std::string errors;

  // The last event, if it is the one that every task ends with.
  Json finished() const {
    if (events.empty() || events.back()["event"] != "finished") return {};
    return events.back();
  }
};

Outcome RunTask(const std::string& task, int seeds = 1) {
  TemporaryDirectory directory;
  const std::string errors = directory.path() + "/errors";
  auto child = ChildProcess::Start(
      {ProgramPath("grade-self"), "--task", task, "--seeds", Concat(seeds)}, errors);
  EXPECT_TRUE(child.ok()) << child.status();
  Outcome run;
  for (auto line = (*child)->ReadLine(); line.ok(); line = (*child)->ReadLine()) {
    run.events.push_back(Json::parse(*line));
  }
  run.exit_status = (*child)->Wait();
  run.errors = ReadFile(PosixFileSystem(), errors).value_or("");
  return run;
}

TEST(GraderMain, RunsEverySeed) {
  const Outcome run = RunTask("passes", 5);
  EXPECT_EQ(run.exit_status, 0);
  ASSERT_EQ(run.events.size(), 6u);
  for (int seed = 1; seed <= 5; ++seed) EXPECT_EQ(run.events[seed - 1]["seed"], seed);
  EXPECT_EQ(run.finished()["verdict"], "passed");
  EXPECT_EQ(run.finished()["seeds"], 5);
}

TEST(GraderMain, StopsAtTheFirstSeedThatFailsAndTellsAllAboutIt) {
  const Outcome run = RunTask("wrong-at-3", 5);
  EXPECT_EQ(run.exit_status, 1);
  const Json finished = run.finished();
  EXPECT_EQ(finished["verdict"], "wrong");
  EXPECT_EQ(finished["seed"], 3);
  EXPECT_EQ(finished["sentence"], "three is wrong");
  EXPECT_EQ(finished["program"], "1. count to three\n");
  EXPECT_EQ(finished["events"], (std::vector<std::string>{"one", "two \xef\xbf\xbd"}));
}

TEST(GraderMain, TellsTheVerdictsApart) {
  EXPECT_EQ(RunTask("stuck").finished()["verdict"], "stuck");
  EXPECT_EQ(RunTask("not-started").finished()["verdict"], "not started");
  EXPECT_EQ(RunTask("check").finished()["verdict"], "crashed");
  EXPECT_EQ(RunTask("throws").finished()["verdict"], "crashed");
}

TEST(GraderMain, ACrashHasNoVerdictButAProgramAndAStack) {
  const Outcome run = RunTask("aborts");
  EXPECT_NE(run.exit_status, 0);
  EXPECT_TRUE(run.finished().is_null());
  EXPECT_NE(run.errors.find("*** the program:\n1. abort\n*** SIGABRT: stack:\n"), std::string::npos)
      << run.errors;
  EXPECT_NE(run.errors.find("grade-self("), std::string::npos) << run.errors;
}

TEST(GraderMain, AnEarlyExitHasNoVerdict) { EXPECT_TRUE(RunTask("exits").finished().is_null()); }

TEST(GraderMain, RefusesAnUnknownTask) { EXPECT_EQ(RunTask("no-such-task").exit_status, 2); }

}  // namespace
}  // namespace tinykv::grading
