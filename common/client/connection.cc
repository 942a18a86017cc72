#include "common/client/connection.h"

#include <algorithm>
#include <limits>

#include <grpc/support/time.h>

#include "common/status.h"

namespace tinykv {
namespace {

constexpr Duration kDeadlineMax = std::chrono::hours(24);

// Of the deadline, to one attempt where there are several stores. Three is the usual number.
constexpr int kAttemptShare = 3;

absl::Status CheckOptions(const ClientOptions& options) {
  if (options.deadline <= Duration::zero() || options.deadline > kDeadlineMax) {
    return InvalidArgument("deadline must be above 0 and at most a day");
  }
  if (options.attempts_max < 1) return InvalidArgument("attempts_max must be at least 1");
  if (options.backoff_min <= Duration::zero() || options.backoff_min > options.backoff_max) {
    return InvalidArgument("backoff_min must be above 0 and at most backoff_max");
  }
  if (options.message_bytes_max > static_cast<uint64_t>(std::numeric_limits<int>::max())) {
    return InvalidArgument("message_bytes_max must be below 2 GiB");
  }
  if (options.keepalive_interval < std::chrono::seconds(2)) {
    return InvalidArgument("keepalive_interval must be at least 2 s");
  }
  return absl::OkStatus();
}

// Only a client that knows regions, and has a scheduler to ask for them, can do something about
// these.
bool IsAboutRegions(const errorpb::Error& error) {
  return error.has_key_not_in_region() || error.has_epoch_not_match() ||
         error.has_store_not_match();
}

absl::Status StatusOfRegionError(const std::string& address, const errorpb::Error& error) {
  if (IsAboutRegions(error)) {
    return FailedPrecondition(address, ": ", error.message(),
                              "; this client knows no regions, so it cannot find the right store");
  }
  const std::string& leader = error.not_leader().leader_address();
  const absl::Status status = Annotate(RegionErrorStatus(error), address);
  if (leader.empty() || CheckStoreAddress(leader).ok()) return status;
  return WithMessage(status,
                     Concat(MessageOf(status), ", at ", Quote(leader), ", which is no HOST:PORT"));
}

}  // namespace

absl::Status StatusOfAttempt(const ConnectionAttempt& attempt, const grpc::Status& status,
                             const errorpb::Error* region_error) {
  if (status.ok()) {
    if (region_error == nullptr) return absl::OkStatus();
    return StatusOfRegionError(attempt.address, *region_error);
  }
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    const std::string text =
        Concat(attempt.address, ": no answer within ", SecondsText(attempt.patience));
    return attempt.is_last ? DeadlineExceeded(text) : Unavailable(text);
  }
  // Not by us. A store that stops does that to a call that reaches it at the last moment.
  if (status.error_code() == grpc::StatusCode::CANCELLED) {
    return Unavailable(attempt.address, ": the store broke the call off");
  }
  // The two enumerations have the same values.
  return MakeStatus(static_cast<absl::StatusCode>(status.error_code()),
                    Concat(attempt.address, ": ", status.error_message()));
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ClientOptions& options) {
  TKV_RETURN_IF_ERROR(CheckOptions(options));
  TKV_ASSIGN_OR_RETURN(auto routes, StoreRoutes::Make(options));
  return std::unique_ptr<Connection>(new Connection(options, std::move(routes)));  // it is private
}

Connection::Connection(const ClientOptions& options, std::unique_ptr<StoreRoutes> routes)
    : options_(options),
      clock_(options.clock != nullptr ? options.clock : &SystemClock()),
      own_executor_(options.executor == nullptr
                        ? MakeThreadExecutor({.threads = 1, .name = "client-timers"})
                        : nullptr),
      executor_(options.executor != nullptr ? options.executor : own_executor_.get()),
      routes_(std::move(routes)) {}

Duration Connection::PatienceOf(Duration remaining) const {
  if (!routes_->has_several()) return remaining;
  return std::min(remaining, options_.deadline / kAttemptShare);
}

void Connection::SetDeadline(grpc::ClientContext& context, Duration patience) {
  // On the monotonic clock: that one does not jump when somebody sets the date.
  context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                    gpr_time_from_nanos(patience.count(), GPR_TIMESPAN)));
}

Connection::Step Connection::NextStep(const StoreRoute& asked, const absl::Status& error) {
  const auto region_error = RegionErrorOf(error);
  if (region_error && region_error->has_stale_command()) return {&asked, Haste::kAtOnce};
  const std::string leader = region_error ? region_error->not_leader().leader_address() : "";
  if (!leader.empty()) {
    const StoreRoute* route = routes_->Follow(asked, leader);
    if (route != nullptr && route != &asked) return {route, Haste::kAtOnce};
  }
  return {&routes_->After(asked), Haste::kAfterPause};
}

}  // namespace tinykv
