// 1-raw-scan: RawScan alone, on a storage of the grader.
#include <algorithm>

#include "common/status.h"
#include "common/strings.h"
#include "graders/stage1/raw_program.h"
#include "graders/stage1/tasks.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// A pair counts with what protobuf adds to it at most.
constexpr uint64_t kPairOverhead = 32;

// The first pairs that the request asks for, whatever they weigh.
Pairs PairsOf(const RawRequest& plan, const Content& content) {
  Pairs pairs;
  const auto family = FamilyOf(content, *ParseColumnFamily(FamilyNameOf(plan)));
  for (auto at = family.lower_bound(KeyOf(plan)); at != family.end(); ++at) {
    if (pairs.size() >= plan.limit) break;
    pairs.emplace_back(at->first, at->second);
  }
  return pairs;
}

// How many of them a response holds.
size_t CountThatFit(const Pairs& pairs) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < pairs.size(); ++i) {
    bytes += pairs[i].first.size() + pairs[i].second.size() + kPairOverhead;
    if (bytes > kRawLimits.scan_bytes_max && i > 0) return i;
  }
  return pairs.size();
}

std::string ToText(const Pairs& pairs) {
  std::string text;
  for (const auto& [key, value] : pairs) {
    text += Concat(text.empty() ? "" : ", ", Quote(key, 12), " = ", Quote(value, 12));
  }
  return text.empty() ? "no pairs" : text;
}

Result CheckResponse(const std::string& what, const Pairs& expected, bool more,
                     const kvrpcpb::RawScanResponse& response) {
  Pairs found;
  for (const auto& pair : response.kvs()) {
    if (pair.has_error()) return Wrong(Concat(what, " set the error of a pair; there is none"));
    found.emplace_back(pair.key(), pair.value());
  }
  if (found != expected) {
    return Wrong(
        Concat(what, " was answered with ", ToText(found), "; the answer is ", ToText(expected)));
  }
  if (response.more() == more) return std::nullopt;
  return Wrong(Concat(what, more ? " did not set `more`, and left out pairs below its limit"
                                 : " set `more`, and left out nothing that was asked for"));
}

// Where the iterator fails after some good pairs, whether the handler meets the failure depends on
// how far it must walk.
bool MeetsFault(const RawRequest& plan, const Pairs& pairs) {
  if (plan.fault == RawRequest::Fault::kNone) return false;
  return pairs.size() > static_cast<size_t>(plan.good_pairs);
}

Result CheckScan(RawSession& session, const RawRequest& plan) {
  const std::string what =
      Concat("RawScan from key ", Quote(KeyOf(plan), 12), " in cf ", Quote(FamilyNameOf(plan)),
             " with limit ", plan.limit, plan.partial_ok ? " and partial_ok" : "");
  auto request = NewRequest<kvrpcpb::RawScanRequest>(plan);
  request.set_start_key(KeyOf(plan));
  request.set_limit(plan.limit);
  request.set_partial_ok(plan.partial_ok);
  const auto response =
      session.Serve(plan, ModelStorage::Call::kIterator, session.handlers().RawScan(request));
  if (!response.has_value()) return Stuck(Concat(what, " is never answered"));
  const bool known_family = ParseColumnFamily(FamilyNameOf(plan)).ok();
  const std::string error = known_family ? "" : "there is no such column family";
  if (!known_family) return session.Check(what, plan, error, response->status());

  const Pairs pairs = PairsOf(plan, session.content());
  const size_t fitting = CountThatFit(pairs);
  const bool too_large = fitting < pairs.size();
  if (too_large && !plan.partial_ok && plan.fault == RawRequest::Fault::kNone) {
    if (response->status().code() == absl::StatusCode::kResourceExhausted) return std::nullopt;
    return Wrong(Concat(what, " was answered with ", response->status().ToString(),
                        "; the pairs are larger than scan_bytes_max, which is "
                        "kResourceExhausted for a client without partial_ok"));
  }
  if (!too_large && response->status().code() == absl::StatusCode::kResourceExhausted) {
    return Wrong(Concat(what, " was answered with ", response->status().ToString(),
                        "; what it asks for fits into scan_bytes_max (", kRawLimits.scan_bytes_max,
                        "), or is one pair, and the first pair is sent ", "however large it is"));
  }
  // With a fault and a response that is too large at once, either may be noticed first.
  if (plan.fault != RawRequest::Fault::kNone && (too_large || !MeetsFault(plan, pairs))) {
    return std::nullopt;
  }
  if (Result finding = session.Check(what, plan, "", response->status())) return finding;
  if (!response->ok()) return std::nullopt;
  const Pairs expected(pairs.begin(), pairs.begin() + static_cast<ptrdiff_t>(fitting));
  return CheckResponse(what, expected, too_large, **response);
}

Result Run(const RawProgram& program) {
  RawSession session(program);
  for (const RawRequest& plan : program.requests) {
    if (Result finding = CheckScan(session, plan)) return finding;
  }
  return std::nullopt;
}

}  // namespace

Task RawScan() {
  return {.id = "1-raw-scan", .run = [](uint64_t seed) {
            return CheckProgram<RawProgram>(seed, AnyRawProgram("RawScan"), Run);
          }};
}

}  // namespace tinykv::grading
