// Task: the unit of grading. A part of the course is a program that lists its tasks by plain calls:
//
//   int main(int argc, char** argv) {
//     return tinykv::grading::GraderMain({StorageWrite(), StorageCrash(), …}, argc, argv);
//   }
//
// ./tinykv grade starts that program once for each task, so that a crash or a hang costs one task:
//
//   grade-1 --list                                   names its tasks, one a line
//   grade-1 --task 1-raw-get [--seed-base B] [--seeds N] [--result-fd FD] [--trace FILE]
//
// The second form writes events to FD (1 unless told), one JSON object a line:
//   {"event":"seed","seed":N}                        before the run of each seed
//   {"event":"finished","verdict":V,"seeds":N,       V is "passed", or the verdict of the first run
//    "note":TEXT}                                    that failed; then also seed, sentence,
//                                                    program, events, and draws: whether --trace
//                                                    would write a page with that run
//                                                    (trace_request.h)
// A program that ends without "finished" has crashed, and its stack is on standard error
// (crash_stack.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "graders/task/finding.h"

namespace tinykv::grading {

struct Task {
  std::string id = {};
  // Equal seeds make equal runs, but for tasks on real threads and files, which vary only what the
  // seed says.
  std::function<Result(uint64_t seed)> run = {};
};

// The whole main(). Exit status: 0 passed, 1 failed, 2 bad flags.
int GraderMain(const std::vector<Task>& tasks, int argc, char** argv);

}  // namespace tinykv::grading
