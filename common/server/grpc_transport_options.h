// GrpcTransportOptions: who a store is, where the others are, and how much may wait for them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/env/clock.h"
#include "common/env/transport.h"

namespace tinykv {

struct GrpcTransportOptions {
  uint64_t cluster_id = 0;
  StoreId store_id = 0;
  std::map<StoreId, std::string> addresses = {};  // HOST:PORT
  uint64_t seed = 0;                              // of the jitter

  // One message or chunk. No more than servers take (ServerOptions).
  uint64_t message_bytes_max = 16 << 20;

  // What waits for one store. What does not fit is dropped.
  uint64_t queue_messages_max = 4096;
  uint64_t queue_bytes_max = 64 << 20;
  // What has waited longer for a connection is dropped: by now Raft has repeated it.
  Duration message_age_max = std::chrono::seconds(2);

  // Between one attempt to connect and the next: doubled each time, and then up to half of it is
  // taken off at random, so that many stores do not fall on a restarted one at once.
  Duration backoff_min = std::chrono::milliseconds(50);
  Duration backoff_max = std::chrono::seconds(2);
  Duration connect_timeout = std::chrono::seconds(2);

  // A peer that does not answer a ping for so long is dead. Servers allow no less than 1 s between
  // pings (DESIGN 11).
  Duration keepalive_interval = std::chrono::seconds(2);
  Duration keepalive_timeout = std::chrono::seconds(3);

  // Transfers that are sent at a time; more wait, and more than those fail.
  uint64_t outgoing_transfers_max = 4;
  uint64_t waiting_transfers_max = 64;
  // Transfers that are received at a time; more are refused.
  uint64_t incoming_transfers_max = 8;
  // Without a chunk coming through for so long, a transfer is broken.
  Duration transfer_patience = std::chrono::seconds(10);
};

}  // namespace tinykv
