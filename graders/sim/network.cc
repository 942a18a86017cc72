#include "graders/sim/network.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "common/strings.h"
#include "graders/sim/transfer_frame.h"

namespace tinykv::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

template <typename T, size_t Count>
T Pick(Random& random, const T (&values)[Count]) {
  return values[random.Uniform(Count)];
}

// Without drawing where nothing is to be decided: most faults are off in most worlds.
bool Happens(Random& random, uint32_t percent) { return percent > 0 && random.Percent(percent); }

Duration DrawBetween(Random& random, Duration min, Duration max) {
  if (min == max) return min;
  return Duration(random.Between(static_cast<uint64_t>(min.count()),  //
                                 static_cast<uint64_t>(max.count())));
}

void DrawDelays(Random& random, LinkOptions& options) {
  if (random.Percent(40)) return;  // all alike
  options.delay_min = Pick(random, {microseconds(0), microseconds(500), microseconds(1000)});
  options.delay_max = Pick(random, {milliseconds(1), milliseconds(3), milliseconds(10),
                                    milliseconds(30), milliseconds(100)});
}

}  // namespace

LinkOptions LinkOptions::Draw(Random& random) {
  LinkOptions options;
  DrawDelays(random, options);
  options.in_order = random.Percent(25);
  if (random.Percent(50)) options.loss_percent = Pick(random, {1u, 3u, 10u, 20u, 40u});
  if (random.Percent(40)) options.duplicate_percent = Pick(random, {1u, 5u, 20u, 50u, 100u});
  if (random.Percent(40)) {
    options.straggler_percent = Pick(random, {1u, 3u, 10u, 30u});
    options.straggler_delay =
        Pick(random, {milliseconds(50), milliseconds(500), milliseconds(5000)});
  }
  if (random.Percent(20)) options.capacity_messages = Pick<size_t>(random, {1, 4, 16, 64});
  if (random.Percent(10)) options.capacity_bytes = Pick<size_t>(random, {1, 4 << 10, 64 << 10});
  return options;
}

std::string ToString(const LinkOptions& options) {
  const LinkOptions usual;
  std::string text = Concat("a message takes ", FormatTime(options.delay_min));
  if (options.delay_max != options.delay_min) {
    text += Concat(" to ", FormatTime(options.delay_max));
  }
  if (options.in_order) text += "; in order";
  if (options.loss_percent > 0) text += Concat("; ", options.loss_percent, " % are lost");
  if (options.duplicate_percent > 0) {
    text += Concat("; ", options.duplicate_percent, " % arrive twice");
  }
  if (options.straggler_percent > 0) {
    text += Concat("; ", options.straggler_percent, " % are late by up to ",
                   FormatTime(options.straggler_delay));
  }
  if (options.capacity_messages != usual.capacity_messages) {
    text += Concat("; at most ", Counted(options.capacity_messages, "message"), " under way");
  }
  if (options.capacity_bytes != usual.capacity_bytes) {
    text += Concat("; at most ", Counted(options.capacity_bytes, "byte"), " under way");
  }
  return text;
}

void Network::AddNode(Lane& inbox, Endpoint& endpoint) {
  nodes_.push_back({&inbox, &endpoint});
  links_.resize(nodes_.size() * nodes_.size(), {.options = default_options_});
}

void Network::SetLinks(const LinkOptions& options) {
  CheckOptions(options);
  default_options_ = options;
  for (Link& link : links_) link.options = options;
}

void Network::SetLink(NodeId from, NodeId to, const LinkOptions& options) {
  CheckOptions(options);
  LinkOf(from, to).options = options;
}

void Network::Cut(NodeId from, NodeId to) { LinkOf(from, to).cut = true; }

void Network::Mend(NodeId from, NodeId to) { LinkOf(from, to).cut = false; }

void Network::Partition(const std::vector<std::vector<NodeId>>& groups) {
  for (const std::vector<NodeId>& senders : groups) {
    for (const std::vector<NodeId>& receivers : groups) {
      for (const NodeId from : senders) {
        for (const NodeId to : receivers) LinkOf(from, to).cut = &senders != &receivers;
      }
    }
  }
}

void Network::Isolate(NodeId node) {
  for (NodeId other = 1; other <= nodes_.size(); ++other) {
    if (other == node) continue;
    Cut(node, other);
    Cut(other, node);
  }
}

void Network::MendAll() {
  for (Link& link : links_) link.cut = false;
}

bool Network::IsCut(NodeId from, NodeId to) const { return LinkOf(from, to).cut; }

bool Network::Send(NodeId from, NodeId to, std::string message) {
  Link& link = LinkOf(from, to);
  Flight flight{++messages_, from, to, std::move(message)};
  ++link.stats.sent;
  link.stats.bytes_sent += flight.message.size();
  trace_.Hash(flight.message);
  AddToTrace(TraceEvent::Kind::kSend, flight, "");
  if (const char* loss = LossOf(flight, link)) {
    Drop(flight, loss);
    return true;
  }
  if (!Fits(link, flight.message.size())) {
    Drop(flight, "the link is full");
    return false;
  }
  if (Happens(random_, link.options.duplicate_percent)) {
    Launch(flight);
    if (!Fits(link, flight.message.size())) return true;
    ++link.stats.duplicated;
  }
  Launch(std::move(flight));
  return true;
}

