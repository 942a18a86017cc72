#include "lsm/db/snapshot_list.h"

#include <gtest/gtest.h>

namespace tinykv::lsm {
namespace {

using Numbers = std::vector<SequenceNumber>;

TEST(SnapshotList, HoldsTheLiveOnesAscendingAndEachNumberOnce) {
  SnapshotList list;
  std::atomic<SequenceNumber> last_sequence = 5;
  const auto first = list.Create(last_sequence);
  auto again = list.Create(last_sequence);
  last_sequence = 8;
  auto later = list.Create(last_sequence);
  EXPECT_EQ(first->sequence(), 5u);
  EXPECT_EQ(later->sequence(), 8u);
  EXPECT_EQ(list.Sequences(), (Numbers{5, 8}));
  EXPECT_EQ(list.size(), 3u);
  again.reset();
  EXPECT_EQ(list.Sequences(), (Numbers{5, 8})) << "another one still needs it";
  later.reset();
  EXPECT_EQ(list.Sequences(), (Numbers{5}));
  EXPECT_EQ(list.size(), 1u);
}

}  // namespace
}  // namespace tinykv::lsm
