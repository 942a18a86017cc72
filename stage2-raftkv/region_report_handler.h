// RegionReportHandler: answers the rpc StoreStatus, by which tinykv-ctl looks at a cluster.
//
// Thread-safety: safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <asio/awaitable.hpp>

#include "absl/status/statusor.h"
#include "common/server/server.h"
#include "stage2-raftkv/raftstore/store.h"

namespace tinykv {

class RegionReportHandler {
 public:
  // `addresses` has the stores of the cluster. `store` must outlive the handler.
  RegionReportHandler(raftstore::Store& store, uint64_t cluster_id,
                      std::map<StoreId, std::string> addresses)
      : store_(store), cluster_id_(cluster_id), addresses_(std::move(addresses)) {}

  RegionReportHandler(const RegionReportHandler&) = delete;
  RegionReportHandler& operator=(const RegionReportHandler&) = delete;

  // Waits for the store's actor; where the disk hangs on which that waits, so does the answer.
  asio::awaitable<absl::StatusOr<kvrpcpb::StoreStatusResponse>> StoreStatus(
      const kvrpcpb::StoreStatusRequest& request);

 private:
  raftstore::Store& store_;
  const uint64_t cluster_id_;
  const std::map<StoreId, std::string> addresses_;
};

// Serves the rpc of `server` by `handler`, which must outlive the server.
void InstallStoreStatus(Server& server, RegionReportHandler& handler);

}  // namespace tinykv
