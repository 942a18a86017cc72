// RawClient: keys and values of a store or a cluster, without transactions.
//
//   TKV_ASSIGN_OR_RETURN(auto client, RawClient::Open({.address = "127.0.0.1:20160"}));
//   TKV_RETURN_IF_ERROR(client->Put("city", "Hangzhou"));
//   TKV_ASSIGN_OR_RETURN(std::optional<std::string> city, client->Get("city"));
//
// Keys and values are any bytes. Calls block until they are answered or their deadline passes, and
// are tried again meanwhile as ClientOptions says. In a cluster they find the leader, remember it,
// and follow it when it changes.
//
// What it means that a write is tried again: the answer to the first attempt may be lost although
// the write was done, or the attempt may still be under way when the next one is answered. So a put
// or delete can take effect twice, even after the call has returned: an attempt that nobody
// answered may wait in the socket of a store that was paused or cut off. What was written to the
// key in between is then undone, so that an older value returns. Mostly this is another writer's;
// the only writer of a key is concerned if it writes the key again before such an attempt has come
// to an end.
//
// Errors of all calls, which name the addresses that were tried:
//   kUnavailable         no store could be reached, led, or was free, until the deadline; a region
//                        error inside (RegionErrorOf()) says what the last one lacked
//   kDeadlineExceeded    no answer in time
//   kFailedPrecondition  the store has several regions, which this client knows nothing of
//   kResourceExhausted   the request or the answer is above message_bytes_max
//   kUnimplemented       the store is of a stage that does not serve this
//   kUnknown             the store refuses the request; the message says why
// After a failed write with one of the first two it is unknown whether it was done, or will be.
//
// See also raw_scanner.h for ranges of any length, and raw_loader.h for many writes.
//
// Thread-safety: safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/client/client_options.h"
#include "common/storage/column_family.h"

namespace tinykv {

class Connection;

struct KeyValue {
  std::string key;
  std::string value;

  bool operator==(const KeyValue&) const = default;
};

class RawClient {
 public:
  // Does not wait for a store; the first call finds out whether it is there.
  // Errors: kInvalidArgument, naming the option.
  static absl::StatusOr<std::unique_ptr<RawClient>> Open(const ClientOptions& options);
  ~RawClient();

  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // nullopt if the key is not there.
  absl::StatusOr<std::optional<std::string>> Get(
      std::string_view key, ColumnFamily column_family = ColumnFamily::kDefault);

  absl::Status Put(std::string_view key, std::string_view value,
                   ColumnFamily column_family = ColumnFamily::kDefault);

  // OK also if the key was not there.
  absl::Status Delete(std::string_view key, ColumnFamily column_family = ColumnFamily::kDefault);

  // The first pairs at or after `start`, at most `limit`, in ascending order of their keys. There
  // may be fewer although more follow: a store limits what one answer holds. Only an empty result
  // means that there are no more.
  absl::StatusOr<std::vector<KeyValue>> Scan(std::string_view start, uint32_t limit,
                                             ColumnFamily column_family = ColumnFamily::kDefault);

 private:
  friend class RawLoader;

  explicit RawClient(std::unique_ptr<Connection> connection);

  std::unique_ptr<Connection> connection_;
};

}  // namespace tinykv
