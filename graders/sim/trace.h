// Trace: what happened in a simulated world, in order. It is hashed always and kept on demand:
// equal seeds must give equal hashes, and a kept trace can be shown (graders/sim/trace_page.h makes
// an HTML page of it).
//
// The order is that in which things were done. Times may go back a little in it: a task runs at one
// go, and what it does after the disk kept it waiting is done at a later time.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "common/env/clock.h"

namespace tinykv::sim {

using NodeId = uint64_t;  // from 1 on; 0: none, the world itself

struct TraceEvent {
  enum class Kind {
    kNote,       // something a node did or that was done to it: "times out", "crashes"
    kSend,       // the message was handed to the network
    kReceive,    // it arrived; what the receiver does with it comes next
    kDrop,       // it never will
    kViolation,  // an invariant does not hold any more
  };
  Duration time = {};
  Kind kind = Kind::kNote;
  NodeId node = 0;       // where; for kSend and kDrop the sender, for kReceive the receiver
  NodeId peer = 0;       // the other end, for messages
  uint64_t message = 0;  // for messages: which, from 1 on; the same number for all its copies
  std::string text = {};
};

// How a node stands after an event; for show only.
struct NodeView {
  bool up = true;
  std::string role = {};  // "leader"; chooses the colour
  uint64_t term = 0;
  // Named positions on one common scale, e.g. {"last", 7}, {"commit", 5}, {"applied", 5}.
  std::vector<std::pair<std::string, uint64_t>> bars = {};
  std::vector<std::string> details = {};  // lines for the one who asks

  bool operator==(const NodeView&) const = default;
};

// "12.5 ms", to the microsecond.
std::string FormatTime(Duration time);

// "12.5 ms  1 -> 2  RequestVote", "13.5 ms  2 <- 1  RequestVote", "14 ms  2  becomes leader".
std::string ToString(const TraceEvent& event);

class Trace {
 public:
  explicit Trace(bool keep) : keep_(keep) {}

  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  bool keeps() const { return keep_; }

  // Add to the hash. For what is cheap to say: numbers, not text.
  void Hash(uint64_t value) {
    // FNV-1a by words instead of bytes; the shift lets high bits reach the low ones.
    hash_ = (hash_ ^ value) * kPrime;
    hash_ ^= hash_ >> 32;
  }
  void Hash(std::string_view bytes);

  // Depends on everything so far, and not on whether it was kept.
  uint64_t hash() const { return hash_; }

  // Hashes all of `event` but its text; keeps the event, with text = describe(), where events are
  // kept.
  void Add(TraceEvent event, absl::FunctionRef<std::string()> describe);

  // Hashes the text as well.
  void AddNote(Duration time, NodeId node, std::string_view text);

  // The state of `node` after the last event. Remembered only where events are kept, and only where
  // it differs.
  void SetView(NodeId node, NodeView view);

  // The last events in words, oldest first; empty where nothing is kept.
  std::vector<std::string> LastEvents(size_t count) const;

  // An event, and the views of the nodes that look different after it.
  struct Step {
    TraceEvent event = {};
    std::map<NodeId, NodeView> changed = {};
  };
  // Of a very long trace, the older part has been forgotten; then the first step has all views.
  const std::vector<Step>& steps() const { return steps_; }

 private:
  static constexpr uint64_t kSeed = 0xcbf29ce484222325;
  static constexpr uint64_t kPrime = 0x100000001b3;
  static constexpr size_t kStepsMax = 1 << 18;

  void Keep(TraceEvent event);
  void ForgetOlderHalf();

  const bool keep_;
  uint64_t hash_ = kSeed;
  std::vector<Step> steps_;
  std::map<NodeId, NodeView> views_;  // as of the last step
};

}  // namespace tinykv::sim
