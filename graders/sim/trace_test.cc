#include "graders/sim/trace.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tinykv::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Kind = TraceEvent::Kind;

std::string Text() { return "text"; }

TEST(FormatTime, ShowsMillisecondsAndWhatIsLeftOfThem) {
  EXPECT_EQ(FormatTime(milliseconds(0)), "0 ms");
  EXPECT_EQ(FormatTime(milliseconds(12)), "12 ms");
  EXPECT_EQ(FormatTime(microseconds(12'500)), "12.5 ms");
  EXPECT_EQ(FormatTime(microseconds(7)), "0.007 ms");
  EXPECT_EQ(FormatTime(microseconds(1'230)), "1.23 ms");
  EXPECT_EQ(FormatTime(nanoseconds(999)), "0 ms");
  EXPECT_EQ(FormatTime(microseconds(-1'500)), "-1.5 ms");
}

TEST(Trace, HashesTheSameWhetherItKeepsOrNot) {
  Trace kept(true);
  Trace lost(false);
  for (Trace* trace : {&kept, &lost}) {
    trace->AddNote(milliseconds(1), 1, "starts");
    trace->Add({.time = milliseconds(2), .kind = Kind::kSend, .node = 1, .peer = 2, .message = 1},
               Text);
    trace->SetView(1, {.role = "leader"});
    trace->Hash(17);
  }
  EXPECT_EQ(kept.hash(), lost.hash());
  EXPECT_EQ(kept.steps().size(), 2u);
  EXPECT_TRUE(lost.steps().empty());
  EXPECT_TRUE(lost.LastEvents(10).empty());
}

TEST(Trace, MakesNoTextWhereItKeepsNothing) {
  Trace trace(false);
  trace.Add({}, []() -> std::string {
    ADD_FAILURE() << "nobody reads this";
    return "";
  });
}

TEST(Trace, HashDependsOnEverythingButTheText) {
  const auto hash_of = [](const TraceEvent& event, std::string (*describe)()) {
    Trace trace(true);
    trace.Add(event, describe);
    return trace.hash();
  };
  const TraceEvent event{
      .time = milliseconds(1), .kind = Kind::kSend, .node = 1, .peer = 2, .message = 3};
  const uint64_t hash = hash_of(event, Text);
  EXPECT_EQ(hash, hash_of(event, [] { return std::string("other"); }));
  const auto changed = [&](auto change) {
    TraceEvent other = event;
    change(other);
    return hash_of(other, Text);
  };
  EXPECT_NE(hash, changed([](TraceEvent& e) { e.time += nanoseconds(1); }));
  EXPECT_NE(hash, changed([](TraceEvent& e) { e.kind = Kind::kDrop; }));
  EXPECT_NE(hash, changed([](TraceEvent& e) { e.node = 2; }));
  EXPECT_NE(hash, changed([](TraceEvent& e) { e.peer = 1; }));
  EXPECT_NE(hash, changed([](TraceEvent& e) { e.message = 4; }));
}

TEST(Trace, HashesBytesWithTheirLengthAndOrder) {
  const auto hash_of = [](const std::vector<std::string>& parts) {
    Trace trace(false);
    for (const std::string& part : parts) trace.Hash(part);
    return trace.hash();
  };
  EXPECT_EQ(hash_of({"a", "b"}), hash_of({"a", "b"}));
  EXPECT_NE(hash_of({"a", "b"}), hash_of({"b", "a"}));
  EXPECT_NE(hash_of({"ab"}), hash_of({"a", "b"}));
  EXPECT_NE(hash_of({std::string("a\0", 2)}), hash_of({"a"}));
  EXPECT_NE(hash_of({"eight by8"}), hash_of({"eight by9"}));
  EXPECT_NE(hash_of({""}), hash_of({}));
}

TEST(Trace, NotesAreHashedWithTheirText) {
  Trace one(false);
  Trace other(false);
  one.AddNote(milliseconds(1), 1, "starts");
  other.AddNote(milliseconds(1), 1, "stops");
  EXPECT_NE(one.hash(), other.hash());
}

TEST(Trace, TellsTheLastEventsInWords) {
  Trace trace(true);
  const auto add = [&](Kind kind, NodeId node, NodeId peer) {
    trace.Add({.time = microseconds(12'500), .kind = kind, .node = node, .peer = peer}, Text);
  };
  trace.AddNote(milliseconds(1), 3, "forgotten");
  trace.AddNote(milliseconds(2), 0, "the links are mended");
  trace.AddNote(milliseconds(3), 3, "starts");
  add(Kind::kSend, 1, 2);
  add(Kind::kReceive, 2, 1);
  add(Kind::kDrop, 1, 2);
  add(Kind::kViolation, 0, 0);
  const std::vector<std::string> expected = {
      "2 ms  the links are mended",     "3 ms  3  starts",
      "12.5 ms  1 -> 2  text",          "12.5 ms  2 <- 1  text",
      "12.5 ms  1 -> 2  dropped, text", "12.5 ms  VIOLATED: text",
  };
  EXPECT_EQ(trace.LastEvents(6), expected);
  EXPECT_EQ(trace.LastEvents(100).size(), 7u);
}

TEST(Trace, RemembersViewsOnlyWhereTheyDiffer) {
  Trace trace(true);
  trace.SetView(1, {.role = "follower"});  // before the first event
  trace.AddNote(milliseconds(1), 1, "times out");
  trace.SetView(1, {.role = "follower"});
  trace.SetView(2, {.role = "follower"});
  trace.AddNote(milliseconds(2), 1, "wins");
  trace.SetView(1, {.role = "candidate"});
  trace.SetView(1, {.role = "leader"});
  ASSERT_EQ(trace.steps().size(), 3u);
  EXPECT_EQ(trace.steps()[0].changed.at(1).role, "follower");
  EXPECT_EQ(trace.steps()[1].changed.size(), 1u);
  EXPECT_EQ(trace.steps()[1].changed.at(2).role, "follower");
  EXPECT_EQ(trace.steps()[2].changed.at(1).role, "leader");
}

TEST(Trace, ForgetsTheOldestOfVeryMany) {
  Trace trace(true);
  trace.AddNote({}, 1, "first");
  trace.SetView(1, {.role = "old"});
  trace.AddNote({}, 1, "second");
  trace.SetView(1, {.role = "new"});
  for (int i = 0; i < 1 << 19; ++i) trace.AddNote({}, 2, "more");
  trace.AddNote({}, 1, "last");
  EXPECT_LE(trace.steps().size(), 1u << 18);
  EXPECT_EQ(trace.steps().front().changed.at(1).role, "new");
  EXPECT_EQ(trace.steps().back().event.text, "last");
}

}  // namespace
}  // namespace tinykv::sim
