// 1-raw-delete: RawDelete alone, on a storage of the grader.
#include "common/status.h"
#include "common/strings.h"
#include "graders/stage1/raw_program.h"
#include "graders/stage1/tasks.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

Result Run(const RawProgram& program) {
  RawSession session(program);
  Content expected = session.content();
  for (const RawRequest& plan : program.requests) {
    const std::string what = Concat("RawDelete ", ToText(plan));
    auto request = NewRequest<kvrpcpb::RawDeleteRequest>(plan);
    request.set_key(KeyOf(plan));
    const auto response =
        session.Serve(plan, ModelStorage::Call::kWrite, session.handlers().RawDelete(request));
    if (!response.has_value()) return Stuck(Concat(what, " is never answered"));
    const std::string error = ErrorOf(plan);
    if (Result finding = session.Check(what, plan, error, response->status())) return finding;
    if (response->ok()) expected.erase(PlaceOf(plan));
    const std::string difference = Difference(expected, session.content());
    if (!difference.empty()) return Wrong(Concat("after ", what, ", ", difference));
  }
  return std::nullopt;
}

}  // namespace

Task RawDelete() {
  return {.id = "1-raw-delete", .run = [](uint64_t seed) {
            return CheckProgram<RawProgram>(seed, AnyRawProgram("RawDelete"), Run);
          }};
}

}  // namespace tinykv::grading
