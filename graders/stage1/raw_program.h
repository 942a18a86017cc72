// RawProgram: requests to one raw handler over a ModelStorage, one after the other; and RawSession,
// which runs them and knows what must hold whatever the request is.
#pragma once

#include <rapidcheck.h>

#include <iosfwd>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "graders/sim/sim_clock.h"
#include "graders/sim/sim_executor.h"
#include "graders/stage1/model_storage.h"
#include "graders/stage1/planned_write.h"
#include "graders/task/finding.h"
#include "stage1-standalone/raw_handlers.h"

namespace tinykv::grading {

struct RawRequest {
  enum class Fault { kNone, kRegionError, kDiskError };

  int family = 0;           // a place in kFamilyNames
  int key = 0;              // as KeyOf(), then the empty key, then one that is too long
  int padding = 0;          // of what a put writes
  uint32_t limit = 0;       // of a scan
  bool partial_ok = false;  // of a scan
  // What the storage answers with instead of its duty.
  Fault fault = Fault::kNone;
  int good_pairs = 0;  // that an iterator yields before the fault
};

struct RawProgram {
  std::string method = {};    // RawGet, RawPut, RawDelete or RawScan
  PlannedWrite content = {};  // what the storage holds before
  std::vector<RawRequest> requests = {};
};

// Small, so that requests reach them.
inline constexpr RawLimits kRawLimits = {
    .key_bytes_max = 310, .value_bytes_max = 1000, .scan_bytes_max = 600};

std::string FamilyNameOf(const RawRequest& request);
std::string KeyOf(const RawRequest& request);
// What a put writes; `number` is the request's.
std::string ValueOf(const RawRequest& request, size_t number);
// The place that a valid request means. REQUIRES: ErrorOf(request) is empty.
Place PlaceOf(const RawRequest& request);
// What is wrong with a request to one key, in a few words, or "".
std::string ErrorOf(const RawRequest& request);
// `of key "a", cf ""`.
std::string ToText(const RawRequest& request);

rc::Gen<RawProgram> AnyRawProgram(const std::string& method);
std::ostream& operator<<(std::ostream& out, const RawProgram& program);

class RawSession {
 public:
  explicit RawSession(const RawProgram& program);

  ModelStorage& storage() { return storage_; }
  RawHandlers& handlers() { return handlers_; }
  const Content& content() { return storage_.content(); }

  // Runs a handler to its end; `call` is where the request's fault strikes. Nothing if it never
  // answers.
  template <typename T>
  std::optional<T> Serve(const RawRequest& request, ModelStorage::Call call,
                         asio::awaitable<T> handler) {
    storage_.Fail(call, FailureOf(request), request.good_pairs);
    call_ = call;
    const auto pending = sim::Spawn(executor_, std::move(handler));
    while (!pending->done() && executor_.RunOne()) {
    }
    if (!pending->done()) return std::nullopt;
    return pending->Take();
  }

  // The Status that the storage answers with, OK if the request has no fault.
  static absl::Status FailureOf(const RawRequest& request);

  // `what` ("RawGet of key …") was answered with `status`, and `error` is what ErrorOf() says of
  // the request: is the one as the other demands, and did the handler behave at the seam?
  Result Check(const std::string& what, const RawRequest& request, const std::string& error,
               const absl::Status& status) const;

  // Is `status` what a handler answers whose storage answers `failure`?
  Result CheckAnswer(const std::string& what, const absl::Status& failure,
                     const absl::Status& status) const;

  // Goes into each request, and must arrive at the storage.
  static constexpr uint64_t kRegionId = 7;

 private:
  sim::SimClock clock_;
  sim::SimExecutor executor_;
  ModelStorage storage_;
  RawHandlers handlers_;
  ModelStorage::Call call_ = ModelStorage::Call::kWrite;  // of the last request
};

// A protobuf request with what all raw requests have.
template <typename Request>
Request NewRequest(const RawRequest& plan) {
  Request request;
  request.mutable_context()->set_region_id(RawSession::kRegionId);
  request.set_cf(FamilyNameOf(plan));
  return request;
}

}  // namespace tinykv::grading
