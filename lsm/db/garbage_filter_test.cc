#include "lsm/db/garbage_filter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace tinykv::lsm {
namespace {

constexpr auto kPut = ValueType::kPut;
constexpr auto kDelete = ValueType::kDelete;

// The sequence numbers that stay.
std::vector<SequenceNumber> Kept(GarbageFilter filter, const std::vector<ParsedInternalKey>& keys) {
  std::vector<SequenceNumber> kept;
  for (const ParsedInternalKey& key : keys) {
    if (!filter.IsGarbage(key)) kept.push_back(key.sequence);
  }
  return kept;
}

using Numbers = std::vector<SequenceNumber>;

TEST(GarbageFilter, WithoutSnapshotsOnlyTheNewestVersionStays) {
  EXPECT_EQ(
      Kept(GarbageFilter({}),
           {{"a", 9, kPut}, {"a", 7, kDelete}, {"a", 5, kPut}, {"b", 8, kPut}, {"b", 2, kPut}}),
      (Numbers{9, 8}));
}

TEST(GarbageFilter, EachSnapshotKeepsTheVersionThatItSees) {
  const std::vector<ParsedInternalKey> keys = {
      {"a", 9, kPut}, {"a", 7, kPut}, {"a", 6, kPut}, {"a", 5, kPut}, {"a", 2, kPut}};
  EXPECT_EQ(Kept(GarbageFilter({6}), keys), (Numbers{9, 6}));
  EXPECT_EQ(Kept(GarbageFilter({5, 8}), keys), (Numbers{9, 7, 5}));
  EXPECT_EQ(Kept(GarbageFilter({1}), keys), (Numbers{9}));
  EXPECT_EQ(Kept(GarbageFilter({9}), keys), (Numbers{9}));
}

TEST(GarbageFilter, DeletionStaysWhereItMayHideSomething) {
  const auto all = [](std::string_view) { return true; };
  const auto none = [](std::string_view) { return false; };
  const std::vector<ParsedInternalKey> keys = {{"a", 9, kDelete}, {"a", 5, kPut}};
  EXPECT_EQ(Kept(GarbageFilter({}), keys), (Numbers{9}));  // nobody knows what is below
  EXPECT_EQ(Kept(GarbageFilter({}, none), keys), (Numbers{9}));
  EXPECT_EQ(Kept(GarbageFilter({}, all), keys), (Numbers{}));
  // A snapshot sees the older version, which the deletion must go on hiding from the others.
  EXPECT_EQ(Kept(GarbageFilter({6}, all), keys), (Numbers{9, 5}));
  EXPECT_EQ(Kept(GarbageFilter({9}, all), keys), (Numbers{}));
}

TEST(GarbageFilter, EmptyKeyIsAKeyLikeAnother) {
  EXPECT_EQ(Kept(GarbageFilter({}), {{"", 9, kPut}, {"", 7, kPut}}), (Numbers{9}));
}

TEST(GarbageFilter, VersionUnderARangeTombstoneGoesUnlessASnapshotLiesBetween) {
  const FragmentedTombstones tombstones({{"a", "c", 7}});
  const std::vector<ParsedInternalKey> keys = {
      {"a", 9, kPut}, {"b", 5, kPut}, {"b", 3, kPut}, {"c", 5, kPut}};
  EXPECT_EQ(Kept(GarbageFilter({}, {}, &tombstones), keys), (Numbers{9, 5}));
  EXPECT_EQ(Kept(GarbageFilter({7}, {}, &tombstones), keys), (Numbers{9, 5}));
  EXPECT_EQ(Kept(GarbageFilter({6}, {}, &tombstones), keys), (Numbers{9, 5, 5}));
  EXPECT_EQ(Kept(GarbageFilter({4}, {}, &tombstones), keys), (Numbers{9, 3, 5}));
}

TEST(GarbageFilter, OfRangeTombstonesTheNewestOfEachLayerStaysWhileThereIsSomethingToHide) {
  const FragmentedTombstones tombstones({{"a", "c", 9}, {"a", "c", 7}, {"a", "c", 5}});
  const auto needed = [&tombstones](const Numbers& snapshots, bool nothing_below) {
    Numbers numbers;
    const GarbageFilter filter(snapshots, {}, &tombstones);
    for (const RangeTombstone& tombstone : filter.NeededTombstones(
             [nothing_below](const RangeTombstone&) { return nothing_below; })) {
      numbers.push_back(tombstone.sequence);
    }
    return numbers;
  };
  EXPECT_EQ(needed({}, false), (Numbers{9}));
  EXPECT_EQ(needed({}, true), (Numbers{}));
  EXPECT_EQ(needed({8}, false), (Numbers{9, 7}));
  EXPECT_EQ(needed({8}, true), (Numbers{9}));
  EXPECT_EQ(needed({5, 7}, true), (Numbers{9, 7}));
  EXPECT_EQ(needed({4}, true), (Numbers{9}));
}

using Versions = std::map<SequenceNumber, bool, std::greater<>>;  // of one key: is it a value?

// What a reader at `sequence` finds.
std::optional<SequenceNumber> Visible(const Versions& versions, SequenceNumber sequence) {
  const auto it = versions.lower_bound(sequence);
  if (it == versions.end() || !it->second) return std::nullopt;
  return it->first;
}

// From a list that may have equal ones: a set that is drawn as such gives up where there are not
// enough numbers for its size.
rc::Gen<std::set<SequenceNumber>> ArbitraryNumbers() {
  return rc::gen::map(rc::gen::container<Numbers>(rc::gen::inRange<SequenceNumber>(1, 30)),
                      [](const Numbers& numbers) {
                        return std::set<SequenceNumber>(numbers.begin(), numbers.end());
                      });
}

// The same with range tombstones over the one key, which hide versions and may go themselves.
RC_GTEST_PROP(GarbageFilterProperty, NoReaderNoticesThatRangeTombstonesGo, ()) {
  const auto values = *ArbitraryNumbers();
  const auto snapshots = *ArbitraryNumbers();
  std::vector<RangeTombstone> tombstones;
  for (const SequenceNumber sequence : *ArbitraryNumbers()) {
    if (!values.contains(sequence)) tombstones.push_back({"a", "z", sequence});
  }
  const FragmentedTombstones fragmented(tombstones);
  const auto all = [](const auto&) { return true; };
  GarbageFilter filter({snapshots.begin(), snapshots.end()}, all, &fragmented);
  std::map<SequenceNumber, bool, std::greater<>> before;
  std::map<SequenceNumber, bool, std::greater<>> after;
  for (const RangeTombstone& tombstone : tombstones) before[tombstone.sequence] = false;
  for (const RangeTombstone& tombstone : filter.NeededTombstones(all)) {
    after[tombstone.sequence] = false;
  }
  for (auto it = values.rbegin(); it != values.rend(); ++it) {
    before[*it] = true;
    if (!filter.IsGarbage({"k", *it, kPut})) after[*it] = true;
  }
  Numbers readers(snapshots.begin(), snapshots.end());
  readers.push_back(kMaxSequenceNumber);
  for (const SequenceNumber reader : readers) {
    RC_ASSERT(Visible(after, reader) == Visible(before, reader));
  }
}

RC_GTEST_PROP(GarbageFilterProperty, NoReaderNoticesAndEveryValueKeptHasAReader, ()) {
  Versions versions;
  for (const SequenceNumber sequence : *ArbitraryNumbers()) {
    versions[sequence] = *rc::gen::arbitrary<bool>();
  }
  const auto distinct = *ArbitraryNumbers();
  GarbageFilter filter({distinct.begin(), distinct.end()}, [](std::string_view) { return true; });
  Versions kept;
  for (const auto& [sequence, put] : versions) {
    if (!filter.IsGarbage({"k", sequence, put ? kPut : kDelete})) kept[sequence] = put;
  }
  Numbers readers(distinct.begin(), distinct.end());
  readers.push_back(kMaxSequenceNumber);
  for (const SequenceNumber reader : readers) {
    RC_ASSERT(Visible(kept, reader) == Visible(versions, reader));
  }
  for (const auto& [sequence, put] : kept) {
    const bool seen = std::any_of(readers.begin(), readers.end(), [&](SequenceNumber reader) {
      return Visible(versions, reader) == sequence;
    });
    RC_ASSERT(seen || !put);
  }
}

}  // namespace
}  // namespace tinykv::lsm
