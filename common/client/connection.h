// Connection: the channel to one store, over which calls are made, timed and tried again.
//
// For the clients of this folder, which are built on it; their users see no gRPC. A call ends in
// one of three ways: with the response, with a region error (common/storage/region_error.h) that
// went on until the deadline, or with gRPC's status. Errors that are part of one response's own
// message are left to whoever asked.
//
// Thread-safety: safe. It must outlive its calls.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/client/client_options.h"
#include "common/client/retry_schedule.h"
#include "common/storage/region_error.h"
#include "proto/tinykvpb.grpc.pb.h"

namespace tinykv {

class Connection {
 public:
  using Rpcs = tinykvpb::TinyKv::StubInterface::async_interface;

  // An rpc as gRPC generates it, for example &Connection::Rpcs::RawGet.
  template <typename Request, typename Response>
  using Method = void (Rpcs::*)(grpc::ClientContext*, const Request*, Response*,
                                std::function<void(grpc::Status)>);

  template <typename Response>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

  // Does not wait for the store; the first call finds out whether it is there.
  // Errors: kInvalidArgument, naming the option.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const ClientOptions& options);

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Calls the store. `done` runs once, on a thread that is not the caller's, and must not block.
  template <typename Request, typename Response>
  void Start(Method<Request, Response> method, Request request, Done<Response> done);

  // As Start(), and waits for the result.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(Method<Request, Response> method, Request request);

 private:
  template <typename Request, typename Response>
  class Operation;

  explicit Connection(const ClientOptions& options);

  Duration Now() const { return clock_->Now(); }
  // Makes `context` end its call once `remaining` has passed.
  static void SetDeadline(grpc::ClientContext& context, Duration remaining);
  // What became of one attempt.
  absl::Status StatusOf(const grpc::Status& status, const errorpb::Error* region_error) const;
  // `status`, and if there were several attempts, how many in what time.
  absl::Status GiveUp(const absl::Status& status, const RetrySchedule& schedule) const;

  const ClientOptions options_;
  const Clock* const clock_;
  std::unique_ptr<Executor> own_executor_;  // null if the options bring one
  Executor* const executor_;
  std::unique_ptr<tinykvpb::TinyKv::Stub> stub_;
  std::atomic<uint64_t> calls_ = 0;
};

// One call with its attempts. It owns itself from Start() until it is done, because std::function,
// which gRPC wants, cannot hold its owner.
template <typename Request, typename Response>
class Connection::Operation {
 public:
  Operation(Connection& connection, Method<Request, Response> method, Request request,
            Done<Response> done)
      : connection_(connection),
        method_(method),
        request_(std::move(request)),
        done_(std::move(done)),
        schedule_(connection.options_, connection.options_.seed + connection.calls_.fetch_add(1),
                  connection.Now()) {}

  static void Start(std::unique_ptr<Operation> operation) { operation.release()->Attempt(); }

 private:
  void Attempt() {
    const Duration remaining = schedule_.Remaining(connection_.Now());
    // The timer can be late. Then the error of the attempt before says more than a time-out.
    if (remaining <= Duration::zero()) return Finish(connection_.GiveUp(last_error_, schedule_));
    context_.emplace();  // gRPC wants a fresh one for each attempt
    SetDeadline(*context_, remaining);
    response_.Clear();
    Rpcs& rpcs = *connection_.stub_->async();
    (rpcs.*method_)(&*context_, &request_, &response_,
                    [this](const grpc::Status& status) { OnAnswer(status); });
  }

  void OnAnswer(const grpc::Status& grpc_status) {
    last_error_ = connection_.StatusOf(
        grpc_status, response_.has_region_error() ? &response_.region_error() : nullptr);
    if (last_error_.ok()) return Finish(std::move(response_));
    const auto pause = schedule_.PauseAfter(last_error_, connection_.Now());
    if (!pause) return Finish(connection_.GiveUp(last_error_, schedule_));
    connection_.executor_->PostAfter(*pause, [this] { Attempt(); });
  }

  void Finish(absl::StatusOr<Response> result) {
    Done<Response> done = std::move(done_);
    // Before `done`, which may let the owner of the connection go on and destroy that.
    std::unique_ptr<Operation>(this).reset();
    done(std::move(result));
  }

  Connection& connection_;
  const Method<Request, Response> method_;
  const Request request_;
  Done<Response> done_;
  RetrySchedule schedule_;
  std::optional<grpc::ClientContext> context_;
  Response response_;
  absl::Status last_error_;
};

template <typename Request, typename Response>
void Connection::Start(Method<Request, Response> method, Request request, Done<Response> done) {
  Operation<Request, Response>::Start(std::make_unique<Operation<Request, Response>>(
      *this, method, std::move(request), std::move(done)));
}

template <typename Request, typename Response>
absl::StatusOr<Response> Connection::Call(Method<Request, Response> method, Request request) {
  std::promise<absl::StatusOr<Response>> promise;
  auto result = promise.get_future();
  // The promise moves into the callback: here it could be gone before set_value() has returned.
  Start<Request, Response>(method, std::move(request),
                           [promise = std::move(promise)](absl::StatusOr<Response> r) mutable {
                             promise.set_value(std::move(r));
                           });
  return result.get();
}

}  // namespace tinykv
