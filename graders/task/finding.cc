#include "graders/task/finding.h"

#include <exception>
#include <stdexcept>
#include <utility>

#include "common/check.h"
#include "common/status.h"
#include "common/strings.h"
#include "common/your_code_here.h"

namespace tinykv::grading {
namespace {

class FailedCheck : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void ThrowFailedCheck(const char* file, int line, const char* condition) {
  throw FailedCheck(Concat(file, ':', line, ": ", condition));
}

Finding NotStartedAt(const std::string& hole) {
  return {.verdict = Verdict::kNotStarted,
          .sentence = Concat("the hole ", hole, " is to be filled")};
}

std::string& TheNote() {
  static std::string note;
  return note;
}

}  // namespace

void NoteForReport(std::string text) { TheNote() = std::move(text); }

const std::string& NotedForReport() { return TheNote(); }

const char* NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNotStarted:
      return "not started";
    case Verdict::kWrong:
      return "wrong";
    case Verdict::kStuck:
      return "stuck";
    case Verdict::kCrashed:
      return "crashed";
  }
  TKV_CHECK(false && "a verdict has a name");
}

Finding WrongUnlessNotStarted(const absl::Status& status, std::string sentence) {
  const std::string hole = HoleNamedIn(MessageOf(status));
  return hole.empty() ? Wrong(std::move(sentence)) : NotStartedAt(hole);
}

Result Guarded(absl::FunctionRef<Result()> body) {
  try {
    return body();
  } catch (const NotStarted& missing) {
    return NotStartedAt(missing.hole());
  } catch (const FailedCheck& failed) {
    return Finding{.verdict = Verdict::kCrashed,
                   .sentence = Concat("a check failed at ", failed.what())};
  } catch (const std::exception& thrown) {
    return Finding{.verdict = Verdict::kCrashed,
                   .sentence = Concat("an exception came out: ", thrown.what())};
  }
}

GraderChecks::GraderChecks() : before_(SetCheckHandler(ThrowFailedCheck)) {}

GraderChecks::~GraderChecks() { SetCheckHandler(before_); }

}  // namespace tinykv::grading
