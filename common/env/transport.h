// Transport: the door to other stores. Raft messages and snapshots leave and arrive through it;
// client requests do not (they come by gRPC, or in a simulation by plain calls).
//
// Messages are small and many, and any of them may be lost: the protocol above repeats what
// matters. Transfers are large and few: chunks in order, whole or not at all.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/env/clock.h"

namespace tinykv {

using StoreId = uint64_t;

// What is transferred, chunk by chunk. It is asked for the next one when there is room for it, so
// that no more than a few are in memory.
//
// Thread-safety: none. Calls come one at a time, on the executor that the transport has for them.
class ChunkSource {
 public:
  virtual ~ChunkSource() = default;
  // How long to wait before the next chunk is asked for, and whether to wait still is: a source
  // may bound its rate. Zero: not at all.
  virtual Duration Wait() { return Duration::zero(); }
  // The next chunk; nullopt behind the last. An error breaks the transfer off.
  virtual absl::StatusOr<std::optional<std::string>> Next() = 0;
};

// Who takes a transfer. Destroyed without Finish(): it was broken off, and what came of it is
// worthless.
//
// Thread-safety: none. Calls come one at a time, on the executor that the transport has for them.
class ChunkSink {
 public:
  virtual ~ChunkSink() = default;
  // An error breaks the transfer off.
  virtual absl::Status Take(std::string chunk) = 0;
  // That was all. OK tells the sender that it arrived; an error, that it was in vain.
  virtual absl::Status Finish() = 0;
};

// Thread-safety: safe.
class Transport {
 public:
  // Called with each message that arrives; `from` is 0 where the sender did not say who it is. In
  // production on threads of the network, several at once, which it must not hold up.
  using Receiver = absl::AnyInvocable<void(StoreId from, std::string message)>;
  // Called for each transfer that begins to arrive, on the executor for sinks. An error refuses it.
  using Acceptor = absl::AnyInvocable<absl::StatusOr<std::unique_ptr<ChunkSink>>(StoreId from)>;
  using TransferDone = absl::AnyInvocable<void(absl::Status)>;

  virtual ~Transport() = default;

  // Queues `message`, a serialized raft_serverpb.RaftMessage, for `to` and returns at once.
  // Delivery is at most once, and may reorder across targets.
  // Errors: kResourceExhausted if the queue to `to` is full (the message is dropped), kNotFound if
  // no address is known for `to`.
  virtual absl::Status Send(StoreId to, std::string message) = 0;

  // Transfers what `source` yields, serialized raft_serverpb.SnapshotChunk, to the other's sink.
  // `done` is called once, later, on the executor for sources: OK if the sink said so; else why
  // not, within a bounded time even if nothing is heard of `to` any more. `source` is destroyed
  // before that.
  virtual void Transfer(StoreId to, std::unique_ptr<ChunkSource> source, TransferDone done) = 0;

  // Name who gets what arrives here. Called once each, before anything arrives; where nobody is
  // named, it is dropped or refused.
  virtual void SetReceiver(Receiver receiver) = 0;
  virtual void SetAcceptor(Acceptor acceptor) = 0;
};

}  // namespace tinykv
