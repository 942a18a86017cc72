// Scripts: what they say when something does not hold, and when they make no sense.
#include "graders/stage2/raft_script.h"

#include <gtest/gtest.h>

#include <string>

namespace tinykv::grading {
namespace {

Result RunText(const std::string& text) {
  sim::Trace trace(true);
  return RunScript({.name = "test", .text = text}, trace);
}

std::string SentenceOf(const std::string& text) {
  const Result finding = RunText(text);
  return finding ? finding->sentence : "";
}

TEST(RaftScript, PassesWhenAllHolds) {
  EXPECT_FALSE(RunText("group 3\ncampaign 1\ndeliver all\nexpect 1 leader\nexpect all commit 1\n"));
}

TEST(RaftScript, SaysHowItIsInstead) {
  EXPECT_EQ(SentenceOf("group 3\ncampaign 1\nexpect 1 leader   # it has one vote\n"),
            "\"expect 1 leader\" does not hold: peer 1 is a candidate: it has one vote "
            "(script test, line 3)");
}

TEST(RaftScript, ShowsWhatIsInFlightWhereAMessageIsMissing) {
  EXPECT_EQ(SentenceOf("group 2\ncampaign 1\nexpect message 1->2 RequestVote term 7\n"),
            "\"expect message 1->2 RequestVote term 7\" does not hold: in flight is 1->2 "
            "RequestVote term 1, last entry 0 of term 0 (script test, line 3)");
}

TEST(RaftScript, MarksTheLine) {
  const Result finding = RunText("group 3\nexpect 1 leader\n");
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->program, "  group 3\n> expect 1 leader\n");
  EXPECT_EQ(finding->verdict, Verdict::kWrong);
}

TEST(RaftScript, ToldApartFromAWrongCoreItIsWrongItself) {
  for (const char* line : {"fly 1", "expect 1 happy", "expect 9 leader", "campaign 9",
                           "deliver Nonsense", "expect message 1->2 Append prev 4"}) {
    const Result finding = RunText(std::string("group 3\n") + line + "\n");
    ASSERT_TRUE(finding) << line;
    EXPECT_EQ(finding->verdict, Verdict::kCrashed) << line;
    EXPECT_NE(finding->sentence.find("the script itself is wrong"), std::string::npos) << line;
  }
}

TEST(RaftScript, StopsAtAViolation) {
  // Two members whose disks have committed different entries: nobody could have got there.
  EXPECT_EQ(SentenceOf("group 2\npeer 1 log 1 term 2 commit 1\npeer 2 log 2 term 2 commit 1\n"
                       "expect no leader\n"),
            "StateMachineSafety: peer 2 has \"\" of term 2 committed at index 1, where peer 1 has "
            "committed \"\" of term 1 (script test, line 4)");
}

TEST(RaftScript, KeepsWhatHappenedInTheTrace) {
  sim::Trace trace(true);
  EXPECT_FALSE(RunScript({.name = "test", .text = "group 2\ncampaign 1\ndrop all\n"}, trace));
  const auto events = trace.LastEvents(10);
  ASSERT_EQ(events.size(), 4);
  EXPECT_NE(events[1].find("1 -> 2"), std::string::npos);
}

TEST(RaftScript, ACommentAloneIsNothing) { EXPECT_FALSE(RunText("#\ngroup 1\n  # really\n")); }

}  // namespace
}  // namespace tinykv::grading
