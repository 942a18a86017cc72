#include "lsm/format/range_tombstone.h"

namespace tinykv::lsm {

std::string SmallestOf(const RangeTombstone& tombstone) {
  return EncodeInternalKey({tombstone.begin, tombstone.sequence, ValueType::kDeleteRange});
}

std::string LargestOf(const RangeTombstone& tombstone) {
  return EncodeInternalKey({tombstone.end, kMaxSequenceNumber, ValueType::kDeleteRange});
}

bool IsEndless(std::string_view largest) {
  // Of the right length first: that is all that most bounds are asked.
  return largest.size() == kInternalKeyTrailerBytes && largest == LargestOf({});
}

int CompareLargest(std::string_view a, std::string_view b) {
  const bool a_endless = IsEndless(a);
  const bool b_endless = IsEndless(b);
  if (a_endless || b_endless) return static_cast<int>(a_endless) - static_cast<int>(b_endless);
  return CompareInternalKeys(a, b);
}

}  // namespace tinykv::lsm
