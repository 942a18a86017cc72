#include "common/server/store_identity.h"

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "common/status.h"

namespace tinykv {
namespace {

using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

absl::StatusOr<std::optional<uint64_t>> Find(const Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return std::nullopt;
  const std::string_view text(found->second.data(), found->second.size());
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) {
    return InvalidArgument(key, " ", Quote(text), " is not a number");
  }
  return id;
}

}  // namespace

void AddIdentity(const StoreIdentity& self, StoreId to, grpc::ClientContext& context) {
  context.AddMetadata(kClusterIdKey, std::to_string(self.cluster_id));
  context.AddMetadata(kStoreIdKey, std::to_string(self.store_id));
  context.AddMetadata(kToStoreIdKey, std::to_string(to));
}

absl::StatusOr<StoreId> CheckIdentity(const StoreIdentity& self, const Metadata& metadata) {
  TKV_ASSIGN_OR_RETURN(const auto cluster_id, Find(metadata, kClusterIdKey));
  TKV_ASSIGN_OR_RETURN(const auto from, Find(metadata, kStoreIdKey));
  TKV_ASSIGN_OR_RETURN(const auto to, Find(metadata, kToStoreIdKey));
  if (cluster_id.has_value() && *cluster_id != self.cluster_id) {
    return FailedPrecondition("the stream is of cluster ", *cluster_id, ", and this is store ",
                              self.store_id, " of cluster ", self.cluster_id);
  }
  if (to.has_value() && *to != self.store_id) {
    return FailedPrecondition("the stream is meant for store ", *to, ", and this is store ",
                              self.store_id);
  }
  return from.value_or(0);
}

}  // namespace tinykv
