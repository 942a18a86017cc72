// TransferSender: the transfers (snapshots) that this store sends, each by an rpc Snapshot on a
// connection of its own.
//
// A bounded number runs, a bounded number waits for its turn in the order of asking, and more than
// these fail. One that runs holds one chunk: the next is read when gRPC has taken the last. It ends
// when the other has answered, or when no chunk has come through for `transfer_patience`.
//
// Thread-safety: safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/env/clock.h"
#include "common/env/executor.h"
#include "common/env/transport.h"
#include "common/metrics.h"
#include "common/mutex.h"
#include "common/server/grpc_transport_options.h"
#include "common/server/transport_counters.h"

namespace tinykv {

class TransferSender {
 public:
  // All of these must outlive the sender; the executor and the clock also the timers of the former.
  struct Parts {
    const GrpcTransportOptions& options;
    Executor& executor;  // of sources and `done`
    Clock& clock;
    TransportCounters& counters;
  };
  explicit TransferSender(const Parts& parts) : parts_(parts) {}

  TransferSender(const TransferSender&) = delete;
  TransferSender& operator=(const TransferSender&) = delete;

  struct Request {
    StoreId to = 0;
    std::string address = {};
    std::unique_ptr<ChunkSource> source = {};
    Transport::TransferDone done = {};
  };
  void Start(Request request);

  // Fails it, later, without trying.
  void Fail(Request request, const absl::Status& status);

  // Breaks off what runs and fails what waits; returns when the last `done` of what ran has
  // returned. REQUIRES: not called on the executor, which is running.
  void Close();

  void Report(MetricSink& sink) const;

 private:
  class Stream;

  void Run(Request request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Ended(uint64_t id);

  const Parts parts_;

  mutable Mutex mutex_;
  CondVar ended_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, std::shared_ptr<Stream>> running_ ABSL_GUARDED_BY(mutex_);
  std::deque<Request> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tinykv
