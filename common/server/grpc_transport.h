// GrpcTransport: the Transport of a real store. Messages travel by the rpc Raft of the service
// TinyKv, transfers by its rpc Snapshot.
//
//   GrpcTransport transport(options, executor, SystemClock(), metrics);
//   transport.SetReceiver(…);
//   server.stream_handlers() = transport.handlers();
//
// It starts no thread. The receiver is called on gRPC's threads, by several at once (but for the
// messages of one sender's stream, in order), and must return soon. The acceptor is called by one
// at a time. Sources, sinks and `done` are called on `executor`, each one at a time, but several at
// once if the executor has several threads.
//
// What is sent to a store whose address turns out to be another's is refused there, by metadata
// (store_identity.h); nobody but TinyKV's own stores sends without, and is taken as it comes.
//
// Thread-safety: safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/env/clock.h"
#include "common/env/executor.h"
#include "common/env/transport.h"
#include "common/metrics.h"
#include "common/mutex.h"
#include "common/random.h"
#include "common/server/grpc_transport_options.h"
#include "common/server/raft_sender.h"
#include "common/server/stream_handlers.h"
#include "common/server/stream_receiver.h"
#include "common/server/transfer_sender.h"
#include "common/server/transport_counters.h"

namespace tinykv {

class GrpcTransport final : public Transport {
 public:
  // All of these must outlive the transport; timers of it may be left behind on `executor`.
  GrpcTransport(const GrpcTransportOptions& options, Executor& executor, Clock& clock,
                Metrics& metrics);
  // Breaks off what is being sent; every transfer's `done` has been called then, or (of those that
  // waited) is posted.
  // REQUIRES: no server has the handlers any more, or it has been shut down. The executor is
  // running, and this is not called on it.
  ~GrpcTransport() override;

  GrpcTransport(const GrpcTransport&) = delete;
  GrpcTransport& operator=(const GrpcTransport&) = delete;

  // For Server::stream_handlers().
  StreamHandlers handlers() { return stream_receiver_.handlers(); }

  // Adds a store or moves it, HOST:PORT: what waits and what comes later goes there; transfers that
  // run go on.
  void SetAddress(StoreId store, const std::string& address);

  // Transport. What is queued for a store that cannot be reached is dropped when it is older than
  // message_age_max; a message that is larger than message_bytes_max at once (kResourceExhausted).
  absl::Status Send(StoreId to, std::string message) override;
  void Transfer(StoreId to, std::unique_ptr<ChunkSource> source, TransferDone done) override;
  void SetReceiver(Receiver receiver) override;
  void SetAcceptor(Acceptor acceptor) override;

 private:
  // Null if there is no address for it.
  std::shared_ptr<RaftSender> FindSender(StoreId store) const;

  const GrpcTransportOptions options_;
  Executor& executor_;
  Clock& clock_;
  TransportCounters counters_;
  StreamReceiver stream_receiver_;
  TransferSender transfer_sender_;

  mutable Mutex mutex_;
  Random random_ ABSL_GUARDED_BY(mutex_);
  std::map<StoreId, std::shared_ptr<RaftSender>> senders_ ABSL_GUARDED_BY(mutex_);

  const std::unique_ptr<Metrics::Registration> collector_;
};

}  // namespace tinykv
