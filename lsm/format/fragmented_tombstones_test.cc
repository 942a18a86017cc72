#include "lsm/format/fragmented_tombstones.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "lsm/format/tombstone_test_util.h"

namespace tinykv::lsm {
namespace {

// "[a, e): 7 9".
std::string Show(const FragmentedTombstones& tombstones) {
  std::string text;
  for (const auto& fragment : tombstones.fragments()) {
    text += text.empty() ? "" : " ";
    text += "[" + std::string(fragment.begin) + ", " + std::string(fragment.end) + "):";
    for (const SequenceNumber sequence : fragment.sequences) text += std::to_string(sequence);
  }
  return text;
}

TEST(FragmentedTombstones, AreCutWhereOneBeginsOrEnds) {
  EXPECT_EQ(Show(FragmentedTombstones({{"a", "e", 7}, {"c", "g", 9}})),
            "[a, c):7 [c, e):97 [e, g):9");
  EXPECT_EQ(Show(FragmentedTombstones({{"b", "c", 5}, {"a", "", 3}})),
            "[a, b):3 [b, c):53 [c, ):3");
  EXPECT_EQ(Show(FragmentedTombstones({{"", "", 3}})), "[, ):3");
}

TEST(FragmentedTombstones, GrowTogetherWhereNothingTellsThemApart) {
  EXPECT_EQ(Show(FragmentedTombstones({{"a", "c", 7}, {"c", "e", 7}, {"a", "e", 4}})), "[a, e):74");
  EXPECT_EQ(Show(FragmentedTombstones({{"a", "c", 7}, {"c", "e", 6}})), "[a, c):7 [c, e):6");
}

TEST(FragmentedTombstones, EmptyRangesCoverNothing) {
  EXPECT_TRUE(FragmentedTombstones({{"c", "c", 7}, {"c", "a", 8}}).empty());
  EXPECT_EQ(FragmentedTombstones({}).Newest("a", kMaxSequenceNumber), 0u);
}

RC_GTEST_PROP(FragmentedTombstonesProperty, CoverWhatTheTombstonesCover, ()) {
  const auto ranges = *ArbitraryRanges();
  const auto tombstones = TombstonesOf(ranges, 1);
  const FragmentedTombstones fragmented(tombstones);
  const auto sequence = *rc::gen::inRange<SequenceNumber>(0, ranges.size() + 2);
  for (const std::string& key : kProbes) {
    RC_ASSERT(fragmented.Newest(key, sequence) == NewestOf(tombstones, key, sequence));
    const auto stretch = fragmented.StretchOf(key);
    RC_ASSERT(stretch.begin <= key);
    RC_ASSERT(IsBeforeEnd(key, stretch.end));
  }
  for (size_t i = 1; i < fragmented.fragments().size(); ++i) {
    RC_ASSERT(!IsBeforeEnd(fragmented.fragments()[i].begin, fragmented.fragments()[i - 1].end));
  }
  // As a table writes and reads them.
  RC_ASSERT(Show(FragmentedTombstones(fragmented.ToTombstones())) == Show(fragmented));
}

}  // namespace
}  // namespace tinykv::lsm
