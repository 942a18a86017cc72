#include "graders/sim/trace_page.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

namespace tinykv::sim {
namespace {

using Json = nlohmann::json;
using Kind = TraceEvent::Kind;

constexpr std::string_view kScript = R"(<script type="application/json" id="trace">)";

const TraceInfo kInfo = {.task = "2a-sim-safety",
                         .seed = 17,
                         .verdict = "wrong",
                         .sentence = "two leaders in term 2",
                         .program = "cut {1} | {2, 3}\n"};

void Add(Trace& trace, const TraceEvent& event) {
  trace.Add(event, [&event] { return event.text; });
}

// What stands between the tags of the element that holds the trace, as a browser finds it.
std::string DataOf(const std::string& page) {
  const size_t start = page.find(kScript) + kScript.size();
  return page.substr(start, page.find("</script", start) - start);
}

Json TraceOf(const std::string& page) { return Json::parse(DataOf(page)); }

TEST(TracePage, SaysWhatTheRunWas) {
  const Json trace = TraceOf(TracePage(kInfo, Trace(true)));
  EXPECT_EQ(trace, Json::parse(R"({"task": "2a-sim-safety", "seed": 17, "verdict": "wrong",
                                   "sentence": "two leaders in term 2",
                                   "program": "cut {1} | {2, 3}\n", "nodes": [], "steps": []})"));
}

TEST(TracePage, HasTheStepsInOrderAndAllNodesTheyNameButTheWorld) {
  Trace trace(true);
  Add(trace, {.time = Duration(5), .text = "begins"});
  Add(trace, {.time = Duration(12500000),
              .kind = Kind::kSend,
              .node = 3,
              .peer = 1,
              .message = 7,
              .text = "RequestVote"});
  Add(trace, {.kind = Kind::kReceive, .node = 1, .peer = 3, .message = 7, .text = "RequestVote"});
  Add(trace, {.kind = Kind::kDrop, .node = 3, .peer = 1, .message = 7, .text = "RequestVote"});
  Add(trace, {.kind = Kind::kViolation, .node = 3, .text = "two leaders"});
  trace.SetView(9, {});

  const Json json = TraceOf(TracePage(kInfo, trace));
  EXPECT_EQ(json["nodes"], Json({1, 3, 9}));
  ASSERT_EQ(json["steps"].size(), 5);
  EXPECT_EQ(json["steps"][0], Json::parse(R"({"t": 5, "kind": "note", "node": 0,
                                              "text": "begins"})"));
  EXPECT_EQ(json["steps"][1], Json::parse(R"({"t": 12500000, "kind": "send", "node": 3, "peer": 1,
                                              "message": 7, "text": "RequestVote"})"));
  EXPECT_EQ(json["steps"][2]["kind"], "receive");
  EXPECT_EQ(json["steps"][3]["kind"], "drop");
  EXPECT_EQ(json["steps"][4]["kind"], "violation");
}

TEST(TracePage, HasTheViewsOfTheNodesThatAStepChanged) {
  Trace trace(true);
  Add(trace, {.node = 1, .text = "starts"});
  trace.SetView(2, {.up = false});
  trace.SetView(1, {.role = "leader",
                    .term = 4,
                    .bars = {{"last", 7}, {"commit", 5}},
                    .details = {"voted for 1"}});
  Add(trace, {.node = 1, .text = "nothing new"});

  const Json steps = TraceOf(TracePage(kInfo, trace))["steps"];
  EXPECT_EQ(steps[0]["views"], Json::parse(R"({
      "1": {"up": true, "role": "leader", "term": 4, "bars": [["last", 7], ["commit", 5]],
            "details": ["voted for 1"]},
      "2": {"up": false, "role": "", "term": 0, "bars": [], "details": []}})"));
  EXPECT_FALSE(steps[1].contains("views"));
}

TEST(TracePage, NumbersThatJavaScriptWouldRoundAreStrings) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  TraceInfo info = kInfo;
  info.seed = (uint64_t{1} << 53) + 1;
  Trace trace(true);
  trace.SetView(1, {.term = uint64_t{1} << 53, .bars = {{"last", kMax}}});

  const Json json = TraceOf(TracePage(info, trace));
  EXPECT_EQ(json["seed"], "9007199254740993");
  const Json view = json["steps"][0]["views"]["1"];
  EXPECT_EQ(view["term"], 9007199254740992);
  EXPECT_EQ(view["bars"][0][1], "18446744073709551615");
}

TEST(TracePage, NoTextEndsTheElementItIsIn) {
  const std::string text = "</script><!--<script>alert(1)</SCRIPT>\\ \"quoted\" \n\t\x01 ü";
  TraceInfo info = kInfo;
  info.sentence = text;
  info.program = text;
  Trace trace(true);
  Add(trace, {.node = 1, .text = text});
  trace.SetView(1, {.role = text, .bars = {{text, 1}}, .details = {text}});

  const std::string page = TracePage(info, trace);
  EXPECT_EQ(DataOf(page).find('<'), std::string::npos);
  const Json json = TraceOf(page);
  EXPECT_EQ(json["sentence"], text);
  EXPECT_EQ(json["program"], text);
  EXPECT_EQ(json["steps"][0]["text"], text);
  EXPECT_EQ(json["steps"][0]["views"]["1"]["details"][0], text);
}

TEST(TracePage, BytesThatAreNoTextAreReplaced) {
  Trace trace(true);
  Add(trace, {.node = 1, .text = "put \xff\xfe"});
  const Json json = TraceOf(TracePage(kInfo, trace));
  EXPECT_EQ(json["steps"][0]["text"], "put \uFFFD\uFFFD");
}

TEST(TracePage, IsTheTemplateWithTheTraceInItsPlace) {
  const std::string page = TracePage(kInfo, Trace(true));
  EXPECT_EQ(page.find("/*TRACE*/"), std::string::npos);
  EXPECT_TRUE(page.starts_with("<!doctype html>"));
  EXPECT_TRUE(page.ends_with("</html>\n"));
}

TEST(TracePage, OfATraceThatWasNotKeptIsEmpty) {
  Trace trace(false);
  Add(trace, {.node = 1, .text = "starts"});
  EXPECT_EQ(TracePage(kInfo, trace), TracePage(kInfo, Trace(true)));
}

TEST(TracePage, EqualTracesMakeEqualPages) {
  const auto page = [] {
    Trace trace(true);
    Add(trace, {.node = 2, .text = "starts"});
    trace.SetView(2, {.role = "follower"});
    return TracePage(kInfo, trace);
  };
  EXPECT_EQ(page(), page());
}

}  // namespace
}  // namespace tinykv::sim
