#include "common/client/connection.h"

#include <algorithm>
#include <cstdio>
#include <limits>

#include <grpc/support/time.h>
#include <grpcpp/create_channel.h>

#include "common/address.h"
#include "common/status.h"

namespace tinykv {
namespace {

constexpr Duration kDeadlineMax = std::chrono::hours(24);

std::string Seconds(Duration duration) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g s", std::chrono::duration<double>(duration).count());
  return text;
}

absl::Status CheckOptions(const ClientOptions& options) {
  // gRPC takes almost any text for an address, and without a port it tries that of HTTPS.
  TKV_ASSIGN_OR_RETURN(const Address address, ParseAddress(options.address));
  if (address.port == 0) {
    return InvalidArgument("address ", Quote(options.address), " has port 0, where nobody listens");
  }
  if (options.deadline <= Duration::zero() || options.deadline > kDeadlineMax) {
    return InvalidArgument("deadline must be above 0 and at most a day");
  }
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

int Millis(Duration duration) {
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<int>(std::min<int64_t>(millis, std::numeric_limits<int>::max()));
}

std::shared_ptr<grpc::Channel> MakeChannel(const ClientOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxSendMessageSize(static_cast<int>(options.message_bytes_max));
  arguments.SetMaxReceiveMessageSize(static_cast<int>(options.message_bytes_max));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, Millis(options.keepalive_interval));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // as many as the wait is long
  // gRPC makes calls fail while it waits before it connects again. By default that grows to two
  // minutes: a store that is back would not be noticed before the deadline.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, Millis(options.backoff_min));
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, Millis(options.backoff_max));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, Millis(options.backoff_max));
  // A TCP connection of its own for each Connection. gRPC would share one among all in the process.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A store is never behind the proxy that $http_proxy names.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(options.address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ClientOptions& options) {
  TKV_RETURN_IF_ERROR(CheckOptions(options));
  return std::unique_ptr<Connection>(new Connection(options));  // the constructor is private
}

Connection::Connection(const ClientOptions& options)
    : options_(options),
      clock_(options.clock != nullptr ? options.clock : &SystemClock()),
      own_executor_(options.executor == nullptr
                        ? MakeThreadExecutor({.threads = 1, .name = "client-timers"})
                        : nullptr),
      executor_(options.executor != nullptr ? options.executor : own_executor_.get()),
      stub_(tinykvpb::TinyKv::NewStub(MakeChannel(options))) {}

void Connection::SetDeadline(grpc::ClientContext& context, Duration remaining) {
  // On the monotonic clock: that one does not jump when somebody sets the date.
  context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                    gpr_time_from_nanos(remaining.count(), GPR_TIMESPAN)));
}

absl::Status Connection::StatusOf(const grpc::Status& status,
                                  const errorpb::Error* region_error) const {
  if (status.ok()) {
    if (region_error == nullptr) return absl::OkStatus();
    return Annotate(RegionErrorStatus(*region_error), options_.address);
  }
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return DeadlineExceeded(options_.address, ": no answer within ", Seconds(options_.deadline));
  }
  // The two enumerations have the same values.
  return MakeStatus(static_cast<absl::StatusCode>(status.error_code()),
                    Concat(options_.address, ": ", status.error_message()));
}

absl::Status Connection::GiveUp(const absl::Status& status, const RetrySchedule& schedule) const {
  if (schedule.attempts() == 1) return status;
  const Duration spent = options_.deadline - schedule.Remaining(Now());
  return Annotate(status,
                  Concat("gave up after ", schedule.attempts(), " attempts in ", Seconds(spent)));
}

}  // namespace tinykv
