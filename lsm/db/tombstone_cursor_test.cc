#include "lsm/db/tombstone_cursor.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "lsm/format/tombstone_test_util.h"

namespace tinykv::lsm {
namespace {

RC_GTEST_PROP(TombstoneCursorProperty, AgreesWithAllListsInWhateverOrderItIsAsked, ()) {
  const auto lists = *rc::gen::resize(
      4, rc::gen::container<std::vector<std::vector<TestRange>>>(ArbitraryRanges()));
  std::vector<RangeTombstone> all;
  TombstoneCursor::Lists fragmented;
  for (const auto& ranges : lists) {
    const auto tombstones = TombstonesOf(ranges, all.size() + 1);
    all.insert(all.end(), tombstones.begin(), tombstones.end());
    fragmented.push_back(std::make_shared<const FragmentedTombstones>(tombstones));
  }
  const auto sequence = *rc::gen::inRange<SequenceNumber>(0, all.size() + 2);
  TombstoneCursor cursor(fragmented, sequence);
  for (const size_t probe :
       *rc::gen::container<std::vector<size_t>>(rc::gen::inRange<size_t>(0, kProbes.size()))) {
    RC_ASSERT(cursor.Newest(kProbes[probe]) == NewestOf(all, kProbes[probe], sequence));
  }
}

}  // namespace
}  // namespace tinykv::lsm
