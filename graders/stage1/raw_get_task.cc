// 1-raw-get: RawGet alone, on a storage of the grader.
#include "common/status.h"
#include "common/strings.h"
#include "graders/stage1/raw_program.h"
#include "graders/stage1/tasks.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

Result CheckResponse(const std::string& what, const Content& content, const Place& place,
                     const kvrpcpb::RawGetResponse& response) {
  const auto at = content.find(place);
  if (at == content.end()) {
    if (response.not_found() && response.value().empty()) return std::nullopt;
    return Wrong(Concat(
        what, " was answered with ", response.not_found() ? "not_found and a value" : "a value, ",
        Quote(response.value(), 12), "; there is none, so not_found must be set, and no value"));
  }
  if (response.not_found()) {
    return Wrong(Concat(what, " was answered with not_found; there is the value ",
                        Quote(at->second, 12), at->second.empty() ? ", and it is one" : ""));
  }
  if (response.value() == at->second) return std::nullopt;
  return Wrong(Concat(what, " was answered with ", Quote(response.value(), 12), "; the value is ",
                      Quote(at->second, 12)));
}

Result Run(const RawProgram& program) {
  RawSession session(program);
  for (const RawRequest& plan : program.requests) {
    const std::string what = Concat("RawGet ", ToText(plan));
    auto request = NewRequest<kvrpcpb::RawGetRequest>(plan);
    request.set_key(KeyOf(plan));
    // A reader can fail as it is opened, and as it reads.
    const auto call = plan.good_pairs == 0 ? ModelStorage::Call::kReader : ModelStorage::Call::kGet;
    const auto response = session.Serve(plan, call, session.handlers().RawGet(request));
    if (!response.has_value()) return Stuck(Concat(what, " is never answered"));
    const std::string error = ErrorOf(plan);
    if (Result finding = session.Check(what, plan, error, response->status())) return finding;
    if (!session.storage().seen().writes.empty()) return Wrong(Concat(what, " has written"));
    if (!response->ok()) continue;
    Result finding = CheckResponse(what, session.content(), PlaceOf(plan), **response);
    if (finding.has_value()) return finding;
  }
  return std::nullopt;
}

}  // namespace

Task RawGet() {
  return {.id = "1-raw-get", .run = [](uint64_t seed) {
            return CheckProgram<RawProgram>(seed, AnyRawProgram("RawGet"), Run);
          }};
}

}  // namespace tinykv::grading
