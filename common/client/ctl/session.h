// Session: what the commands of tinykv-ctl act on and print to.
#pragma once

#include <istream>
#include <ostream>

#include <nlohmann/json_fwd.hpp>

#include "absl/status/status.h"
#include "common/client/raw_client.h"
#include "common/env/clock.h"

namespace tinykv::ctl {

// The exit status of the program, and the result of each command. Of a cluster that is not whole,
// kNotFound says that something is missing.
enum class ExitCode { kOk = 0, kNotFound = 1, kError = 2 };

// Thread-safety: none.
struct Session {
  RawClient& client;
  const ClientOptions& options;  // of `client`
  const Clock& clock;

  // Where results go. With `json`, that is one JSON object a line, errors included; without, text,
  // and errors go to `err`.
  std::ostream& out;
  std::ostream& err;
  bool json = false;

  // Where the argument "-" reads from. Null inside a session that reads its commands from there.
  std::istream* in = nullptr;

  // Draw progress bars on `err`.
  bool show_progress = false;

  // One line. Text in `object` that is not UTF-8, which only a message can be, is mended.
  void PrintJson(const nlohmann::ordered_json& object);

  // Reports `status`, which is not OK, and returns kError. `details` are further members of the
  // JSON object, before "error" and "code".
  ExitCode Fail(const absl::Status& status);
  ExitCode Fail(const absl::Status& status, nlohmann::ordered_json details);
};

}  // namespace tinykv::ctl
