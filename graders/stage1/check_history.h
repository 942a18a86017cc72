// CheckHistory: the verdict on what clients saw.
#pragma once

#include <utility>

#include "common/check.h"
#include "common/strings.h"
#include "graders/check/linearizability.h"
#include "graders/check/recorder.h"
#include "graders/task/finding.h"

namespace tinykv::grading {

// Is there one order of all requests that explains their answers? REQUIRES: the history is small
// enough for the checker's usual budget.
inline Result CheckHistory(const check::Recorder& recorder) {
  const check::History history = recorder.history();
  const auto result = check::CheckLinearizability(history);
  TKV_CHECK(result.verdict != check::Verdict::kUnknown && "the history is small");
  if (result.verdict == check::Verdict::kLinearizable) return std::nullopt;
  Finding finding =
      Wrong(Concat("no order of the requests explains what the clients saw: ", result.explanation));
  finding.events = check::ToEvents(history);
  return finding;
}

}  // namespace tinykv::grading
