#include "common/server/grpc_transport.h"

#include <utility>
#include <vector>

#include "common/status.h"

namespace tinykv {

GrpcTransport::GrpcTransport(const GrpcTransportOptions& options, Executor& executor, Clock& clock,
                             Metrics& metrics)
    : options_(options),
      executor_(executor),
      clock_(clock),
      counters_(metrics),
      stream_receiver_({options_, executor, clock, counters_}),
      transfer_sender_({options_, executor, clock, counters_}),
      random_(options.seed),
      collector_(metrics.AddCollector([this](MetricSink& sink) {
        stream_receiver_.Report(sink);
        transfer_sender_.Report(sink);
        MutexLock lock(mutex_);
        for (const auto& [store, sender] : senders_) sender->Report(sink);
      })) {
  for (const auto& [store, address] : options_.addresses) SetAddress(store, address);
}

GrpcTransport::~GrpcTransport() {
  std::vector<std::shared_ptr<RaftSender>> senders;
  {
    MutexLock lock(mutex_);
    for (const auto& [store, sender] : senders_) senders.push_back(sender);
  }
  for (const auto& sender : senders) sender->Close();
  transfer_sender_.Close();
  stream_receiver_.Close();
}

void GrpcTransport::SetAddress(StoreId store, const std::string& address) {
  std::shared_ptr<RaftSender> sender;
  {
    MutexLock lock(mutex_);
    std::shared_ptr<RaftSender>& known = senders_[store];
    if (known == nullptr) {
      known =
          std::make_shared<RaftSender>(store, address, random_.Fork(),
                                       RaftSender::Parts{options_, executor_, clock_, counters_});
      return;
    }
    sender = known;
  }
  sender->SetAddress(address);
}

absl::Status GrpcTransport::Send(StoreId to, std::string message) {
  const std::shared_ptr<RaftSender> sender = FindSender(to);
  if (sender == nullptr) {
    counters_.dropped[TransportCounters::kUnknownStore]->Add();
    return NotFound("no address is known for store ", to);
  }
  return sender->Send(std::move(message));
}

void GrpcTransport::Transfer(StoreId to, std::unique_ptr<ChunkSource> source, TransferDone done) {
  TransferSender::Request request = {
      .to = to, .source = std::move(source), .done = std::move(done)};
  const std::shared_ptr<RaftSender> sender = FindSender(to);
  if (sender == nullptr) {
    transfer_sender_.Fail(std::move(request), NotFound("no address is known for store ", to));
    return;
  }
  request.address = sender->address();
  transfer_sender_.Start(std::move(request));
}

void GrpcTransport::SetReceiver(Receiver receiver) {
  stream_receiver_.SetReceiver(std::move(receiver));
}

void GrpcTransport::SetAcceptor(Acceptor acceptor) {
  stream_receiver_.SetAcceptor(std::move(acceptor));
}

std::shared_ptr<RaftSender> GrpcTransport::FindSender(StoreId store) const {
  MutexLock lock(mutex_);
  const auto found = senders_.find(store);
  return found == senders_.end() ? nullptr : found->second;
}

}  // namespace tinykv
