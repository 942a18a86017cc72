#include "common/server/stream_receiver.h"

#include <atomic>
#include <utility>

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "common/check.h"
#include "common/log.h"
#include "common/server/refused_stream.h"
#include "common/server/store_identity.h"
#include "common/server/wire_bytes.h"
#include "common/status.h"

namespace tinykv {

// Counts a stream for as long as it lives.
class StreamReceiver::Presence {
 public:
  explicit Presence(StreamReceiver& receiver) : receiver_(receiver) {
    MutexLock lock(receiver_.mutex_);
    ++receiver_.streams_;
  }
  ~Presence() {
    MutexLock lock(receiver_.mutex_);
    --receiver_.streams_;
    receiver_.gone_.NotifyAll();
  }

  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

 private:
  StreamReceiver& receiver_;
};

// Ends when a read fails: the sender has closed the stream, or it is broken, or the server shuts
// down.
class StreamReceiver::RaftStream final : public grpc::ServerReadReactor<grpc::ByteBuffer> {
 public:
  RaftStream(StreamReceiver& receiver, StoreId from)
      : presence_(receiver), receiver_(receiver), from_(from) {
    // Tells the sender that it is welcome.
    StartSendInitialMetadata();
    StartRead(&buffer_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status::OK);
      return;
    }
    std::string message = ToString(buffer_);
    buffer_.Clear();
    receiver_.parts_.counters.messages_received.Add();
    receiver_.parts_.counters.message_bytes_received.Add(message.size());
    receiver_.receiver_(from_, std::move(message));
    StartRead(&buffer_);
  }
  void OnDone() override { delete this; }

 private:
  const Presence presence_;
  StreamReceiver& receiver_;
  const StoreId from_;
  grpc::ByteBuffer buffer_;
};

