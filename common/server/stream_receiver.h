// StreamReceiver: the server's end of the streams between stores.
//
// A message goes to the receiver right on gRPC's thread: whoever it is posts it to an actor. A
// transfer's sink is called on the executor, and the next chunk is read when the sink has taken the
// last, so that one that is slow holds up its sender instead of filling the memory.
//
// Thread-safety: safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/env/clock.h"
#include "common/env/executor.h"
#include "common/env/transport.h"
#include "common/metrics.h"
#include "common/mutex.h"
#include "common/server/grpc_transport_options.h"
#include "common/server/stream_handlers.h"
#include "common/server/transport_counters.h"

namespace tinykv {

class StreamReceiver {
 public:
  // All of these must outlive the receiver.
  struct Parts {
    const GrpcTransportOptions& options;
    Executor& executor;  // of the acceptor and sinks
    Clock& clock;
    TransportCounters& counters;
  };
  explicit StreamReceiver(const Parts& parts) : parts_(parts) {}

  StreamReceiver(const StreamReceiver&) = delete;
  StreamReceiver& operator=(const StreamReceiver&) = delete;

  // As Transport's. REQUIRES: no stream has come.
  void SetReceiver(Transport::Receiver receiver);
  void SetAcceptor(Transport::Acceptor acceptor);

  StreamHandlers handlers();

  // Returns when no stream is left. REQUIRES: the server that has the handlers has been shut down,
  // and the executor, on which this is not called, is running.
  void Close();

  void Report(MetricSink& sink) const;

 private:
  class RaftStream;
  class SnapshotStream;
  class Presence;

  // Who sends it; else why it is refused.
  absl::StatusOr<StoreId> Check(const grpc::CallbackServerContext& context, bool wanted);
  grpc::ServerReadReactor<grpc::ByteBuffer>* OpenRaft(grpc::CallbackServerContext& context);
  grpc::ServerReadReactor<grpc::ByteBuffer>* OpenSnapshot(grpc::CallbackServerContext& context);
  grpc::ServerReadReactor<grpc::ByteBuffer>* Refuse(const char* rpc, const absl::Status& status);
  absl::StatusOr<std::unique_ptr<ChunkSink>> Accept(StoreId from);
  void TransferEnded();

  const Parts parts_;
  Transport::Receiver receiver_;  // unchanged once streams come

  Mutex acceptor_mutex_;  // one transfer asks at a time
  Transport::Acceptor acceptor_ ABSL_GUARDED_BY(acceptor_mutex_);
  bool accepts_ = false;  // unchanged once streams come

  mutable Mutex mutex_;
  CondVar gone_;
  uint64_t streams_ ABSL_GUARDED_BY(mutex_) = 0;    // of both kinds, while gRPC or a task has them
  uint64_t transfers_ ABSL_GUARDED_BY(mutex_) = 0;  // that have not ended yet
};

}  // namespace tinykv
