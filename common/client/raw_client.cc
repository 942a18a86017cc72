#include "common/client/raw_client.h"

#include <utility>

#include "common/client/connection.h"
#include "common/client/raw_status.h"
#include "common/status.h"

namespace tinykv {

absl::StatusOr<std::unique_ptr<RawClient>> RawClient::Open(const ClientOptions& options) {
  TKV_ASSIGN_OR_RETURN(auto connection, Connection::Open(options));
  return std::unique_ptr<RawClient>(new RawClient(std::move(connection)));  // it is private
}

RawClient::RawClient(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

RawClient::~RawClient() = default;

absl::StatusOr<std::optional<std::string>> RawClient::Get(std::string_view key,
                                                          ColumnFamily column_family) {
  kvrpcpb::RawGetRequest request;
  request.set_key(std::string(key));
  request.set_cf(std::string(NameOf(column_family)));
  auto response = connection_->Call(&Connection::Rpcs::RawGet, std::move(request));
  TKV_RETURN_IF_ERROR(RawStatusOf(response));
  if (response->not_found()) return std::nullopt;
  return std::move(*response->mutable_value());
}

absl::Status RawClient::Put(std::string_view key, std::string_view value,
                            ColumnFamily column_family) {
  kvrpcpb::RawPutRequest request;
  request.set_key(std::string(key));
  request.set_value(std::string(value));
  request.set_cf(std::string(NameOf(column_family)));
  return RawWriteStatusOf(connection_->Call(&Connection::Rpcs::RawPut, std::move(request)));
}

absl::Status RawClient::Delete(std::string_view key, ColumnFamily column_family) {
  kvrpcpb::RawDeleteRequest request;
  request.set_key(std::string(key));
  request.set_cf(std::string(NameOf(column_family)));
  return RawWriteStatusOf(connection_->Call(&Connection::Rpcs::RawDelete, std::move(request)));
}

absl::StatusOr<std::vector<KeyValue>> RawClient::Scan(std::string_view start, uint32_t limit,
                                                      ColumnFamily column_family) {
  kvrpcpb::RawScanRequest request;
  request.set_start_key(std::string(start));
  request.set_limit(limit);
  request.set_partial_ok(true);
  request.set_cf(std::string(NameOf(column_family)));
  auto response = connection_->Call(&Connection::Rpcs::RawScan, std::move(request));
  TKV_RETURN_IF_ERROR(RawStatusOf(response));
  std::vector<KeyValue> pairs;
  pairs.reserve(response->kvs_size());
  for (kvrpcpb::KvPair& pair : *response->mutable_kvs()) {
    pairs.push_back({std::move(*pair.mutable_key()), std::move(*pair.mutable_value())});
  }
  return pairs;
}

}  // namespace tinykv
