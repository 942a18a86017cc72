#include "stage1-standalone/raw_handlers.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/status.h"
#include "common/your_code_here.h"

namespace tinykv {

RawLimits RawLimitsOf(const ServerConfig::Limits& limits) {
  // A scan's response must fit into a message even if it holds only one pair of the largest kind.
  return {.key_bytes_max = limits.key_bytes,
          .value_bytes_max = limits.value_bytes,
          .scan_bytes_max = limits.message_bytes - limits.message_bytes / 16};
}

absl::StatusOr<ColumnFamily> RawHandlers::CheckKey(const std::string& key,
                                                   const std::string& cf) const {
  if (key.empty())
    return InvalidArgument("key is empty; a key has 1 to ", limits_.key_bytes_max, " bytes");
  if (key.size() > limits_.key_bytes_max) {
    return InvalidArgument("key ", Quote(key), " has ", key.size(), " bytes; the limit is ",
                           limits_.key_bytes_max);
  }
  return ParseColumnFamily(cf);
}

asio::awaitable<absl::StatusOr<kvrpcpb::RawGetResponse>> RawHandlers::RawGet(
    const kvrpcpb::RawGetRequest& request) {
  TKV_CO_ASSIGN_OR_RETURN(const ColumnFamily cf, CheckKey(request.key(), request.cf()));
  // >>> SOLUTION 1-raw-get: ask a reader, and tell an absent key from an empty value
  kvrpcpb::RawGetResponse response;
  TKV_CO_ASSIGN_OR_RETURN(const auto reader, co_await storage_.Reader(request.context()));
  TKV_CO_ASSIGN_OR_RETURN(std::optional<std::string> value, reader->Get(cf, request.key()));
  if (value.has_value()) {
    response.set_value(*std::move(value));
  } else {
    response.set_not_found(true);
  }
  co_return response;
  // <<< SOLUTION
}

asio::awaitable<absl::StatusOr<kvrpcpb::RawPutResponse>> RawHandlers::RawPut(
    const kvrpcpb::RawPutRequest& request) {
  TKV_CO_ASSIGN_OR_RETURN(const ColumnFamily cf, CheckKey(request.key(), request.cf()));
  if (request.value().size() > limits_.value_bytes_max) {
    co_return InvalidArgument("value of key ", Quote(request.key()), " has ",
                              request.value().size(), " bytes; the limit is ",
                              limits_.value_bytes_max);
  }
  // >>> SOLUTION 1-raw-put: one write of one key
  WriteSet writes;
  writes.Put(cf, request.key(), request.value());
  TKV_CO_RETURN_IF_ERROR(co_await storage_.Write(request.context(), std::move(writes)));
  co_return kvrpcpb::RawPutResponse();
  // <<< SOLUTION
}

asio::awaitable<absl::StatusOr<kvrpcpb::RawDeleteResponse>> RawHandlers::RawDelete(
    const kvrpcpb::RawDeleteRequest& request) {
  TKV_CO_ASSIGN_OR_RETURN(const ColumnFamily cf, CheckKey(request.key(), request.cf()));
  // >>> SOLUTION 1-raw-delete: one write that deletes a key
  WriteSet writes;
  writes.Delete(cf, request.key());
  TKV_CO_RETURN_IF_ERROR(co_await storage_.Write(request.context(), std::move(writes)));
  co_return kvrpcpb::RawDeleteResponse();
  // <<< SOLUTION
}

asio::awaitable<absl::StatusOr<kvrpcpb::RawScanResponse>> RawHandlers::RawScan(
    const kvrpcpb::RawScanRequest& request) {
  TKV_CO_ASSIGN_OR_RETURN(const ColumnFamily cf, ParseColumnFamily(request.cf()));
  // >>> SOLUTION 1-raw-scan: walk an iterator from start_key, within both limits on the response
  TKV_CO_ASSIGN_OR_RETURN(const auto reader, co_await storage_.Reader(request.context()));
  kvrpcpb::RawScanResponse response;
  const auto iterator = reader->NewIterator(cf);
  uint64_t bytes = 0;
  uint32_t pairs = 0;
  for (iterator->Seek(request.start_key()); pairs < request.limit() && iterator->Valid();
       iterator->Next()) {
    // What protobuf adds to a pair is under 32 bytes.
    bytes += iterator->key().size() + iterator->value().size() + 32;
    if (bytes > limits_.scan_bytes_max && pairs > 0) {
      if (!request.partial_ok()) {
        co_return ResourceExhausted("scan of ", request.limit(), " pairs from ",
                                    Quote(request.start_key()), " is larger than ",
                                    limits_.scan_bytes_max, " bytes after ", pairs,
                                    " pairs; ask for at most so many");
      }
      response.set_more(true);
      break;
    }
    kvrpcpb::KvPair* pair = response.add_kvs();
    pair->set_key(std::string(iterator->key()));
    pair->set_value(std::string(iterator->value()));
    ++pairs;
  }
  TKV_CO_RETURN_IF_ERROR(iterator->status());
  co_return response;
  // <<< SOLUTION
}

void InstallRaw(Server& server, RawHandlers& handlers) {
  TinyKvHandlers& installed = server.handlers();
  installed.raw_get = [&](const auto& request) { return handlers.RawGet(request); };
  installed.raw_put = [&](const auto& request) { return handlers.RawPut(request); };
  installed.raw_delete = [&](const auto& request) { return handlers.RawDelete(request); };
  installed.raw_scan = [&](const auto& request) { return handlers.RawScan(request); };
}

}  // namespace tinykv
