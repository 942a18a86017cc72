// RaftSender: the Raft messages of this store to one other.
//
// They wait in a bounded queue and leave by one stream, the rpc Raft, which is opened when there is
// something to send and stays open. When it breaks, the next is opened after a while (backoff), at
// first soon, then ever later; what waits meanwhile is dropped when it is too old to be useful.
//
// Invariants:
//   1. At most one stream is there. From its break (nothing is written any more) to the end that
//      gRPC reports, no other one is opened.
//   2. At most one message is being written; it is counted neither in the queue nor by its bounds.
//
// Thread-safety: safe.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "common/env/clock.h"
#include "common/env/executor.h"
#include "common/env/transport.h"
#include "common/metrics.h"
#include "common/mutex.h"
#include "common/random.h"
#include "common/server/grpc_transport_options.h"
#include "common/server/transport_counters.h"

namespace tinykv {

class RaftSender : public std::enable_shared_from_this<RaftSender> {
 public:
  // All of these must outlive the sender's Close().
  struct Parts {
    const GrpcTransportOptions& options;
    Executor& executor;  // for timers, and for what must not happen on gRPC's threads
    Clock& clock;
    TransportCounters& counters;
  };
  RaftSender(StoreId to, std::string address, Random random, const Parts& parts);
  ~RaftSender();

  RaftSender(const RaftSender&) = delete;
  RaftSender& operator=(const RaftSender&) = delete;

  // As Transport::Send().
  absl::Status Send(std::string message);

  // A stream to another address is ended, and one to this opened at once. No effect if it is the
  // same.
  void SetAddress(std::string address);
  std::string address() const;

  // Ends the stream and waits until it is gone. Later messages are dropped.
  // REQUIRES: not called on the executor, which is running.
  void Close();

  void Report(MetricSink& sink) const;

 private:
  enum class State {
    kIdle,        // no stream, and nothing to send
    kConnecting,  // a stream, but whether anybody reads it is not known yet
    kOpen,
    kWaiting,  // no stream, because the last one broke a short time ago
  };
  static constexpr const char* kStateNames[] = {"idle", "connecting", "open", "waiting"};

  struct Queued {
    std::string message;
    Duration since;
  };
  class Stream;

  // What the stream calls.
  void OnAccepted();
  void OnWritten(bool ok);
  void OnBroken();
  void OnStreamDone(const grpc::Status& status);

  // Does what can be done now: connects, or writes the next message.
  void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Connect() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Break() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropOld() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string PopFront() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LogEnd(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Duration NextDelay() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WaitFor(Duration delay) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Count(TransportCounters::Drop reason) { parts_.counters.dropped[reason]->Add(); }

  const StoreId to_;
  const Parts parts_;

  mutable Mutex mutex_;
  CondVar stream_gone_;
  std::string address_ ABSL_GUARDED_BY(mutex_);
  Random random_ ABSL_GUARDED_BY(mutex_);
  std::deque<Queued> queue_ ABSL_GUARDED_BY(mutex_);
  uint64_t queue_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kIdle;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t streams_opened_ ABSL_GUARDED_BY(mutex_) = 0;
  int streams_alive_ ABSL_GUARDED_BY(mutex_) = 0;
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;  // streams in a row that came to nothing
  Duration backoff_ ABSL_GUARDED_BY(mutex_) = {};

  // Of the stream that is there.
  std::unique_ptr<Stream> stream_ ABSL_GUARDED_BY(mutex_);
  Duration opened_ ABSL_GUARDED_BY(mutex_) = {};
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool moved_ ABSL_GUARDED_BY(mutex_) = false;  // the address has changed since
};

}  // namespace tinykv
