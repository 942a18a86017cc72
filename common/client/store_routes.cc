#include "common/client/store_routes.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include <grpcpp/create_channel.h>

#include "common/address.h"
#include "common/status.h"

namespace tinykv {
namespace {

int Millis(Duration duration) {
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<int>(std::min<int64_t>(millis, std::numeric_limits<int>::max()));
}

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address,
                                           const ClientOptions& options) {
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
  // A TCP connection of its own for each client. gRPC would share one among all in the process.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A store is never behind the proxy that $http_proxy names.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

absl::Status CheckStoreAddress(const std::string& text) {
  // gRPC takes almost any text for an address, and without a port it tries that of HTTPS.
  TKV_ASSIGN_OR_RETURN(const Address address, ParseAddress(text));
  if (address.port != 0) return absl::OkStatus();
  return InvalidArgument("address ", Quote(text), " has port 0, where nobody listens");
}

absl::StatusOr<std::vector<std::string>> ParseStoreAddresses(const std::string& text) {
  std::vector<std::string> addresses;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string address = text.substr(begin, end - begin);
    TKV_RETURN_IF_ERROR(CheckStoreAddress(address));
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(address);
    }
    begin = end + 1;
  }
  if (addresses.size() > StoreRoutes::kRoutesMax) {
    return InvalidArgument("there are ", addresses.size(), " addresses; at most ",
                           StoreRoutes::kRoutesMax, " can be given");
  }
  return addresses;
}

absl::StatusOr<std::unique_ptr<StoreRoutes>> StoreRoutes::Make(const ClientOptions& options) {
  TKV_ASSIGN_OR_RETURN(const auto addresses, ParseStoreAddresses(options.address));
  std::unique_ptr<StoreRoutes> routes(new StoreRoutes(options));  // the constructor is private
  MutexLock lock(routes->mutex_);
  for (const std::string& address : addresses) routes->Add(address);
  routes->first_.store(routes->routes_.front().get());
  return routes;
}

void StoreRoutes::Confirm(const StoreRoute& route) {
  if (&First() != &route) first_.store(&route, std::memory_order_release);
}

const StoreRoute* StoreRoutes::Follow(const StoreRoute& asked, const std::string& address) {
  MutexLock lock(mutex_);
  const StoreRoute* leader = Find(address);
  if (leader == nullptr) {
    if (!CheckStoreAddress(address).ok() || routes_.size() == kRoutesMax) return nullptr;
    leader = &Add(address);
  }
  Replace(asked, *leader);
  return leader;
}

const StoreRoute& StoreRoutes::After(const StoreRoute& asked) {
  MutexLock lock(mutex_);
  Replace(asked, *routes_[(asked.place + 1) % routes_.size()]);
  return First();
}

const StoreRoute& StoreRoutes::Add(const std::string& address) {
  auto stub = tinykvpb::TinyKv::NewStub(MakeChannel(address, options_));
  routes_.push_back(std::make_unique<const StoreRoute>(
      StoreRoute{.address = address, .stub = std::move(stub), .place = routes_.size()}));
  count_.store(routes_.size(), std::memory_order_relaxed);
  return *routes_.back();
}

const StoreRoute* StoreRoutes::Find(const std::string& address) const {
  const auto found = std::find_if(routes_.begin(), routes_.end(),
                                  [&](const auto& route) { return route->address == address; });
  return found == routes_.end() ? nullptr : found->get();
}

void StoreRoutes::Replace(const StoreRoute& asked, const StoreRoute& next) {
  const StoreRoute* expected = &asked;
  first_.compare_exchange_strong(expected, &next);
}

}  // namespace tinykv
