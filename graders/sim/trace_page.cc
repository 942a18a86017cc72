#include "graders/sim/trace_page.h"

#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string_view>

#include "common/check.h"
#include "common/embedded_file.h"

namespace tinykv {

std::span<const EmbeddedFile> TracePageFiles();

namespace sim {
namespace {

// Members in the order in which they are set: pages are read by people, too.
using Json = nlohmann::ordered_json;

constexpr std::string_view kPlaceholder = "/*TRACE*/";

// JavaScript would round what is beyond 2^53, and a student's index may well be 0 - 1.
Json Exact(uint64_t number) {
  if (number > uint64_t{1} << 53) return std::to_string(number);
  return number;
}

std::string_view NameOf(TraceEvent::Kind kind) {
  switch (kind) {
    case TraceEvent::Kind::kNote:
      return "note";
    case TraceEvent::Kind::kSend:
      return "send";
    case TraceEvent::Kind::kReceive:
      return "receive";
    case TraceEvent::Kind::kDrop:
      return "drop";
    case TraceEvent::Kind::kViolation:
      return "violation";
  }
  return "note";
}

Json ToJson(const NodeView& view) {
  Json bars = Json::array();
  for (const auto& [name, position] : view.bars)
    bars.push_back(Json::array({name, Exact(position)}));
  return {{"up", view.up},
          {"role", view.role},
          {"term", Exact(view.term)},
          {"bars", std::move(bars)},
          {"details", view.details}};
}

Json ToJson(const Trace::Step& step) {
  const TraceEvent& event = step.event;
  Json json = {{"t", event.time.count()}, {"kind", NameOf(event.kind)}, {"node", event.node}};
  if (event.peer != 0) json["peer"] = event.peer;
  if (event.message != 0) json["message"] = event.message;
  json["text"] = event.text;
  for (const auto& [node, view] : step.changed) json["views"][std::to_string(node)] = ToJson(view);
  return json;
}

// All nodes that the trace tells of, in order.
std::set<NodeId> NodesOf(const Trace& trace) {
  std::set<NodeId> nodes;
  for (const Trace::Step& step : trace.steps()) {
    nodes.insert({step.event.node, step.event.peer});
    for (const auto& [node, view] : step.changed) nodes.insert(node);
  }
  nodes.erase(0);
  return nodes;
}

// JSON that cannot end the script element it stands in, whatever texts say: "<" occurs in strings
// only, and there it may be written as its number.
void AppendForScript(const Json& json, std::string& page) {
  for (const char c : json.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<') {
      page += "\\u003c";
    } else {
      page += c;
    }
  }
}

void AppendTrace(const TraceInfo& info, const Trace& trace, std::string& page) {
  AppendForScript({{"task", info.task},
                   {"seed", Exact(info.seed)},
                   {"verdict", info.verdict},
                   {"sentence", info.sentence},
                   {"program", info.program},
                   {"nodes", NodesOf(trace)}},
                  page);
  page.back() = ',';  // the object goes on; long traces should not all be JSON at once
  page += "\"steps\":[";
  for (const Trace::Step& step : trace.steps()) {
    if (&step != &trace.steps().front()) page += ',';
    page += '\n';
    AppendForScript(ToJson(step), page);
  }
  page += "]}";
}

}  // namespace

std::string TracePage(const TraceInfo& info, const Trace& trace) {
  const std::string_view page = TracePageFiles().front().content;
  const size_t place = page.find(kPlaceholder);
  TKV_CHECK(place != std::string_view::npos);
  std::string filled(page.substr(0, place));
  AppendTrace(info, trace, filled);
  filled += page.substr(place + kPlaceholder.size());
  return filled;
}

}  // namespace sim
}  // namespace tinykv
