// For clients that have no scheduler to ask where a store is: whoever does not lead says where the
// leader is served.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/env/transport.h"
#include "common/storage/storage.h"

namespace tinykv {

// `storage`, but its "not leader" errors have leader_address (errorpb.proto) where `addresses`
// know the leader's store. `storage` must outlive the result.
std::unique_ptr<Storage> WithLeaderAddresses(Storage& storage,
                                             std::map<StoreId, std::string> addresses);

}  // namespace tinykv
