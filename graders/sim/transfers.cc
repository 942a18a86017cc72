#include "graders/sim/transfers.h"

#include "common/check.h"
#include "common/status.h"

namespace tinykv::sim {

void Transfers::Begin(NodeId to, std::unique_ptr<ChunkSource> source,
                      Transport::TransferDone done) {
  const uint64_t id = ++last_transfer_;
  absl::Status refusal;
  if (to == 0 || to > parts_.network.node_count()) {
    refusal = NotFound("there is no machine ", to);
  } else if (outgoing_.size() >= kOutgoingMax) {
    refusal = ResourceExhausted("as many transfers as a machine may send are under way");
  }
  outgoing_[id] = {.to = to, .source = std::move(source), .done = std::move(done)};
  sources().Post([this, id, refusal] {
    if (!refusal.ok()) {
      EndOutgoing(id, refusal);
      return;
    }
    SendAnew(outgoing_.at(id), {.kind = Kind::kBegin, .transfer = id});
    WatchOutgoing(id, kRepeatDelay);
  });
}

void Transfers::SetAcceptor(Transport::Acceptor acceptor) {
  TKV_CHECK(!acceptor_ && "SetAcceptor() is called once");
  acceptor_ = std::move(acceptor);
}

void Transfers::Deliver(NodeId from, std::string_view message) {
  if (waiting_ >= kWaitingMax) return;
  TransferFrame frame = DecodeFrame(message);
  switch (frame.kind) {
    case Kind::kWelcome:
    case Kind::kAck:
    case Kind::kResult:
      ++waiting_;
      sources().Post([this, from, frame = std::move(frame)] {
        --waiting_;
        HandleAnswer(from, frame);
      });
      return;
    case Kind::kBegin:
    case Kind::kChunk:
    case Kind::kEnd:
    case Kind::kBroken:
      ++waiting_;
      sinks().Post([this, from, frame = std::move(frame)]() mutable {
        --waiting_;
        const IncomingKey key(from, frame.transfer);
        HandleRequest(key, std::move(frame));
      });
      return;
  }
}

void Transfers::EndProcess() {
  acceptor_ = nullptr;
  outgoing_.clear();
  incoming_.clear();
  // Their tasks go with the other tasks of the process.
  sources_ = nullptr;
  sinks_ = nullptr;
  open_sinks_ = 0;
  waiting_ = 0;
}

void Transfers::Send(NodeId to, const TransferFrame& frame) {
  // A frame for which the link is too full is one that was lost.
  parts_.network.Send(parts_.id, to, EncodeFrame(frame));
}

Executor& Transfers::sources() {
  if (sources_ == nullptr) sources_ = &parts_.new_executor();
  return *sources_;
}

Executor& Transfers::sinks() {
  if (sinks_ == nullptr) sinks_ = &parts_.new_executor();
  return *sinks_;
}

void Transfers::HandleAnswer(NodeId from, const TransferFrame& frame) {
  const auto found = outgoing_.find(frame.transfer);
  if (found == outgoing_.end() || found->second.to != from) return;
  Outgoing& outgoing = found->second;
  TransferFrame& unanswered = outgoing.frame;
  if (frame.kind == Kind::kWelcome) {
    // Of two welcomes the first counts: the other may be that of a process which is gone, and then
    // the receiver says so.
    if (unanswered.kind != Kind::kBegin || outgoing.waits) return;
    unanswered.connection = frame.connection;
    SendNext(outgoing);
    return;
  }
  if (frame.connection != unanswered.connection) return;
  if (frame.kind == Kind::kResult) {
    EndOutgoing(frame.transfer, frame.status);
  } else if (!outgoing.waits && unanswered.kind == Kind::kChunk &&
             frame.sequence == unanswered.sequence + 1) {
    SendNext(outgoing);
  }
}

void Transfers::SendNext(Outgoing& outgoing) {
  const Duration wait = outgoing.source->Wait();
  outgoing.waits = wait > Duration::zero();
  if (outgoing.waits) {
    sources().PostAfter(wait, [this, id = outgoing.frame.transfer] {
      const auto found = outgoing_.find(id);
      if (found != outgoing_.end()) SendNext(found->second);
    });
    return;
  }
  absl::StatusOr<std::optional<std::string>> next = outgoing.source->Next();
  if (!next.ok()) {
    BreakOff(outgoing, next.status());
    return;
  }
  const TransferFrame& last = outgoing.frame;
  TransferFrame frame{.kind = next->has_value() ? Kind::kChunk : Kind::kEnd,
                      .transfer = last.transfer,
                      .connection = last.connection,
                      .sequence = last.kind == Kind::kBegin ? 0 : last.sequence + 1};
  if (next->has_value()) frame.chunk = **std::move(next);
  SendAnew(outgoing, std::move(frame));
}

void Transfers::SendAnew(Outgoing& outgoing, TransferFrame frame) {
  outgoing.frame = std::move(frame);
  outgoing.sent = parts_.clock.Now();
  outgoing.progress = outgoing.sent;
  Send(outgoing.to, outgoing.frame);
}

void Transfers::WatchOutgoing(uint64_t id, Duration delay) {
  sources().PostAfter(delay, [this, id] { Repeat(id); });
}

void Transfers::Repeat(uint64_t id) {
  const auto found = outgoing_.find(id);
  if (found == outgoing_.end()) return;
  Outgoing& outgoing = found->second;
  const Duration now = parts_.clock.Now();
  if (outgoing.waits) outgoing.sent = outgoing.progress = now;
  if (now - outgoing.progress >= kPatience) {
    BreakOff(outgoing, DeadlineExceeded("machine ", outgoing.to, " does not answer"));
    return;
  }
  if (now - outgoing.sent >= kRepeatDelay) {
    outgoing.sent = now;
    Send(outgoing.to, outgoing.frame);
  }
  WatchOutgoing(id, outgoing.sent + kRepeatDelay - now);
}

void Transfers::BreakOff(const Outgoing& outgoing, const absl::Status& status) {
  const TransferFrame& last = outgoing.frame;
  // Not repeated: if it is lost, the receiver's patience ends.
  Send(outgoing.to,
       {.kind = Kind::kBroken, .transfer = last.transfer, .connection = last.connection});
  EndOutgoing(last.transfer, status);
}

void Transfers::EndOutgoing(uint64_t id, const absl::Status& status) {
  auto ended = outgoing_.extract(id);
  ended.mapped().source = nullptr;
  ended.mapped().done(status);
}

void Transfers::HandleRequest(const IncomingKey& key, TransferFrame frame) {
  if (frame.kind == Kind::kBegin) {
    Welcome(key);
    return;
  }
  const auto found = incoming_.find(key);
  const bool known = found != incoming_.end() && found->second.connection == frame.connection;
  if (frame.kind == Kind::kBroken) {
    if (known) EndIncoming(found->second, Unavailable("the sender broke it off"));
    return;
  }
  if (!known) {
    Send(key.first,
         {.kind = Kind::kResult,
          .transfer = key.second,
          .connection = frame.connection,
          .status = Unavailable("machine ", parts_.id, " knows nothing of it any more")});
    return;
  }
  Incoming& incoming = found->second;
  if (incoming.sink == nullptr && !incoming.result.has_value()) Accept(key.first, incoming);
  if (!incoming.result.has_value()) Take(incoming, std::move(frame));
  Answer(key, incoming);
}

void Transfers::Welcome(const IncomingKey& key) {
  const auto found = incoming_.find(key);
  if (found == incoming_.end()) {
    if (incoming_.size() >= kRememberedMax) return;
    Incoming& incoming = incoming_[key];
    incoming.connection = ++last_connection_;
    incoming.progress = parts_.clock.Now();
    WatchIncoming(key, incoming.connection, kPatience);
  } else if (found->second.sink != nullptr || found->second.result.has_value()) {
    return;  // a late one: its sender has been welcomed
  }
  Send(
      key.first,
      {.kind = Kind::kWelcome, .transfer = key.second, .connection = incoming_.at(key).connection});
}

void Transfers::Accept(NodeId from, Incoming& incoming) {
  if (!acceptor_) {
    EndIncoming(incoming, Unavailable("machine ", parts_.id, " accepts no transfers yet"));
    return;
  }
  if (open_sinks_ >= kIncomingMax) {
    EndIncoming(incoming, ResourceExhausted("machine ", parts_.id, " receives too many transfers"));
    return;
  }
  absl::StatusOr<std::unique_ptr<ChunkSink>> sink = acceptor_(from);
  if (!sink.ok()) {
    EndIncoming(incoming, sink.status());
    return;
  }
  TKV_CHECK(*sink != nullptr);
  incoming.sink = *std::move(sink);
  ++open_sinks_;
}

void Transfers::Take(Incoming& incoming, TransferFrame frame) {
  // What it has taken before was repeated.
  if (frame.sequence != incoming.taken) return;
  if (frame.kind == Kind::kEnd) {
    EndIncoming(incoming, incoming.sink->Finish());
    return;
  }
  const absl::Status status = incoming.sink->Take(std::move(frame.chunk));
  ++incoming.taken;
  incoming.progress = parts_.clock.Now();
  if (!status.ok()) EndIncoming(incoming, status);
}

void Transfers::Answer(const IncomingKey& key, const Incoming& incoming) {
  TransferFrame answer{.kind = incoming.result.has_value() ? Kind::kResult : Kind::kAck,
                       .transfer = key.second,
                       .connection = incoming.connection,
                       .sequence = incoming.taken};
  if (incoming.result.has_value()) answer.status = *incoming.result;
  Send(key.first, answer);
}

void Transfers::EndIncoming(Incoming& incoming, absl::Status result) {
  if (incoming.sink != nullptr) --open_sinks_;
  incoming.sink = nullptr;
  // Of two ends the first counts.
  if (!incoming.result.has_value()) incoming.result = std::move(result);
  incoming.progress = parts_.clock.Now();
}

void Transfers::WatchIncoming(const IncomingKey& key, uint64_t connection, Duration delay) {
  sinks().PostAfter(delay, [this, key, connection] {
    const auto found = incoming_.find(key);
    if (found == incoming_.end() || found->second.connection != connection) return;
    const Duration left = found->second.progress + kPatience - parts_.clock.Now();
    if (left > Duration::zero()) {
      WatchIncoming(key, connection, left);
      return;
    }
    EndIncoming(found->second, Unavailable("the sender is silent"));
    incoming_.erase(key);
  });
}

}  // namespace tinykv::sim
