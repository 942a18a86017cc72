#include "graders/soak/store_probe.h"

#include <chrono>
#include <utility>

#include <grpc/support/time.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "graders/soak/soak_values.h"

namespace tinykv::soak {
namespace {

constexpr Duration kPause = std::chrono::milliseconds(50);
// Longer than most faults; a read needs no key that rests, since it changes nothing.
constexpr Duration kPatience = std::chrono::seconds(30);
// More than are asked within the patience.
constexpr size_t kCallsMax = 1000;

}  // namespace

struct StoreProbe::Call {
  RegisterChecker::Read read;
  grpc::ClientContext context;
  kvrpcpb::RawGetRequest request;
  kvrpcpb::RawGetResponse response;
};

StoreProbe::StoreProbe(const Options& options)
    : options_(options),
      stub_(tinykvpb::TinyKv::NewStub(
          grpc::CreateChannel(options.address, grpc::InsecureChannelCredentials()))),
      random_(options.seed) {}

StoreProbe::~StoreProbe() {
  MutexLock lock(mutex_);
  for (const auto& call : calls_) call->context.TryCancel();
  while (!calls_.empty()) ended_.Wait(mutex_);
}

void StoreProbe::Start(Executor& executor) {
  executor.PostAfter(kPause, [this, &executor] {
    Ask();
    Start(executor);
  });
}

void StoreProbe::Ask() {
  const auto call = std::make_shared<Call>();
  const auto key = static_cast<uint32_t>(random_.Uniform(options_.keys));
  {
    MutexLock lock(mutex_);
    if (calls_.size() >= kCallsMax) return;
    calls_.insert(call);
  }
  call->context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                          gpr_time_from_nanos(kPatience.count(), GPR_TIMESPAN)));
  call->request.set_key(KeyOf(key));
  call->request.set_cf("default");
  call->read = options_.checker->BeginRead(key);
  stub_->async()->RawGet(&call->context, &call->request, &call->response,
                         [this, call](const grpc::Status& status) { OnEnd(call, status.ok()); });
}

void StoreProbe::OnEnd(const std::shared_ptr<Call>& call, bool served) {
  kvrpcpb::RawGetResponse& response = call->response;
  if (served && !response.has_region_error() && response.error().empty()) {
    std::optional<std::string> value;
    if (!response.not_found()) value = std::move(*response.mutable_value());
    options_.on_answer(call->read, value);
  }
  MutexLock lock(mutex_);
  calls_.erase(call);
  // Under the lock: as soon as it is free, the destructor may return.
  ended_.NotifyAll();
}

}  // namespace tinykv::soak
