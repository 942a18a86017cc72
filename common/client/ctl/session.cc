#include "common/client/ctl/session.h"

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/status.h"

namespace tinykv::ctl {

using Json = nlohmann::ordered_json;

void Session::PrintJson(const Json& object) {
  out << object.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
}

ExitCode Session::Fail(const absl::Status& status) { return Fail(status, Json::object()); }

ExitCode Session::Fail(const absl::Status& status, Json details) {
  if (json) {
    details["error"] = std::string(MessageOf(status));
    details["code"] = absl::StatusCodeToString(status.code());
    PrintJson(details);
  } else {
    err << "tinykv-ctl: " << MessageOf(status) << '\n';
  }
  return ExitCode::kError;
}

}  // namespace tinykv::ctl
