// A connection to another store.
#pragma once

#include <memory>
#include <string>

#include <grpcpp/channel.h>

#include "common/server/grpc_transport_options.h"

namespace tinykv {

// A channel that shares its connection with no other one: a transfer does not hold up messages,
// and whoever wants to connect again makes a new channel, and so has the waiting in between in its
// own hands.
std::shared_ptr<grpc::Channel> MakeStoreChannel(const std::string& address,
                                                const GrpcTransportOptions& options);

}  // namespace tinykv
