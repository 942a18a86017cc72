#include "common/server/raft_sender.h"

#include <algorithm>
#include <iterator>
#include <string_view>
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

constexpr char kMethod[] = "/tinykvpb.TinyKv/Raft";

}  // namespace

// One rpc. On the wire a stream of requests with one answer and a stream in both directions are the
// same, and the latter is what gRPC has for bytes. A read is always under way: its failure is the
// first sign of a break when there is nothing to write.
//
// The hold keeps the rpc usable for writes that begin outside of gRPC's callbacks, until LetGo().
class RaftSender::Stream final
    : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Stream(std::shared_ptr<RaftSender> sender, const std::string& address)
      : sender_(std::move(sender)), stub_(MakeStoreChannel(address, sender_->parts_.options)) {
    const GrpcTransportOptions& options = sender_->parts_.options;
    AddIdentity({.cluster_id = options.cluster_id, .store_id = options.store_id}, sender_->to_,
                context_);
  }

  void Start() {
    stub_.PrepareBidiStreamingCall(&context_, kMethod, grpc::StubOptions(), this);
    AddHold();
    StartRead(&answer_);
    StartCall();
  }

  // `more` follow at once: gRPC may wait for them before it writes to the connection.
  void Write(std::string_view message, bool more) {
    written_bytes_ = message.size();
    buffer_ = ToByteBuffer(message);
    grpc::WriteOptions options;
    if (more) options.set_buffer_hint();
    StartWrite(&buffer_, options);
  }
  uint64_t written_bytes() const { return written_bytes_; }

  void Cancel() { context_.TryCancel(); }
  void LetGo() { RemoveHold(); }

  void OnReadInitialMetadataDone(bool ok) override {
    if (ok) sender_->OnAccepted();
  }
  void OnWriteDone(bool ok) override { sender_->OnWritten(ok); }
  void OnReadDone(bool ok) override {
    if (ok) {
      StartRead(&answer_);  // a Done, too early; the end follows
    } else {
      sender_->OnBroken();
    }
  }
  void OnDone(const grpc::Status& status) override { sender_->OnStreamDone(status); }

 private:
  const std::shared_ptr<RaftSender> sender_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer buffer_;
  grpc::ByteBuffer answer_;
  uint64_t written_bytes_ = 0;
};

RaftSender::RaftSender(StoreId to, std::string address, Random random, const Parts& parts)
    : to_(to), parts_(parts), address_(std::move(address)), random_(random) {}

RaftSender::~RaftSender() = default;

absl::Status RaftSender::Send(std::string message) {
  const GrpcTransportOptions& options = parts_.options;
  if (message.size() > options.message_bytes_max) {
    Count(TransportCounters::kTooLarge);
    return ResourceExhausted("a message of ", Counted(message.size(), "byte"), " to store ", to_,
                             " is larger than ", options.message_bytes_max);
  }
  MutexLock lock(mutex_);
  if (closed_) return Unavailable("the transport is closed");
  if (state_ == State::kWaiting) DropOld();
  if (queue_.size() >= options.queue_messages_max ||
      queue_bytes_ + message.size() > options.queue_bytes_max) {
    Count(TransportCounters::kFull);
    return ResourceExhausted("the queue to store ", to_, " is full");
  }
  queue_bytes_ += message.size();
  queue_.push_back({std::move(message), parts_.clock.Now()});
  Pump();
  return absl::OkStatus();
}

void RaftSender::SetAddress(std::string address) {
  MutexLock lock(mutex_);
  if (address == address_) return;
  address_ = std::move(address);
  failures_ = 0;
  backoff_ = {};
  if (stream_ != nullptr) {
    moved_ = true;
    stream_->Cancel();
  } else if (state_ == State::kWaiting) {
    state_ = State::kIdle;
    Pump();
  }
}

std::string RaftSender::address() const {
  MutexLock lock(mutex_);
  return address_;
}

void RaftSender::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
  if (stream_ != nullptr) stream_->Cancel();
  while (streams_alive_ > 0) stream_gone_.Wait(mutex_);
}

void RaftSender::Report(MetricSink& sink) const {
  MutexLock lock(mutex_);
  const MetricSink::Labels labels = {{"store", std::to_string(to_)}};
  sink.Gauge("tinykv_transport_queue_messages", "Raft messages that wait, by target.",
             static_cast<double>(queue_.size()), labels);
  sink.Gauge("tinykv_transport_queue_bytes", "Their bytes.", static_cast<double>(queue_bytes_),
             labels);
  for (size_t i = 0; i < std::size(kStateNames); ++i) {
    sink.Gauge("tinykv_transport_stream_state", "1 for the state of the Raft stream, by target.",
               static_cast<size_t>(state_) == i ? 1 : 0,
               {{"store", std::to_string(to_)}, {"state", kStateNames[i]}});
  }
}

