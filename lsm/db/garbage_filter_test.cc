#include "lsm/db/garbage_filter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <optional>

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

using Versions = std::map<SequenceNumber, bool, std::greater<>>;  // of one key: is it a value?

// What a reader at `sequence` finds.
std::optional<SequenceNumber> Visible(const Versions& versions, SequenceNumber sequence) {
  const auto it = versions.lower_bound(sequence);
  if (it == versions.end() || !it->second) return std::nullopt;
  return it->first;
}

RC_GTEST_PROP(GarbageFilterProperty, NoReaderNoticesAndEveryValueKeptHasAReader, ()) {
  const auto number = rc::gen::inRange<SequenceNumber>(1, 30);
  Versions versions;
  for (const auto& [sequence, put] :
       *rc::gen::container<std::map<SequenceNumber, bool>>(number, rc::gen::arbitrary<bool>())) {
    versions[sequence] = put;
  }
  const auto distinct = *rc::gen::container<std::set<SequenceNumber>>(number);
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