// A chain as in TransferSender: read a chunk (by gRPC), hand it to the sink (on the executor), read
// the next … Only the chain touches the sink. Beside it there are the timer and gRPC's news that
// the rpc is cancelled, which may finish the rpc; then the read that is under way fails, or none is
// begun any more, and the chain ends.
class StreamReceiver::SnapshotStream final
    : public grpc::ServerReadReactor<grpc::ByteBuffer>,
      public std::enable_shared_from_this<StreamReceiver::SnapshotStream> {
 public:
  // It stands in `transfers_` already.
  SnapshotStream(StreamReceiver& receiver, grpc::CallbackServerContext& context, StoreId from)
      : presence_(receiver),
        receiver_(receiver),
        parts_(receiver.parts_),
        context_(context),
        from_(from) {}

  void Start() {
    self_ = shared_from_this();
    NoteProgress();
    Watch(parts_.options.transfer_patience);
    Post(&SnapshotStream::Accept);
  }

  void OnReadDone(bool ok) override {
    NoteProgress();
    // gRPC has marked the rpc as cancelled by now if that is why the read failed.
    Post(ok                       ? &SnapshotStream::Take
         : context_.IsCancelled() ? &SnapshotStream::Break
                                  : &SnapshotStream::FinishSink);
  }
  // A server that stops does not wait for a slow sink.
  void OnCancel() override { FinishOnce(BrokenOff()); }
  void OnDone() override { const auto last = std::move(self_); }

 private:
  void Post(void (SnapshotStream::*step)()) {
    parts_.executor.Post([self = shared_from_this(), step] { (self.get()->*step)(); });
  }

  void Accept() {
    absl::StatusOr<std::unique_ptr<ChunkSink>> sink = receiver_.Accept(from_);
    if (!sink.ok()) {
      parts_.counters.streams_refused.Add();
      EndAs(TransportCounters::kRefused, sink.status());
      return;
    }
    sink_ = *std::move(sink);
    ReadNext();
  }
  void Take() {
    std::string chunk = ToString(chunk_);
    chunk_.Clear();
    parts_.counters.transfer_bytes[TransportCounters::kIn]->Add(chunk.size());
    const absl::Status status = sink_->Take(std::move(chunk));
    NoteProgress();
    if (status.ok()) {
      ReadNext();
    } else {
      EndAs(TransportCounters::kFailed, status);
    }
  }
  void FinishSink() {
    // The read also ends like that when it was us who finished the rpc.
    if (finished()) {
      Break();
      return;
    }
    const absl::Status status = sink_->Finish();
    EndAs(status.ok() ? TransportCounters::kDone : TransportCounters::kFailed, status);
  }
  void Break() { EndAs(TransportCounters::kFailed, BrokenOff()); }
  static absl::Status BrokenOff() { return Unavailable("the transfer was broken off"); }

  void ReadNext() {
    {
      MutexLock lock(mutex_);
      if (!finished_) {
        StartRead(&chunk_);
        return;
      }
    }
    Break();
  }
  bool finished() {
    MutexLock lock(mutex_);
    return finished_;
  }

  // The end of the chain.
  void EndAs(TransportCounters::Outcome outcome, const absl::Status& status) {
    sink_ = nullptr;
    parts_.counters.transfers[TransportCounters::kIn][outcome]->Add();
    if (!status.ok()) log::Info("incoming transfer failed", {{"store", from_}, {"error", status}});
    // First there is room again: the sender may begin the next as soon as it has the answer.
    receiver_.TransferEnded();
    FinishOnce(status);
  }
  void FinishOnce(const absl::Status& status) {
    MutexLock lock(mutex_);
    if (std::exchange(finished_, true)) return;
    Finish(ToGrpc(status));
  }

  void NoteProgress() { progress_.store(parts_.clock.Now().count(), std::memory_order_relaxed); }

  void Watch(Duration delay) {
    parts_.executor.PostAfter(delay, [weak = weak_from_this()] {
      const std::shared_ptr<SnapshotStream> stream = weak.lock();
      if (stream != nullptr) stream->CheckProgress();
    });
  }
  void CheckProgress() {
    const Duration patience = parts_.options.transfer_patience;
    const Duration idle = parts_.clock.Now() - Duration(progress_.load(std::memory_order_relaxed));
    if (idle < patience) {
      Watch(patience - idle);
    } else {
      FinishOnce(DeadlineExceeded("no chunk has come for too long"));
    }
  }

  const Presence presence_;  // the last to go
  StreamReceiver& receiver_;
  const Parts& parts_;
  grpc::CallbackServerContext& context_;  // gone after OnDone()
  const StoreId from_;
  std::shared_ptr<SnapshotStream> self_;  // until OnDone()
  std::unique_ptr<ChunkSink> sink_;
  grpc::ByteBuffer chunk_;
  std::atomic<int64_t> progress_ = 0;  // when, on the clock

  Mutex mutex_;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

void StreamReceiver::SetReceiver(Transport::Receiver receiver) {
  TKV_CHECK(!receiver_ && "SetReceiver() is called once");
  receiver_ = std::move(receiver);
}

void StreamReceiver::SetAcceptor(Transport::Acceptor acceptor) {
  MutexLock lock(acceptor_mutex_);
  TKV_CHECK(!acceptor_ && "SetAcceptor() is called once");
  acceptor_ = std::move(acceptor);
  accepts_ = true;
}

StreamHandlers StreamReceiver::handlers() {
  return {
      .raft = [this](grpc::CallbackServerContext& context) { return OpenRaft(context); },
      .snapshot = [this](grpc::CallbackServerContext& context) { return OpenSnapshot(context); }};
}

void StreamReceiver::Close() {
  MutexLock lock(mutex_);
  while (streams_ > 0) gone_.Wait(mutex_);
}

void StreamReceiver::Report(MetricSink& sink) const {
  MutexLock lock(mutex_);
  sink.Gauge("tinykv_transport_incoming_streams", "Streams from other stores.",
             static_cast<double>(streams_));
  sink.Gauge("tinykv_transport_incoming_transfers", "Transfers that are being received.",
             static_cast<double>(transfers_));
}

absl::StatusOr<StoreId> StreamReceiver::Check(const grpc::CallbackServerContext& context,
                                              bool wanted) {
  const GrpcTransportOptions& options = parts_.options;
  TKV_ASSIGN_OR_RETURN(const StoreId from, CheckIdentity({.cluster_id = options.cluster_id,
                                                          .store_id = options.store_id},
                                                         context.client_metadata()));
  if (!wanted) return Unavailable("store ", options.store_id, " is not ready for it");
  return from;
}

grpc::ServerReadReactor<grpc::ByteBuffer>* StreamReceiver::OpenRaft(
    grpc::CallbackServerContext& context) {
  const absl::StatusOr<StoreId> from = Check(context, static_cast<bool>(receiver_));
  if (!from.ok()) return Refuse("Raft", from.status());
  return std::make_unique<RaftStream>(*this, *from).release();
}

grpc::ServerReadReactor<grpc::ByteBuffer>* StreamReceiver::OpenSnapshot(
    grpc::CallbackServerContext& context) {
  absl::StatusOr<StoreId> from = Check(context, accepts_);
  if (from.ok()) {
    MutexLock lock(mutex_);
    if (transfers_ < parts_.options.incoming_transfers_max) {
      ++transfers_;
    } else {
      from = ResourceExhausted("store ", parts_.options.store_id,
                               " receives as many transfers as it can");
    }
  }
  if (!from.ok()) {
    parts_.counters.transfers[TransportCounters::kIn][TransportCounters::kRefused]->Add();
    return Refuse("Snapshot", from.status());
  }
  const auto stream = std::make_shared<SnapshotStream>(*this, context, *from);
  stream->Start();
  return stream.get();
}

grpc::ServerReadReactor<grpc::ByteBuffer>* StreamReceiver::Refuse(const char* rpc,
                                                                  const absl::Status& status) {
  parts_.counters.streams_refused.Add();
  log::Debug("stream refused", {{"method", rpc}, {"error", status}});
  return std::make_unique<RefusedStream>(ToGrpc(status)).release();
}

absl::StatusOr<std::unique_ptr<ChunkSink>> StreamReceiver::Accept(StoreId from) {
  MutexLock lock(acceptor_mutex_);
  absl::StatusOr<std::unique_ptr<ChunkSink>> sink = acceptor_(from);
  TKV_CHECK(!sink.ok() || *sink != nullptr);
  return sink;
}

void StreamReceiver::TransferEnded() {
  MutexLock lock(mutex_);
  --transfers_;
}

}  // namespace tinykv
