// Transfers: the transfers of one simulated machine (Transport::Transfer()), over the lossy links
// of the world.
//
// What TCP would do, in its simplest form: one frame at a time (transfer_frame.h), which the sender
// repeats until it is acknowledged. So a transfer survives loss, duplicates, delay and disorder,
// and it breaks when one end has heard nothing new for kPatience, or when the process at either end
// is gone.
//
//   sender    Begin ->          Chunk 0 ->       Chunk 1 ->   …  End ->
//   receiver         <- Welcome         <- Ack 1                        <- Result
//
// The welcome is there for late frames: they may arrive after the transfer has ended, or in another
// process than the one they were sent to. A sink is made only for a sender who answers a welcome,
// and only who is still waiting for that one does.
//
// Sources are called on one lane of the machine, acceptor and sinks on another; both are made when
// first needed, for each process anew.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "common/env/clock.h"
#include "common/env/executor.h"
#include "common/env/transport.h"
#include "graders/sim/network.h"
#include "graders/sim/trace.h"
#include "graders/sim/transfer_frame.h"

namespace tinykv::sim {

class Transfers {
 public:
  // A frame is repeated when it has not been answered for so long.
  static constexpr Duration kRepeatDelay = std::chrono::milliseconds(100);
  // Without anything new for so long, a transfer is broken. After its end the receiver remembers
  // how it ended for as long, for a sender who has not heard.
  static constexpr Duration kPatience = std::chrono::seconds(3);
  // More at a time fail with kResourceExhausted: those a machine sends, …
  static constexpr size_t kOutgoingMax = 64;
  // … and those it receives.
  static constexpr size_t kIncomingMax = 64;
  // Of incoming ones, with those that have only begun or have ended: the first frames of more are
  // ignored, and will be repeated.
  static constexpr size_t kRememberedMax = 1024;
  // Frames that wait for a busy lane: more are dropped, and will be repeated.
  static constexpr size_t kWaitingMax = 512;

  struct Parts {
    NodeId id;
    const Clock& clock;  // the machine's own
    Network& network;
    std::function<Executor&()> new_executor;
  };
  explicit Transfers(Parts parts) : parts_(std::move(parts)) {}

  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  // As Transport's. REQUIRES: for these and Deliver(), a process is there.
  void Begin(NodeId to, std::unique_ptr<ChunkSource> source, Transport::TransferDone done);
  void SetAcceptor(Transport::Acceptor acceptor);

  // A frame has arrived.
  void Deliver(NodeId from, std::string_view message);

  // The process ends: its acceptor, sources and sinks are destroyed, and nothing is called any
  // more.
  void EndProcess();

 private:
  using Kind = TransferFrame::Kind;
  struct Outgoing {
    NodeId to = 0;
    std::unique_ptr<ChunkSource> source;
    Transport::TransferDone done;
    TransferFrame frame = {};  // the one that is not answered yet
    Duration sent = {};        // when it last was
    Duration progress = {};    // when something new was last heard
    bool waits = false;        // its source does, and the frame is answered
  };
  struct Incoming {
    uint64_t connection = 0;
    std::unique_ptr<ChunkSink> sink = nullptr;          // from the first chunk to the end
    uint64_t taken = 0;                                 // chunks
    std::optional<absl::Status> result = std::nullopt;  // once it has ended
    Duration progress = {};
  };
  // Who sends it, and that one's number for it.
  using IncomingKey = std::pair<NodeId, uint64_t>;

  void Send(NodeId to, const TransferFrame& frame);
  Executor& sources();
  Executor& sinks();

  // On the lane of sources.
  void HandleAnswer(NodeId from, const TransferFrame& frame);
  void SendNext(Outgoing& outgoing);
  void SendAnew(Outgoing& outgoing, TransferFrame frame);
  void WatchOutgoing(uint64_t id, Duration delay);
  void Repeat(uint64_t id);
  void BreakOff(const Outgoing& outgoing, const absl::Status& status);
  void EndOutgoing(uint64_t id, const absl::Status& status);

  // On the lane of sinks.
  void HandleRequest(const IncomingKey& key, TransferFrame frame);
  void Welcome(const IncomingKey& key);
  void Accept(NodeId from, Incoming& incoming);
  void Take(Incoming& incoming, TransferFrame frame);
  void Answer(const IncomingKey& key, const Incoming& incoming);
  void EndIncoming(Incoming& incoming, absl::Status result);
  void WatchIncoming(const IncomingKey& key, uint64_t connection, Duration delay);

  const Parts parts_;
  uint64_t last_transfer_ = 0;
  uint64_t last_connection_ = 0;
  // Of the process that is running.
  Transport::Acceptor acceptor_;
  Executor* sources_ = nullptr;  // null until needed
  Executor* sinks_ = nullptr;
  std::map<uint64_t, Outgoing> outgoing_;
  std::map<IncomingKey, Incoming> incoming_;
  size_t open_sinks_ = 0;
  size_t waiting_ = 0;  // frames, on both lanes
};

}  // namespace tinykv::sim
