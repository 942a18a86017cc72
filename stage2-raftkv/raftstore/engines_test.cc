#include "stage2-raftkv/raftstore/engines.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace tinykv::raftstore {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

std::string Bytes(std::initializer_list<int> bytes) {
  std::string result;
  for (const int byte : bytes) result.push_back(static_cast<char>(byte));
  return result;
}

// They are on disks: whoever changes one of these breaks every store that exists.
TEST(EngineKeys, AreTheseBytes) {
  EXPECT_EQ(StoreIdentKey(), Bytes({1, 1}));
  EXPECT_EQ(LogKey(0x102, 0x30405),
            Bytes({1, 2, 0, 0, 0, 0, 0, 0, 1, 2, 1, 0, 0, 0, 0, 0, 3, 4, 5}));
  EXPECT_EQ(RaftStateKey(7), Bytes({1, 2, 0, 0, 0, 0, 0, 0, 0, 7, 2}));
  EXPECT_EQ(ApplyStateKey(7), Bytes({1, 2, 0, 0, 0, 0, 0, 0, 0, 7, 3}));
  EXPECT_EQ(RegionStateKey(kMax), Bytes({1, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  EXPECT_EQ(FirstRegionStateKey(), Bytes({1, 3, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(EndRegionStateKey(), Bytes({1, 4}));
}

TEST(EngineKeys, OfEntriesAreInTheOrderOfIndexes) {
  const raft::Index ordered[] = {0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff'ffff, kMax - 1, kMax};
  for (size_t i = 1; i < std::size(ordered); ++i) {
    EXPECT_LT(LogKey(7, ordered[i - 1]), LogKey(7, ordered[i])) << ordered[i];
  }
}

TEST(EngineKeys, OfRegionsAreApart) {
  for (const RegionId region : {RegionId{1}, RegionId{0xff}, RegionId{0xffff}}) {
    const std::string next = LogKey(region + 1, 0);
    EXPECT_LT(LogKey(region, kMax), RaftStateKey(region));
    EXPECT_LT(RaftStateKey(region), ApplyStateKey(region));
    EXPECT_LT(ApplyStateKey(region), next);
  }
}

TEST(EngineKeys, OfRegionStatesStandTogetherAndAlone) {
  for (const RegionId region : {RegionId{0}, RegionId{1}, RegionId{0x100}, RegionId{kMax}}) {
    EXPECT_GE(RegionStateKey(region), FirstRegionStateKey());
    EXPECT_LT(RegionStateKey(region), EndRegionStateKey());
    EXPECT_LT(ApplyStateKey(region), FirstRegionStateKey());
  }
  EXPECT_LT(StoreIdentKey(), FirstRegionStateKey());
  EXPECT_LT(RegionStateKey(0xff), RegionStateKey(0x100));
}

TEST(ColumnFamilies, OfTheKvEngineAreThoseOfStorageAndOneMore) {
  EXPECT_EQ(KvColumnFamilies(), (std::vector<std::string>{"default", "lock", "write", "meta"}));
  EXPECT_EQ(RaftColumnFamilies(), (std::vector<std::string>{"default"}));
  EXPECT_EQ(EngineId(ColumnFamily::kLock), 1u);
  EXPECT_EQ(KvColumnFamilies()[kMetaFamily], "meta");
}

}  // namespace
}  // namespace tinykv::raftstore
