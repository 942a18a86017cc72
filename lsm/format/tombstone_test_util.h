// For tests of range tombstones: arbitrary ones, and what they must hide.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "lsm/format/range_tombstone.h"

namespace tinykv::lsm {

struct TestRange {
  std::string begin;
  std::string end;
};

inline rc::Gen<std::vector<TestRange>> ArbitraryRanges() {
  const auto key = rc::gen::element<std::string>("", "a", "aa", "b", "c", "d", "\xff");
  return rc::gen::container<std::vector<TestRange>>(rc::gen::construct<TestRange>(key, key));
}

// The i-th gets the number `sequence` + i. `ranges` must outlive them.
inline std::vector<RangeTombstone> TombstonesOf(const std::vector<TestRange>& ranges,
                                                SequenceNumber sequence) {
  std::vector<RangeTombstone> tombstones;
  for (const TestRange& range : ranges) tombstones.push_back({range.begin, range.end, sequence++});
  return tombstones;
}

// The newest that covers `key`, of those up to `sequence`; 0 if there is none.
inline SequenceNumber NewestOf(const std::vector<RangeTombstone>& tombstones, std::string_view key,
                               SequenceNumber sequence) {
  SequenceNumber newest = 0;
  for (const RangeTombstone& tombstone : tombstones) {
    const bool covers = tombstone.begin <= key && IsBeforeEnd(key, tombstone.end);
    if (covers && tombstone.sequence <= sequence) newest = std::max(newest, tombstone.sequence);
  }
  return newest;
}

// Keys at, between and around the ends of those ranges.
inline const std::vector<std::string> kProbes = {"",   "a", "aa", "aaa", "b",
                                                 "bb", "c", "d",  "z",   "\xff"};

}  // namespace tinykv::lsm
