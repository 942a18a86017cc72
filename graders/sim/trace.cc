#include "graders/sim/trace.h"

#include <algorithm>
#include <cstring>

#include "common/strings.h"

namespace tinykv::sim {
namespace {

std::string_view Arrow(TraceEvent::Kind kind) {
  return kind == TraceEvent::Kind::kReceive ? " <- " : " -> ";
}

}  // namespace

std::string FormatTime(Duration time) {
  const int64_t micros = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  const bool negative = micros < 0;
  const int64_t size = negative ? -micros : micros;
  std::string text = Concat(negative ? "-" : "", size / 1000);
  if (size % 1000 != 0) {
    std::string fraction = std::to_string(1000 + size % 1000).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    text += '.' + fraction;
  }
  return text + " ms";
}

std::string ToString(const TraceEvent& event) {
  const std::string_view what = event.kind == TraceEvent::Kind::kDrop        ? "dropped, "
                                : event.kind == TraceEvent::Kind::kViolation ? "VIOLATED: "
                                                                             : "";
  const std::string peer = event.peer == 0 ? "" : Concat(Arrow(event.kind), event.peer);
  const std::string where = event.node == 0 ? "" : Concat(event.node, peer, "  ");
  return Concat(FormatTime(event.time), "  ", where, what, event.text);
}

void Trace::Hash(std::string_view bytes) {
  Hash(bytes.size());
  while (!bytes.empty()) {
    uint64_t word = 0;
    const size_t size = std::min(bytes.size(), sizeof(word));
    std::memcpy(&word, bytes.data(), size);
    Hash(word);
    bytes.remove_prefix(size);
  }
}

void Trace::Add(TraceEvent event, absl::FunctionRef<std::string()> describe) {
  Hash(static_cast<uint64_t>(event.time.count()));
  Hash(static_cast<uint64_t>(event.kind));
  Hash(event.node);
  Hash(event.peer);
  Hash(event.message);
  if (!keep_) return;
  event.text = describe();
  Keep(std::move(event));
}

void Trace::AddNote(Duration time, NodeId node, std::string_view text) {
  Hash(text);
  Add({.time = time, .node = node}, [text] { return std::string(text); });
}

void Trace::SetView(NodeId node, NodeView view) {
  if (!keep_) return;
  const auto known = views_.find(node);
  if (known != views_.end() && known->second == view) return;
  if (steps_.empty()) Keep({.text = "begins"});  // so that there is something it can stand after
  steps_.back().changed[node] = view;
  views_[node] = std::move(view);
}

std::vector<std::string> Trace::LastEvents(size_t count) const {
  std::vector<std::string> lines;
  for (size_t i = steps_.size() - std::min(count, steps_.size()); i < steps_.size(); ++i) {
    lines.push_back(ToString(steps_[i].event));
  }
  return lines;
}

void Trace::Keep(TraceEvent event) {
  if (steps_.size() == kStepsMax) ForgetOlderHalf();
  steps_.push_back({.event = std::move(event)});
}

void Trace::ForgetOlderHalf() {
  const auto kept = steps_.begin() + kStepsMax / 2;
  // The first step that is kept also says what those before it said last.
  for (auto step = std::make_reverse_iterator(kept); step != steps_.rend(); ++step) {
    kept->changed.merge(step->changed);
  }
  steps_.erase(steps_.begin(), kept);
}

}  // namespace tinykv::sim
