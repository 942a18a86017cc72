// 1-raw-put: RawPut alone, on a storage of the grader.
#include "common/status.h"
#include "common/strings.h"
#include "graders/stage1/raw_program.h"
#include "graders/stage1/tasks.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

// A put must reach the storage as one write set.
Result CheckWrites(const std::string& what, const Content& expected, size_t writes,
                   RawSession& session) {
  const size_t found = session.storage().seen().writes.size();
  if (found != writes) {
    return Wrong(Concat(what, " made ", Counted(found, "write"),
                        " to the storage; a valid put is exactly one"));
  }
  const std::string difference = Difference(expected, session.content());
  if (difference.empty()) return std::nullopt;
  return Wrong(Concat("after ", what, ", ", difference));
}

Result Run(const RawProgram& program) {
  RawSession session(program);
  Content expected = session.content();
  size_t writes = 0;
  for (size_t i = 0; i < program.requests.size(); ++i) {
    const RawRequest& plan = program.requests[i];
    const std::string value = ValueOf(plan, i);
    const std::string what = Concat("RawPut ", ToText(plan), ", value ", Quote(value, 12));
    auto request = NewRequest<kvrpcpb::RawPutRequest>(plan);
    request.set_key(KeyOf(plan));
    request.set_value(value);
    const auto response =
        session.Serve(plan, ModelStorage::Call::kWrite, session.handlers().RawPut(request));
    if (!response.has_value()) return Stuck(Concat(what, " is never answered"));
    std::string error = ErrorOf(plan);
    if (value.size() > kRawLimits.value_bytes_max) error = "the value is too long";
    if (Result finding = session.Check(what, plan, error, response->status())) return finding;
    if (response->ok()) {
      expected[PlaceOf(plan)] = value;
      ++writes;
    }
    if (Result finding = CheckWrites(what, expected, writes, session)) {
      return finding;
    }
  }
  return std::nullopt;
}

}  // namespace

Task RawPut() {
  return {.id = "1-raw-put", .run = [](uint64_t seed) {
            return CheckProgram<RawProgram>(seed, AnyRawProgram("RawPut"), Run);
          }};
}

}  // namespace tinykv::grading