void RaftSender::OnAccepted() {
  MutexLock lock(mutex_);
  state_ = State::kOpen;
  if (failures_ > 0) log::Info("raft stream open again", {{"store", to_}, {"address", address_}});
}

void RaftSender::OnWritten(bool ok) {
  MutexLock lock(mutex_);
  writing_ = false;
  if (ok) {
    parts_.counters.messages_sent.Add();
    parts_.counters.message_bytes_sent.Add(stream_->written_bytes());
    // TinyKV's own stores do not say that a stream is welcome; that it lasts must do.
    if (parts_.clock.Now() - opened_ >= parts_.options.backoff_max) state_ = State::kOpen;
    Pump();
  } else {
    Count(TransportCounters::kBroken);
    Break();
  }
}

void RaftSender::OnBroken() {
  MutexLock lock(mutex_);
  Break();
}

void RaftSender::OnStreamDone(const grpc::Status& status) {
  MutexLock lock(mutex_);
  // The stream has the last channel, perhaps, of the process; then gRPC 1.51 joins the threads of
  // its callbacks, of which this is one.
  parts_.executor.Post([self = shared_from_this(), gone = std::move(stream_)]() mutable {
    gone = nullptr;
    MutexLock relock(self->mutex_);
    --self->streams_alive_;
    self->stream_gone_.NotifyAll();
  });
  if (closed_) return;
  LogEnd(status);
  WaitFor(NextDelay());
}

void RaftSender::Pump() {
  if (closed_) return;
  if (state_ == State::kIdle) {
    DropOld();
    if (queue_.empty()) return;
    Connect();
  }
  if (stream_ == nullptr || broken_ || writing_ || queue_.empty()) return;
  writing_ = true;
  const std::string message = PopFront();
  // A message behind a hint is always written: only while there is no stream are they dropped.
  stream_->Write(message, /*more=*/!queue_.empty());
}

void RaftSender::Connect() {
  state_ = State::kConnecting;
  broken_ = false;
  moved_ = false;
  opened_ = parts_.clock.Now();
  if (++streams_opened_ > 1) parts_.counters.reconnects.Add();
  ++streams_alive_;
  stream_ = std::make_unique<Stream>(shared_from_this(), address_);
  stream_->Start();
}

void RaftSender::Break() {
  // A write and a read may fail, one after the other.
  if (std::exchange(broken_, true)) return;
  stream_->LetGo();
}

void RaftSender::DropOld() {
  const Duration oldest = parts_.clock.Now() - parts_.options.message_age_max;
  while (!queue_.empty() && queue_.front().since < oldest) {
    PopFront();
    Count(TransportCounters::kTooOld);
  }
}

std::string RaftSender::PopFront() {
  std::string message = std::move(queue_.front().message);
  queue_.pop_front();
  queue_bytes_ -= message.size();
  return message;
}

void RaftSender::LogEnd(const grpc::Status& status) {
  if (state_ == State::kOpen) {
    failures_ = 0;
    backoff_ = {};
  }
  ++failures_;
  const absl::Status reason = FromGrpc(status);
  const bool refused = reason.code() == absl::StatusCode::kFailedPrecondition ||
                       reason.code() == absl::StatusCode::kUnimplemented;
  if (refused) {
    // Somebody has to set an address right: once for each attempt.
    parts_.counters.streams_refused_by_others.Add();
    log::Warning("raft stream refused", {{"store", to_}, {"address", address_}, {"error", reason}});
  } else if (failures_ == 1 && !moved_) {
    log::Info("raft stream broken", {{"store", to_}, {"address", address_}, {"error", reason}});
  }
}

Duration RaftSender::NextDelay() {
  if (moved_) return Duration::zero();
  const GrpcTransportOptions& options = parts_.options;
  backoff_ = std::clamp(2 * backoff_, options.backoff_min, options.backoff_max);
  const auto half = static_cast<uint64_t>(backoff_.count() / 2);
  return backoff_ - Duration(random_.Uniform(half + 1));
}

void RaftSender::WaitFor(Duration delay) {
  state_ = State::kWaiting;
  parts_.executor.PostAfter(delay, [weak = weak_from_this()] {
    const std::shared_ptr<RaftSender> sender = weak.lock();
    if (sender == nullptr) return;
    MutexLock lock(sender->mutex_);
    if (sender->state_ != State::kWaiting) return;  // a new address was faster
    sender->state_ = State::kIdle;
    sender->Pump();
  });
}

}  // namespace tinykv
