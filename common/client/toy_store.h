// ToyStore: a store for tests of clients. It serves the raw requests from memory, over real gRPC on
// this machine, and fails or waits when it is told to.
//
// Thread-safety: safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <grpcpp/server.h>

#include "common/client/raw_client.h"
#include "common/mutex.h"
#include "common/storage/column_family.h"
#include "proto/tinykvpb.grpc.pb.h"

namespace tinykv {

class ToyStore final : public tinykvpb::TinyKv::Service {
 public:
  enum class Failure {
    kNone,
    kUnavailable,  // of gRPC
    kCancelled,    // the same, as by a store that stops
    kBusy,         // a region error
    kRefusal,      // an error text in the response
    kStale,        // the region error "stale command"
    kNotLeader,    // a region error, which says that the leader is at Plan::leader, if that is set
    kOtherRegion,  // "epoch not match"
  };

  // Serves until it is destroyed. Port 0 takes a free one.
  explicit ToyStore(uint16_t port = 0);
  ~ToyStore() override;

  uint16_t port() const { return static_cast<uint16_t>(port_); }
  std::string address() const;

  // The requests after the next `healthy` ones fail, as many as `failing`.
  struct Plan {
    uint64_t healthy = 0;
    uint64_t failing = 0;
    Failure failure = Failure::kNone;
    std::string leader = {};
  };
  void Follow(const Plan& plan);

  // From now on requests wait inside the store, until Release().
  void Hold();
  void Release();
  // Waits until `count` requests wait inside the store.
  void WaitForHeld(uint64_t count);

  // No answer to a scan has more pairs.
  void LimitPages(uint32_t pairs_max);

  // From now on it answers StoreStatus, and so; before, it does not know that call.
  void Report(const kvrpcpb::StoreStatusResponse& status);

  // Requests that came in.
  uint64_t requests() const;
  // The most that were inside at one time.
  uint64_t requests_at_once_max() const;
  std::map<std::string, std::string> contents(ColumnFamily column_family) const;

  using Context = grpc::ServerContext;
  grpc::Status RawGet(Context* context, const kvrpcpb::RawGetRequest* request,
                      kvrpcpb::RawGetResponse* response) override;
  grpc::Status RawPut(Context* context, const kvrpcpb::RawPutRequest* request,
                      kvrpcpb::RawPutResponse* response) override;
  grpc::Status RawDelete(Context* context, const kvrpcpb::RawDeleteRequest* request,
                         kvrpcpb::RawDeleteResponse* response) override;
  grpc::Status RawScan(Context* context, const kvrpcpb::RawScanRequest* request,
                       kvrpcpb::RawScanResponse* response) override;
  grpc::Status StoreStatus(Context* context, const kvrpcpb::StoreStatusRequest* request,
                           kvrpcpb::StoreStatusResponse* response) override;
  // Makes none, and says that it is in "/toy/NAME".
  grpc::Status Backup(Context* context, const kvrpcpb::BackupRequest* request,
                      kvrpcpb::BackupResponse* response) override;

 private:
  using Pairs = std::map<std::string, std::string>;

  // Counts and perhaps holds a request, then serves it or lets it fail.
  template <typename Request, typename Response, typename Serve>
  grpc::Status Handle(const Request& request, Response* response, const Serve& serve);
  // What `failure` puts into a response.
  errorpb::Error RegionErrorFor(Failure failure) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Failure NextFailure() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  CondVar changed_;
  std::array<Pairs, kColumnFamilyNames.size()> pairs_ ABSL_GUARDED_BY(mutex_);
  Plan plan_ ABSL_GUARDED_BY(mutex_);
  bool hold_ ABSL_GUARDED_BY(mutex_) = false;
  uint32_t page_pairs_max_ ABSL_GUARDED_BY(mutex_) = UINT32_MAX;
  std::optional<kvrpcpb::StoreStatusResponse> status_ ABSL_GUARDED_BY(mutex_);
  uint64_t inside_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t inside_max_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t requests_ ABSL_GUARDED_BY(mutex_) = 0;

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace tinykv
