// Connection: a store or a cluster, to which calls are made, timed and tried again.
//
// For the clients of this folder, which are built on it; their users see no gRPC. A call ends in
// one of three ways: with the response, with a region error (common/storage/region_error.h) that
// went on until the deadline, or with gRPC's status. Errors that are part of one response's own
// message are left to whoever asked.
//
// What follows an attempt that failed:
//   not leader, and it says who is       that store at once, also one that was not given
//   stale command                        the same store at once
//   not leader, busy, region not found,
//   not reachable, no answer,
//   broken off by the store              the next store after a pause
//   another region error                 nothing: only a client that knows regions can mend it
// "At once" is so a few times in a row (RetrySchedule). The store that answered last is asked first
// by the next call.
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
#include "common/client/failed_attempts.h"
#include "common/client/retry_schedule.h"
#include "common/client/store_routes.h"
#include "common/storage/region_error.h"
#include "proto/tinykvpb.grpc.pb.h"

namespace tinykv {

// One try of a call.
struct ConnectionAttempt {
  std::string address = {};
  Duration patience = {};
  bool is_last = false;  // no time is left for another
};

// What became of it. `region_error` is null if the response had none.
absl::Status StatusOfAttempt(const ConnectionAttempt& attempt, const grpc::Status& status,
                             const errorpb::Error* region_error);

class Connection {
 public:
  using Rpcs = tinykvpb::TinyKv::StubInterface::async_interface;

  // An rpc as gRPC generates it, for example &Connection::Rpcs::RawGet.
  template <typename Request, typename Response>
  using Method = void (Rpcs::*)(grpc::ClientContext*, const Request*, Response*,
                                std::function<void(grpc::Status)>);

  template <typename Response>
  using Done = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

  // Does not wait for a store; the first call finds out whether it is there.
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

  // What to do after an attempt that failed.
  struct Step {
    const StoreRoute* route = nullptr;
    Haste haste = Haste::kAfterPause;
  };

  Connection(const ClientOptions& options, std::unique_ptr<StoreRoutes> routes);

  Duration Now() const { return clock_->Now(); }
  // How long an attempt may take when `remaining` is left for the call.
  Duration PatienceOf(Duration remaining) const;
  // Makes `context` end its call after `patience`.
  static void SetDeadline(grpc::ClientContext& context, Duration patience);
  Step NextStep(const StoreRoute& asked, const absl::Status& error);

  const ClientOptions options_;
  const Clock* const clock_;
  std::unique_ptr<Executor> own_executor_;  // null if the options bring one
  Executor* const executor_;
  const std::unique_ptr<StoreRoutes> routes_;
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
        begin_(connection.Now()),
        schedule_(connection.options_, connection.options_.seed + connection.calls_.fetch_add(1),
                  begin_),
        route_(&connection.routes_->First()) {}

  static void Start(std::unique_ptr<Operation> operation) {
    Operation& started = *operation.release();
    started.Attempt(started.begin_);
  }

 private:
  void Attempt(Duration now) {
    const Duration remaining = schedule_.Remaining(now);
    // The timer can be late. Then the error of the attempt before says more than a time-out.
    if (remaining <= Duration::zero()) return GiveUp();
    patience_ = connection_.PatienceOf(remaining);
    is_last_ = patience_ == remaining;
    context_.emplace();  // gRPC wants a fresh one for each attempt
    SetDeadline(*context_, patience_);
    response_.Clear();
    Rpcs& rpcs = *route_->stub->async();
    (rpcs.*method_)(&*context_, &request_, &response_,
                    [this](const grpc::Status& status) { OnAnswer(status); });
  }

  void OnAnswer(const grpc::Status& grpc_status) {
    const absl::Status error = StatusOfAttempt(
        {.address = route_->address, .patience = patience_, .is_last = is_last_}, grpc_status,
        response_.has_region_error() ? &response_.region_error() : nullptr);
    if (connection_.options_.on_attempt) connection_.options_.on_attempt(route_->address, error);
    if (error.ok()) {
      connection_.routes_->Confirm(*route_);
      return Finish(std::move(response_));
    }
    failed_.Add(route_->address, error);
    const Step step = connection_.NextStep(*route_, error);
    const auto pause = schedule_.PauseAfter(error, connection_.Now(), step.haste);
    if (!pause) return GiveUp();
    route_ = step.route;
    connection_.executor_->PostAfter(*pause, [this] { Attempt(connection_.Now()); });
  }

  void GiveUp() { Finish(failed_.Summary(connection_.Now() - begin_)); }

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
  const Duration begin_;
  RetrySchedule schedule_;
  const StoreRoute* route_;  // of this attempt
  Duration patience_ = {};   // the same
  bool is_last_ = false;     // the same: its patience is all that is left
  std::optional<grpc::ClientContext> context_;
  Response response_;
  FailedAttempts failed_;
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
