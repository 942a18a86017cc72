// StoreRoutes: the stores that a client knows, with a channel to each, and which one it asks first.
//
// It begins with the addresses of the options, and learns those that stores name as the leader's.
// The one that is asked first is the last that was named or that answered; where it fails, the next
// one takes its place.
//
// Invariants:
//   1. Routes are never taken away and do not move: calls in flight refer to them.
//   2. There are at most kRoutesMax, whatever stores may say.
//
// Thread-safety: safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/client/client_options.h"
#include "common/mutex.h"
#include "proto/tinykvpb.grpc.pb.h"

namespace tinykv {

struct StoreRoute {
  std::string address;  // HOST:PORT
  std::unique_ptr<tinykvpb::TinyKv::Stub> stub;
  size_t place = 0;  // among the routes
};

class StoreRoutes {
 public:
  static constexpr size_t kRoutesMax = 64;

  // Connects to nobody yet. Errors: kInvalidArgument, naming the address.
  static absl::StatusOr<std::unique_ptr<StoreRoutes>> Make(const ClientOptions& options);

  StoreRoutes(const StoreRoutes&) = delete;
  StoreRoutes& operator=(const StoreRoutes&) = delete;

  // Whom to ask first.
  const StoreRoute& First() const { return *first_.load(std::memory_order_acquire); }

  bool has_several() const { return count_.load(std::memory_order_relaxed) > 1; }

  // `route` has answered: it is asked first from now on.
  void Confirm(const StoreRoute& route);

  // `asked` says that the leader is at `address`, which may be new here. Null if that is no
  // address, or one too many.
  const StoreRoute* Follow(const StoreRoute& asked, const std::string& address);

  // Whom to ask after `asked` has failed.
  const StoreRoute& After(const StoreRoute& asked);

 private:
  explicit StoreRoutes(const ClientOptions& options) : options_(options) {}

  const StoreRoute& Add(const std::string& address) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Null if there is none.
  const StoreRoute* Find(const std::string& address) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Has `next` asked first instead of `asked`, unless another call has changed that already.
  void Replace(const StoreRoute& asked, const StoreRoute& next);

  const ClientOptions options_;
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<const StoreRoute>> routes_ ABSL_GUARDED_BY(mutex_);
  // Read by every call, so without the lock.
  std::atomic<const StoreRoute*> first_ = nullptr;
  std::atomic<size_t> count_ = 0;
};

// Errors: kInvalidArgument, saying why no store can be reached at `address`.
absl::Status CheckStoreAddress(const std::string& address);

// The parts of a text with commas between them: addresses, as ClientOptions has them. One address
// that stands there twice is there once. Errors: kInvalidArgument, naming what is no HOST:PORT.
absl::StatusOr<std::vector<std::string>> ParseStoreAddresses(const std::string& text);

}  // namespace tinykv