const LinkStats& Network::stats(NodeId from, NodeId to) const { return LinkOf(from, to).stats; }

LinkStats Network::total() const {
  LinkStats total;
  for (const Link& link : links_) {
    total.sent += link.stats.sent;
    total.duplicated += link.stats.duplicated;
    total.delivered += link.stats.delivered;
    total.dropped += link.stats.dropped;
    total.bytes_sent += link.stats.bytes_sent;
    total.bytes_delivered += link.stats.bytes_delivered;
  }
  return total;
}

void Network::CheckOptions(const LinkOptions& options) {
  TKV_CHECK(options.delay_min >= Duration::zero());
  TKV_CHECK(options.delay_min <= options.delay_max);
  TKV_CHECK(options.straggler_delay >= Duration::zero());
}

size_t Network::LinkIndex(NodeId from, NodeId to) {
  // All links of the first n nodes come before any link of a later one, so that a new node moves
  // none: first those from it (to itself last), then those to it.
  const NodeId larger = std::max(from, to);
  const size_t before = (larger - 1) * (larger - 1);
  return before + (from == larger ? to - 1 : larger + from - 1);
}

Network::Link& Network::LinkOf(NodeId from, NodeId to) {
  TKV_CHECK(1 <= from && from <= nodes_.size());
  TKV_CHECK(1 <= to && to <= nodes_.size());
  return links_[LinkIndex(from, to)];
}

const Network::Link& Network::LinkOf(NodeId from, NodeId to) const {
  return const_cast<Network*>(this)->LinkOf(from, to);
}

const char* Network::LossOf(const Flight& flight, const Link& link) {
  if (link.cut) return "the link is cut";
  if (filter_ && filter_(flight.from, flight.to, flight.message)) return "filtered";
  if (Happens(random_, link.options.loss_percent)) return "lost";
  return nullptr;
}

bool Network::Fits(const Link& link, size_t bytes) {
  if (link.messages >= link.options.capacity_messages) return false;
  return link.messages == 0 || link.bytes + bytes <= link.options.capacity_bytes;
}

void Network::Launch(Flight flight) {
  Link& link = LinkOf(flight.from, flight.to);
  Duration arrival = timeline_.Now() + DrawDelay(link.options);
  if (link.options.in_order) arrival = std::max(arrival, link.last_arrival);
  link.last_arrival = std::max(arrival, link.last_arrival);
  ++link.messages;
  link.bytes += flight.message.size();

  // Of one link, messages that arrive at one time do so in the order of sending; of several links,
  // the seed decides.
  const uint64_t order = (salt_ ^ static_cast<uint64_t>(arrival.count()) ^ flight.from) * kOdd;
  Lane& inbox = *nodes_[flight.to - 1].inbox;
  size_t place = flights_.size();
  if (free_flights_.empty()) {
    flights_.push_back(std::move(flight));
  } else {
    place = free_flights_.back();
    free_flights_.pop_back();
    flights_[place] = std::move(flight);
  }
  inbox.PostAt(arrival, order, [this, place] { Arrive(place); });
}

Duration Network::DrawDelay(const LinkOptions& options) {
  Duration delay = DrawBetween(random_, options.delay_min, options.delay_max);
  if (Happens(random_, options.straggler_percent)) {
    delay += DrawBetween(random_, Duration::zero(), options.straggler_delay);
  }
  return delay;
}

void Network::Arrive(size_t place) {
  Flight flight = std::move(flights_[place]);
  free_flights_.push_back(place);
  Link& link = LinkOf(flight.from, flight.to);
  --link.messages;
  link.bytes -= flight.message.size();
  Endpoint& endpoint = *nodes_[flight.to - 1].endpoint;
  const char* const refusal = link.cut ? "the link is cut" : endpoint.Refusal(flight.message);
  if (refusal != nullptr) {
    Drop(flight, refusal);
    return;
  }
  ++link.stats.delivered;
  link.stats.bytes_delivered += flight.message.size();
  AddToTrace(TraceEvent::Kind::kReceive, flight, "");
  endpoint.Deliver(flight.from, std::move(flight.message));
}

void Network::Drop(const Flight& flight, const char* reason) {
  ++LinkOf(flight.from, flight.to).stats.dropped;
  AddToTrace(TraceEvent::Kind::kDrop, flight, reason);
}

void Network::AddToTrace(TraceEvent::Kind kind, const Flight& flight, std::string_view reason) {
  const bool received = kind == TraceEvent::Kind::kReceive;
  trace_.Add({.time = timeline_.Now(),
              .kind = kind,
              .node = received ? flight.to : flight.from,
              .peer = received ? flight.from : flight.to,
              .message = flight.number},
             [&] {
               const std::string message = Describe(flight.message);
               return reason.empty() ? message : Concat(reason, ": ", message);
             });
}

std::string Network::Describe(std::string_view message) const {
  if (IsTransferFrame(message)) return DescribeFrame(message);
  return describer_ ? describer_(message) : Quote(message, kQuotedMax);
}

}  // namespace tinykv::sim
