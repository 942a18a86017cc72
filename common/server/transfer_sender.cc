#include "common/server/transfer_sender.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/client_callback.h>

#include "common/log.h"
#include "common/server/store_channel.h"
#include "common/server/store_identity.h"
#include "common/server/wire_bytes.h"
#include "common/status.h"

namespace tinykv {
namespace {

// For a source that wants to wait. Meanwhile a stream that breaks does not end.
constexpr Duration kWaitMax = std::chrono::milliseconds(50);

constexpr char kMethod[] = "/tinykvpb.TinyKv/Snapshot";

// Did the receiver say that it does not want this one, rather than that it went wrong?
bool IsRefusal(const absl::Status& status) {
  return status.code() == absl::StatusCode::kResourceExhausted ||
         status.code() == absl::StatusCode::kFailedPrecondition ||
         status.code() == absl::StatusCode::kUnimplemented;
}

}  // namespace

// One rpc; what is said about RaftSender's stream holds here too.
//
// Its life is a chain: read a chunk (on the executor), write it (by gRPC), read the next … The hold
// belongs to the chain, and goes where the chain ends: behind the last chunk, or at an error.
// Beside it there is only the timer, which may cancel.
class TransferSender::Stream final
    : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
      public std::enable_shared_from_this<TransferSender::Stream> {
 public:
  Stream(TransferSender& owner, uint64_t id, Request request)
      : owner_(owner),
        id_(id),
        to_(request.to),
        executor_(owner.parts_.executor),
        clock_(owner.parts_.clock),
        patience_(owner.parts_.options.transfer_patience),
        source_(std::move(request.source)),
        done_(std::move(request.done)),
        stub_(MakeStoreChannel(request.address, owner.parts_.options)) {
    const GrpcTransportOptions& options = owner.parts_.options;
    AddIdentity({.cluster_id = options.cluster_id, .store_id = options.store_id}, to_, context_);
  }

  void Start() {
    stub_.PrepareBidiStreamingCall(&context_, kMethod, grpc::StubOptions(), this);
    AddHold();
    StartRead(&answer_);
    StartCall();
    NoteProgress();
    Watch(patience_);
    PostNext();
  }

  // Breaks it off; of two reasons the first counts.
  void Cancel(const absl::Status& reason) {
    {
      MutexLock lock(mutex_);
      if (reason_.ok()) reason_ = reason;
    }
    context_.TryCancel();
  }

  void OnWriteDone(bool ok) override {
    NoteProgress();
    if (ok) {
      PostNext();
    } else {
      RemoveHold();
    }
  }
  void OnReadDone(bool ok) override {
    if (ok) {
      answered_ = true;
      StartRead(&answer_);
    } else {
      broken_ = true;
    }
  }
  // From here on only tasks have it, so that it is destroyed on the executor: gRPC 1.51 does not
  // stand the end of a process's last channel on a thread of its own.
  void OnDone(const grpc::Status& status) override {
    executor_.Post([self = shared_from_this(), status = FromGrpc(status)] { self->End(status); });
  }

 private:
  void PostNext() {
    executor_.Post([self = shared_from_this()] { self->Next(); });
  }

  void Next() {
    if (broken_) {
      RemoveHold();
      return;
    }
    if (const Duration wait = source_->Wait(); wait > Duration::zero()) {
      NoteProgress();  // it is not the other that is slow
      executor_.PostAfter(std::min(wait, kWaitMax), [self = shared_from_this()] { self->Next(); });
      return;
    }
    absl::StatusOr<std::optional<std::string>> next = source_->Next();
    NoteProgress();
    if (!next.ok()) {
      Cancel(next.status());
      RemoveHold();
    } else if (!next->has_value()) {
      wrote_all_ = true;
      StartWritesDone();
      RemoveHold();
    } else {
      owner_.parts_.counters.transfer_bytes[TransportCounters::kOut]->Add((*next)->size());
      buffer_ = ToByteBuffer(**next);
      StartWrite(&buffer_);
    }
  }

  void NoteProgress() { progress_.store(clock_.Now().count(), std::memory_order_relaxed); }

  void Watch(Duration delay) {
    executor_.PostAfter(delay, [weak = weak_from_this()] {
      const std::shared_ptr<Stream> stream = weak.lock();
      if (stream != nullptr) stream->CheckProgress();
    });
  }
  void CheckProgress() {
    const Duration idle = clock_.Now() - Duration(progress_.load(std::memory_order_relaxed));
    if (idle < patience_) {
      Watch(patience_ - idle);
    } else {
      Cancel(DeadlineExceeded("store ", to_, " takes nothing more"));
    }
  }

  // On the executor, when neither gRPC nor the chain has anything to do with it any more.
  void End(const absl::Status& answer) {
    const absl::Status status = Outcome(answer);
    source_ = nullptr;
    const TransportCounters::Outcome outcome = status.ok()         ? TransportCounters::kDone
                                               : IsRefusal(status) ? TransportCounters::kRefused
                                                                   : TransportCounters::kFailed;
    owner_.parts_.counters.transfers[TransportCounters::kOut][outcome]->Add();
    if (!status.ok()) log::Info("transfer failed", {{"store", to_}, {"error", status}});
    done_(status);
    done_ = nullptr;
    owner_.Ended(id_);
  }
  absl::Status Outcome(const absl::Status& answer) {
    if (answer.ok() && wrote_all_ && answered_) return answer;
    MutexLock lock(mutex_);
    if (!reason_.ok()) return reason_;
    if (answer.ok()) return Internal("store ", to_, " answered before it had everything");
    return answer;
  }

  TransferSender& owner_;  // gone after End()
  const uint64_t id_;
  const StoreId to_;
  Executor& executor_;
  Clock& clock_;
  const Duration patience_;

  std::unique_ptr<ChunkSource> source_;
  Transport::TransferDone done_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer buffer_;
  grpc::ByteBuffer answer_;
  bool wrote_all_ = false;
  std::atomic<bool> answered_ = false;
  std::atomic<bool> broken_ = false;
  std::atomic<int64_t> progress_ = 0;  // when, on the clock

  Mutex mutex_;
  absl::Status reason_ ABSL_GUARDED_BY(mutex_);
};

void TransferSender::Start(Request request) {
  absl::Status refusal;
  {
    MutexLock lock(mutex_);
    if (closed_) {
      refusal = Unavailable("the transport is closed");
    } else if (running_.size() < parts_.options.outgoing_transfers_max) {
      Run(std::move(request));
      return;
    } else if (waiting_.size() < parts_.options.waiting_transfers_max) {
      waiting_.push_back(std::move(request));
      return;
    } else {
      refusal = ResourceExhausted("too many transfers wait already");
    }
  }
  Fail(std::move(request), refusal);
}

void TransferSender::Fail(Request request, const absl::Status& status) {
  parts_.counters.transfers[TransportCounters::kOut][TransportCounters::kFailed]->Add();
  parts_.executor.Post([request = std::move(request), status]() mutable {
    request.source = nullptr;
    request.done(status);
  });
}

void TransferSender::Close() {
  std::deque<Request> waiting;
  {
    MutexLock lock(mutex_);
    closed_ = true;
    waiting.swap(waiting_);
    for (const auto& [id, stream] : running_) {
      stream->Cancel(Unavailable("the transport is closed"));
    }
  }
  for (Request& request : waiting) {
    Fail(std::move(request), Unavailable("the transport is closed"));
  }
  MutexLock lock(mutex_);
  while (!running_.empty()) ended_.Wait(mutex_);
}

void TransferSender::Report(MetricSink& sink) const {
  MutexLock lock(mutex_);
  sink.Gauge("tinykv_transport_transfers_running", "Transfers that are being sent.",
             static_cast<double>(running_.size()));
  sink.Gauge("tinykv_transport_transfers_waiting", "Transfers that wait to be sent.",
             static_cast<double>(waiting_.size()));
}

void TransferSender::Run(Request request) {
  const uint64_t id = ++last_id_;
  const auto stream = std::make_shared<Stream>(*this, id, std::move(request));
  running_.emplace(id, stream);
  stream->Start();
}

void TransferSender::Ended(uint64_t id) {
  MutexLock lock(mutex_);
  running_.erase(id);
  if (!waiting_.empty()) {
    Request next = std::move(waiting_.front());
    waiting_.pop_front();
    Run(std::move(next));
  }
  ended_.NotifyAll();
}

}  // namespace tinykv
