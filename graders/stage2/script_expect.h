// Expectations of a script: "1 leader", "2 log 1 1 2", "message 1->2 Append x2".
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "graders/stage2/script_group.h"

namespace tinykv::grading {

// Checks what the words behind "expect" say. Errors: kFailedPrecondition if it is not so, with how
// it is instead; kInvalidArgument if the words make no sense.
absl::Status Expect(const ScriptGroup& group, std::vector<std::string> words);

}  // namespace tinykv::grading
