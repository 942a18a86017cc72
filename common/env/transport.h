// Transport: the door to other stores. Raft messages and snapshots leave and arrive through it;
// client requests do not (they come by gRPC, or in a simulation by plain calls).
#pragma once

#include <cstdint>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

namespace tinykv {

using StoreId = uint64_t;

// Delivery is at most once and may reorder across targets: a message may be lost, and the sender
// learns that only from the protocol above. Messages are serialized raft_serverpb.RaftMessage; the
// transport does not look inside.
//
// Thread-safety: safe.
class Transport {
 public:
  using Receiver = absl::AnyInvocable<void(StoreId from, std::string message)>;

  virtual ~Transport() = default;

  // Queues `message` for `to` and returns at once.
  // Errors: kResourceExhausted if the queue to `to` is full (the message is dropped), kNotFound if
  // no address is known for `to`.
  virtual absl::Status Send(StoreId to, std::string message) = 0;

  // Names who gets the messages that arrive here. Called once, before the first message.
  virtual void SetReceiver(Receiver receiver) = 0;
};

}  // namespace tinykv
