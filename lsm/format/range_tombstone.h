// RangeTombstone: the mark that a range delete leaves. It hides every older version of the keys in
// [begin, end).
//
// An end is a key, or empty for the end of the key space. Nothing comes before the empty key, so no
// range needs it as its end.
#pragma once

#include <string>
#include <string_view>

#include "lsm/format/internal_key.h"

namespace tinykv::lsm {

struct RangeTombstone {
  std::string_view begin;
  std::string_view end;
  SequenceNumber sequence = 0;
};

inline bool IsBeforeEnd(std::string_view user_key, std::string_view end) {
  return end.empty() || user_key < end;
}

inline std::string_view EarlierEnd(std::string_view a, std::string_view b) {
  return IsBeforeEnd(a, b) && !a.empty() ? a : b;
}

// The bounds of a table are two internal keys, and its tombstones count. Where one reaches furthest
// to the left, the smallest is [its begin | its sequence number, kDeleteRange]. Where one reaches
// furthest to the right, the largest is [its end | kMaxSequenceNumber, kDeleteRange], which comes
// before every version of that key: an end is not part of its range.
std::string SmallestOf(const RangeTombstone& tombstone);
std::string LargestOf(const RangeTombstone& tombstone);

// Does the upper bound of a table mean that it has no end?
bool IsEndless(std::string_view largest);

// Negative, zero or positive, as the upper bound `a` of a table comes before, is, or comes after
// `b`.
int CompareLargest(std::string_view a, std::string_view b);

}  // namespace tinykv::lsm
