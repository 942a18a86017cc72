// The session that tinykv-ctl is when it is started bare: it reads commands line by line.
//
// A line is split at blanks. Double quotes keep blanks together ("a b", and "" for the empty
// value); a backslash keeps the character after it from ending the quotes, and both stay for the
// escapes of text_format.h. Commands are those of the command line; the word raw may be left out.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/client/ctl/session.h"

namespace tinykv::ctl {

// Reads a line without its newline; nullopt at the end of the input.
using LineSource = std::function<std::optional<std::string>()>;

// Runs every line until the input ends or a line says quit. An error does not end the session.
// Returns kError if a line failed, and kOk otherwise: a key that is not there is no failure.
ExitCode RunRepl(Session& session, const LineSource& next_line);

// Errors: kInvalidArgument if a quote is not closed.
absl::StatusOr<std::vector<std::string>> SplitLine(std::string_view line);

// What a line can begin with.
std::vector<std::string> ReplWords();

}  // namespace tinykv::ctl
