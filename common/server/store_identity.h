// StoreIdentity: who sends a stream to whom, in the metadata of the rpcs between stores.
//
// An address may be that of another store than it was: a machine got another's, or belongs to
// another cluster. So a stream says what it takes both ends for, and who is meant by mistake
// refuses it. TinyKV's own stores say nothing of the kind; their streams are taken as they come.
#pragma once

#include <cstdint>
#include <map>

#include <grpcpp/client_context.h>
#include <grpcpp/support/string_ref.h>

#include "absl/status/statusor.h"
#include "common/env/transport.h"

namespace tinykv {

struct StoreIdentity {
  uint64_t cluster_id = 0;
  StoreId store_id = 0;
};

// Their names in the metadata; values are decimal.
inline constexpr char kClusterIdKey[] = "tinykv-cluster-id";
inline constexpr char kStoreIdKey[] = "tinykv-store-id";       // the sender
inline constexpr char kToStoreIdKey[] = "tinykv-to-store-id";  // who is meant

void AddIdentity(const StoreIdentity& self, StoreId to, grpc::ClientContext& context);

// Who sends a stream with this metadata to `self`; 0 if it does not say.
// Errors: kFailedPrecondition if it is of another cluster or meant for another store,
// kInvalidArgument if an id is not a number.
absl::StatusOr<StoreId> CheckIdentity(
    const StoreIdentity& self, const std::multimap<grpc::string_ref, grpc::string_ref>& metadata);

}  // namespace tinykv
