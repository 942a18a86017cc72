// A part whose tasks fail in every way there is, for the tests of GraderMain() and ./tinykv grade.
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <stdexcept>

#include "common/check.h"
#include "common/strings.h"
#include "common/your_code_here.h"
#include "graders/task/crash_stack.h"
#include "graders/task/task.h"

namespace tinykv::grading {
namespace {

Result Pass(uint64_t) { return std::nullopt; }

Result FailAtSeed3(uint64_t seed) {
  if (seed != 3) return std::nullopt;
  return Finding{.verdict = Verdict::kWrong,
                 .sentence = "three is wrong",
                 .program = "1. count to three\n",
                 .events = {"one", "two \xff"}};
}

Result BeStuck(uint64_t) { return Stuck("nobody answers"); }

Result MeetAHole(uint64_t) { YourCodeHere("1-raw-get"); }

Result FailACheck(uint64_t) {
  TKV_CHECK(1 > 2 && "one is more than two");
  return std::nullopt;
}

Result Throw(uint64_t) { throw std::out_of_range("vector::at"); }

Result Abort(uint64_t) {
  NoteProgram("1. abort\n");
  std::abort();
}

// What a student might write by mistake, or to be done with it.
Result Exit(uint64_t) { std::exit(0); }

Result LoopForEver(uint64_t) {
  const std::atomic<bool> forever = true;
  while (forever) {
  }
  return std::nullopt;
}

Result Print(uint64_t) {
  std::cout << R"({"event":"finished","verdict":"passed","seeds":1})" << std::endl;
  return Wrong("printing does not pass");
}

std::vector<Task> AllTasks() {
  return {{.id = "passes", .run = Pass},       {.id = "wrong-at-3", .run = FailAtSeed3},
          {.id = "stuck", .run = BeStuck},     {.id = "not-started", .run = MeetAHole},
          {.id = "check", .run = FailACheck},  {.id = "throws", .run = Throw},
          {.id = "aborts", .run = Abort},      {.id = "exits", .run = Exit},
          {.id = "loops", .run = LoopForEver}, {.id = "prints", .run = Print}};
}

}  // namespace
}  // namespace tinykv::grading

int main(int argc, char** argv) {
  return tinykv::grading::GraderMain(tinykv::grading::AllTasks(), argc, argv);
}
