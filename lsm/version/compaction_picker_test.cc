#include "lsm/version/compaction_picker.h"

#include <gtest/gtest.h>

#include "lsm/version/version_test_util.h"

namespace tinykv::lsm {
namespace {

Options SmallOptions() {
  Options options;
  options.l0_compact_tables = 4;
  options.level_bytes_base = 1000;
  options.level_multiplier = 10;
  return options;
}

// "0:5,4 1:2 -> 1" or "none".
std::string Describe(const std::optional<Compaction>& compaction) {
  if (!compaction) return "none";
  std::string result;
  for (const Compaction::Input& input : compaction->inputs) {
    result += std::to_string(input.level) + ":";
    for (const FileNumber number : NumbersOf(input.tables)) result += std::to_string(number) + ",";
    result.back() = ' ';
  }
  result += "-> " + std::to_string(compaction->output_level);
  return compaction->trivial_move ? result + " moved" : result;
}

std::string Pick(const Levels& levels, CompactionCursors cursors = {}) {
  cursors.resize(levels.size());
  return Describe(PickCompaction(SmallOptions(), levels, cursors));
}

TEST(CompactionPicker, PicksNothingWhileEveryLevelIsSmallEnough) {
  EXPECT_EQ(Pick({{}, {}, {}}), "none");
  EXPECT_EQ(Pick({{FakeTable(3, "a", "z"), FakeTable(2, "a", "z"), FakeTable(1, "a", "z")},
                  {FakeTable(4, "a", "b", 999)},
                  {FakeTable(5, "a", "b", 9'999)},
                  {}}),
            "none");
}

TEST(CompactionPicker, PendingBytesAreWhatMustMoveDown) {
  const auto pending = [](const Levels& levels) {
    return PendingCompactionBytes(SmallOptions(), levels);
  };
  const auto table = [](uint64_t bytes) { return FakeTable(1, "a", "z", bytes); };
  EXPECT_EQ(pending({{}, {}, {}}), 0u);
  EXPECT_EQ(pending({{table(500), table(500), table(500)}, {table(1000)}, {}}), 0u);
  EXPECT_EQ(pending({{}, {table(1300)}, {}}), 300u);
  EXPECT_EQ(pending({{}, {table(1300)}, {table(10'000)}, {}}), 300u + 300u);
  EXPECT_EQ(pending({{}, {}, {table(50'000)}}), 0u);  // nothing is below the deepest level
  // Four tables of level 0 are due as a whole: 200 bytes find room in level 1, 800 do not.
  const TableList level0 = {table(250), table(250), table(250), table(250)};
  EXPECT_EQ(pending({level0, {}, {}}), 1000u);
  EXPECT_EQ(pending({level0, {table(800)}, {}}), 1000u + 800u);
}

TEST(CompactionPicker, Level0IsDueByItsNumberOfTablesHoweverSmall) {
  const TableList level0 = {FakeTable(4, "c", "d", 1), FakeTable(3, "a", "d", 1),
                            FakeTable(2, "b", "c", 1), FakeTable(1, "a", "b", 1)};
  EXPECT_EQ(Pick({level0, {}, {}}), "0:4,3,2,1 -> 1");
  EXPECT_DOUBLE_EQ(CompactionScore(SmallOptions(), {level0, {}, {}}, 0), 1);
}

TEST(CompactionPicker, TakesTheOldestOfLevel0AndAllThatOverlapItThroughOthers) {
  // 1 overlaps 2, 2 overlaps 4; 3 is apart.
  const TableList level0 = {FakeTable(4, "d", "f"), FakeTable(3, "x", "z"), FakeTable(2, "b", "d"),
                            FakeTable(1, "a", "b")};
  const TableList level1 = {FakeTable(10, "A", "Z"), FakeTable(11, "c", "c"),
                            FakeTable(12, "f", "g"), FakeTable(13, "h", "y")};
  EXPECT_EQ(Pick({level0, level1, {}}), "0:4,2,1 1:11,12 -> 1");
}

TEST(CompactionPicker, TablesThatTouchInOneUserKeyOverlap) {
  const TableList level0 = {FakeTable(4, "e", "f"), FakeTable(3, "e", "f"), FakeTable(2, "e", "f"),
                            FakeTable(1, "a", "b")};
  EXPECT_EQ(Pick({level0, {FakeTable(10, "b", "c")}, {}}), "0:1 1:10 -> 1");
  EXPECT_EQ(Pick({level0, {FakeTable(10, "c", "d")}, {}}), "0:1 -> 1 moved");
}

TEST(CompactionPicker, LargestScoreGoesFirst) {
  const TableList level0 = {FakeTable(4, "a", "b"), FakeTable(3, "a", "b"), FakeTable(2, "a", "b"),
                            FakeTable(1, "a", "b")};
  EXPECT_EQ(Pick({level0, {FakeTable(10, "x", "y", 5'000)}, {}}), "1:10 -> 2 moved");
  EXPECT_EQ(Pick({level0, {FakeTable(10, "x", "y", 500)}, {}}), "0:4,3,2,1 -> 1");
  EXPECT_EQ(Pick({{}, {FakeTable(10, "x", "y", 1'500)}, {FakeTable(11, "a", "b", 20'000)}, {}}),
            "2:11 -> 3 moved");
}

TEST(CompactionPicker, DeepestLevelIsNeverDue) {
  EXPECT_EQ(Pick({{}, {}, {FakeTable(1, "a", "b", 1'000'000)}}), "none");
  EXPECT_EQ(CompactionScore(SmallOptions(), {{}, {}, {FakeTable(1, "a", "b", 1'000'000)}}), 0);
}

TEST(CompactionPicker, GoesRoundASortedLevel) {
  const Levels levels = {
      {},
      {FakeTable(1, "a", "c", 500), FakeTable(2, "d", "f", 500), FakeTable(3, "g", "i", 500)},
      {FakeTable(9, "e", "h", 500)},
      {}};
  EXPECT_EQ(Pick(levels), "1:1 -> 2 moved");
  EXPECT_EQ(Pick(levels, {"", levels[1][0]->meta().largest}), "1:2 2:9 -> 2");
  EXPECT_EQ(Pick(levels, {"", levels[1][1]->meta().largest}), "1:3 2:9 -> 2");
  EXPECT_EQ(Pick(levels, {"", levels[1][2]->meta().largest}), "1:1 -> 2 moved");
  // The table at which the last one ended need not be there any more.
  EXPECT_EQ(Pick(levels, {"", EncodeInternalKey({"e", 1})}), "1:2 2:9 -> 2");
}

TEST(CompactionPicker, WholeCompactionTakesEveryTableToTheDeepestLevelInUse) {
  EXPECT_EQ(Describe(PickWholeCompaction({{}, {}, {}})), "none");
  EXPECT_EQ(Describe(PickWholeCompaction({{FakeTable(1, "a", "b")}, {}, {}})), "0:1 -> 1");
  EXPECT_EQ(Describe(PickWholeCompaction({{}, {FakeTable(1, "a", "b")}, {}})), "1:1 -> 1");
  EXPECT_EQ(Describe(PickWholeCompaction({{FakeTable(5, "a", "b"), FakeTable(4, "x", "y")},
                                          {FakeTable(1, "p", "q")},
                                          {},
                                          {FakeTable(2, "a", "b"), FakeTable(3, "c", "d")},
                                          {}})),
            "0:5,4 1:1 3:2,3 -> 3");
}

}  // namespace
}  // namespace tinykv::lsm
