// Finding, Result: what a task says about a student's code.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace tinykv::grading {

enum class Verdict {
  kNotStarted,  // a hole was reached
  kWrong,       // safety: something happened that must not happen
  kStuck,       // liveness: something that must happen did not, and cannot any more
  kCrashed,     // a check failed, or an exception came out that nobody expected
};

// "not started", "wrong" …: the words of ./tinykv grade.
const char* NameOf(Verdict verdict);

struct Finding {
  Verdict verdict = Verdict::kWrong;
  // One sentence that a student can act on: the request, what came of it, what was expected, why.
  std::string sentence = {};
  // What was done, in the order it was done; shrunk as far as the failure allows.
  std::string program = {};
  // What happened last, oldest first.
  std::vector<std::string> events = {};
};

// What a task has to say however it ends: how much it has looked at, for example. One line; the
// last one counts.
void NoteForReport(std::string text);
const std::string& NotedForReport();

// Nothing: all was as it must be.
using Result = std::optional<Finding>;

inline Finding Wrong(std::string sentence) {
  return {.verdict = Verdict::kWrong, .sentence = std::move(sentence)};
}
inline Finding Stuck(std::string sentence) {
  return {.verdict = Verdict::kStuck, .sentence = std::move(sentence)};
}

// The finding that `status` stands for where a hole of the server answered instead of it ("not
// started: …"), or else Wrong(sentence).
Finding WrongUnlessNotStarted(const absl::Status& status, std::string sentence);

// Runs `body`. What comes out of it as an exception becomes a finding: a hole, a failed TKV_CHECK
// (while a GraderChecks lives), anything else.
Result Guarded(absl::FunctionRef<Result()> body);

// While it lives, a failed TKV_CHECK throws instead of ending the process, so that Guarded() can
// tell of it and a failing program can be shrunk.
class GraderChecks {
 public:
  GraderChecks();
  ~GraderChecks();

  GraderChecks(const GraderChecks&) = delete;
  GraderChecks& operator=(const GraderChecks&) = delete;

 private:
  void (*before_)(const char* file, int line, const char* condition);
};

}  // namespace tinykv::grading
