// CheckProgram: a property of random programs, with shrinking.
//
// RapidCheck draws the programs and knows how they get smaller. The loop around it is ours, because
// a seed must mean one program here, and a hole must end it at once.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <functional>
#include <sstream>
#include <string>

#include "graders/task/crash_stack.h"
#include "graders/task/finding.h"
#include "graders/task/trace_request.h"

namespace tinykv::grading {

// Runs of smaller programs before the smallest so far is good enough.
inline constexpr int kShrinkRunsMax = 500;

// How large a program a seed draws, from 0 to 100 as RapidCheck counts.
int SizeOf(uint64_t seed);

// A number from [low, high), all alike: RapidCheck's own inRange() keeps near `low` where programs
// are small.
template <typename T>
rc::Gen<T> InRange(T low, T high) {
  return rc::gen::resize(rc::kNominalSize, rc::gen::inRange<T>(low, high));
}

template <typename Program>
std::string TextOf(const Program& program) {
  std::ostringstream text;
  text << program;
  return text.str();
}

// Draws the program of `seed` and runs it. If that fails, looks for a smaller program that gets the
// same verdict, and returns the finding of the smallest, with the program as operator<< prints it.
// `run` must do the same each time.
template <typename Program>
Result CheckProgram(uint64_t seed, const rc::Gen<Program>& programs,
                    const std::function<Result(const Program&)>& run) {
  const auto attempt = [&](const Program& program) {
    NoteProgram(TextOf(program));
    Result found = Guarded([&] { return run(program); });
    NoteProgram("");
    return found;
  };
  rc::Shrinkable<Program> smallest = programs(rc::Random(seed), SizeOf(seed));
  Result finding = attempt(smallest.value());
  if (!finding.has_value() || finding->verdict == Verdict::kNotStarted) return finding;

  int runs = 0;
  for (auto smaller = smallest.shrinks(); runs < kShrinkRunsMax; ++runs) {
    const auto candidate = smaller.next();
    if (!candidate) break;
    Result found = attempt(candidate->value());
    if (found.has_value() && found->verdict == finding->verdict) {
      finding = std::move(found);
      smallest = *candidate;
      smaller = smallest.shrinks();
    }
  }
  // For whoever wants to see it: what ran last was some smaller program that did not fail.
  if (TraceWanted()) attempt(smallest.value());
  finding->program = TextOf(smallest.value());
  return finding;
}

}  // namespace tinykv::grading
