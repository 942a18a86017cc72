// Network: the links between the machines of a World.
//
// Every pair of machines has a link in each direction (and a machine has one to itself), with its
// own delay, loss, duplication and capacity, and each direction can be cut for itself. A message
// that is cut off or lost just never arrives; nobody is told.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/env/clock.h"
#include "common/random.h"
#include "graders/sim/lane.h"
#include "graders/sim/timeline.h"
#include "graders/sim/trace.h"

namespace tinykv::sim {

struct LinkOptions {
  // Each message draws its own: later ones overtake.
  Duration delay_min = std::chrono::milliseconds(1);
  Duration delay_max = std::chrono::milliseconds(1);
  // True: as with TCP nothing overtakes; who is late holds up those behind.
  bool in_order = false;

  uint32_t loss_percent = 0;
  // How likely a second copy arrives, with a delay of its own.
  uint32_t duplicate_percent = 0;
  // How likely a message takes up to `straggler_delay` longer: messages of old terms come from
  // here.
  uint32_t straggler_percent = 0;
  Duration straggler_delay = std::chrono::seconds(2);

  // Of what is under way. What does not fit is dropped, as by a full queue; a message larger than
  // capacity_bytes fits an empty link.
  size_t capacity_messages = 256;
  size_t capacity_bytes = 4 << 20;

  // Swarm: each fault is drawn for itself and often zero; sometimes it is extreme.
  static LinkOptions Draw(Random& random);
};

// For messages: the delay, and what else differs from a link without faults.
std::string ToString(const LinkOptions& options);

// Invariant: sent + duplicated == delivered + dropped + under way.
struct LinkStats {
  uint64_t sent = 0;
  uint64_t duplicated = 0;  // copies
  uint64_t delivered = 0;   // copies count, here and below
  uint64_t dropped = 0;
  uint64_t bytes_sent = 0;
  uint64_t bytes_delivered = 0;
};

class Network {
 public:
  // Where messages arrive.
  class Endpoint {
   public:
    virtual ~Endpoint() = default;
    // Why `message` cannot arrive now; null if it can.
    virtual const char* Refusal(std::string_view message) const = 0;
    virtual void Deliver(NodeId from, std::string message) = 0;
  };

  // `timeline` and `trace` must outlive the network.
  Network(Timeline& timeline, Trace& trace, Random random)
      : timeline_(timeline), trace_(trace), random_(random), salt_(random_.Next()) {}

  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // The next node, from 1 on. Its messages arrive as tasks of `inbox`; both must outlive the
  // network's last event.
  void AddNode(Lane& inbox, Endpoint& endpoint);
  size_t node_count() const { return nodes_.size(); }

  // All links, those of nodes that come later too. Messages under way keep their times.
  void SetLinks(const LinkOptions& options);
  void SetLink(NodeId from, NodeId to, const LinkOptions& options);

  // Messages on a link that is cut are dropped, those under way too (checked again on arrival).
  void Cut(NodeId from, NodeId to);  // one direction
  void Mend(NodeId from, NodeId to);
  // Cuts all links between different groups and mends those within. Links of a node that is in no
  // group stay as they are.
  void Partition(const std::vector<std::vector<NodeId>>& groups);
  // Cuts all links from and to `node`.
  void Isolate(NodeId node);
  void MendAll();
  bool IsCut(NodeId from, NodeId to) const;

  // A filter may drop messages by content: it returns true to drop. For scripts ("no appends").
  // It is asked about the frames of transfers too (IsTransferFrame()). Null: none.
  using Filter = std::function<bool(NodeId from, NodeId to, std::string_view message)>;
  void SetFilter(Filter filter) { filter_ = std::move(filter); }

  // Turns a message into words for the trace. Frames of transfers have words of their own.
  using Describer = std::function<std::string(std::string_view message)>;
  void SetDescriber(Describer describer) { describer_ = std::move(describer); }

  // False: it did not fit. That is all a sender ever learns. REQUIRES: both nodes are there.
  bool Send(NodeId from, NodeId to, std::string message);

  const LinkStats& stats(NodeId from, NodeId to) const;
  LinkStats total() const;
  // Messages under way.
  size_t in_flight() const { return flights_.size() - free_flights_.size(); }

 private:
  // How much of a message without a describer is shown.
  static constexpr size_t kQuotedMax = 40;
  // The golden ratio's bits: spreads neighbours.
  static constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;

  struct Node {
    Lane* inbox;
    Endpoint* endpoint;
  };
  struct Link {
    LinkOptions options = {};
    bool cut = false;
    Duration last_arrival = {};
    size_t messages = 0;  // under way
    size_t bytes = 0;
    LinkStats stats = {};
  };
  // A message under way.
  struct Flight {
    uint64_t number = 0;
    NodeId from = 0;
    NodeId to = 0;
    std::string message = {};
  };

  static void CheckOptions(const LinkOptions& options);
  static size_t LinkIndex(NodeId from, NodeId to);
  Link& LinkOf(NodeId from, NodeId to);
  const Link& LinkOf(NodeId from, NodeId to) const;

  // Why a message is lost on the way; null if it is not.
  const char* LossOf(const Flight& flight, const Link& link);
  static bool Fits(const Link& link, size_t bytes);
  void Launch(Flight flight);
  Duration DrawDelay(const LinkOptions& options);
  void Arrive(size_t place);
  void Drop(const Flight& flight, const char* reason);
  void AddToTrace(TraceEvent::Kind kind, const Flight& flight, std::string_view reason);
  std::string Describe(std::string_view message) const;

  Timeline& timeline_;
  Trace& trace_;
  Random random_;
  const uint64_t salt_;  // of the order of messages that arrive at one time
  Filter filter_;
  Describer describer_;
  LinkOptions default_options_;
  std::vector<Node> nodes_;
  std::vector<Link> links_;  // by LinkIndex()
  std::vector<Flight> flights_;
  std::vector<size_t> free_flights_;  // places in flights_
  uint64_t messages_ = 0;
};

}  // namespace tinykv::sim
