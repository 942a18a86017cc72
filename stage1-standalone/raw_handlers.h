// RawHandlers: RawGet, RawPut, RawDelete and RawScan on a Storage.
//
// What a request may hold, for all four:
//   - cf: "default", "lock", "write", or "" for default; any other is an error.
//   - key: 1 to RawLimits::key_bytes_max arbitrary bytes, 00 and ff among them. The empty key is
//     an error: in protobuf it cannot be told from a forgotten one, and in a region's bounds it
//     means "no bound".
// Errors come back as Statuses; the server puts them into the response (common/server/server.h).
//
// Thread-safety: safe.
#pragma once

#include <cstdint>

#include <asio/awaitable.hpp>

#include "absl/status/statusor.h"
#include "common/server/server.h"
#include "common/server/server_config.h"
#include "common/storage/storage.h"
#include "proto/kvrpcpb.pb.h"

namespace tinykv {

struct RawLimits {
  uint64_t key_bytes_max = 4 << 10;
  uint64_t value_bytes_max = 8 << 20;
  // Of the pairs in one RawScan response, each counted as its key, its value and 32 bytes for what
  // protobuf adds; below the server's limit on messages.
  uint64_t scan_bytes_max = 15 << 20;
};

RawLimits RawLimitsOf(const ServerConfig::Limits& limits);

class RawHandlers {
 public:
  // `storage` must outlive the handlers.
  RawHandlers(Storage& storage, const RawLimits& limits) : storage_(storage), limits_(limits) {}

  // The value of the key, or not_found. An empty value is a value: not_found tells the two apart.
  asio::awaitable<absl::StatusOr<kvrpcpb::RawGetResponse>> RawGet(
      const kvrpcpb::RawGetRequest& request);

  // Errors: kInvalidArgument for a value beyond the limit.
  asio::awaitable<absl::StatusOr<kvrpcpb::RawPutResponse>> RawPut(
      const kvrpcpb::RawPutRequest& request);

  // Deleting a key that is not there is not an error.
  asio::awaitable<absl::StatusOr<kvrpcpb::RawDeleteResponse>> RawDelete(
      const kvrpcpb::RawDeleteRequest& request);

  // The first `limit` pairs at or after start_key, in key order, all of one moment. An empty
  // start_key means from the first key on; limit 0 yields no pairs, and any limit is fine. A
  // response holds the first pair, however large, and from there on at most
  // RawLimits::scan_bytes_max in all. Where `limit` pairs are more: with partial_ok the response
  // holds those that fit and has `more` set; without it, the request fails (kResourceExhausted),
  // because an older client would take a short answer for the end of the data.
  asio::awaitable<absl::StatusOr<kvrpcpb::RawScanResponse>> RawScan(
      const kvrpcpb::RawScanRequest& request);

 private:
  absl::StatusOr<ColumnFamily> CheckKey(const std::string& key, const std::string& cf) const;

  Storage& storage_;
  const RawLimits limits_;
};

// Serves the four raw rpcs of `server` by `handlers`, which must outlive the server.
void InstallRaw(Server& server, RawHandlers& handlers);

}  // namespace tinykv
