#include "lsm/db/garbage_filter.h"

#include <algorithm>
#include <utility>

namespace tinykv::lsm {

GarbageFilter::GarbageFilter(std::vector<SequenceNumber> snapshots, NothingBelow nothing_below)
    : snapshots_(std::move(snapshots)), nothing_below_(std::move(nothing_below)) {}

bool GarbageFilter::IsGarbage(const ParsedInternalKey& key) {
  const size_t layer = LayerOf(key.sequence);
  const bool same_key = started_ && key.user_key == user_key_;
  // Newer versions come first, so the first of a layer is its newest.
  if (same_key && layer == layer_) return true;
  if (!same_key) user_key_.assign(key.user_key);
  started_ = true;
  layer_ = layer;
  return key.type == ValueType::kDelete && layer == 0 && nothing_below_ &&
         nothing_below_(key.user_key);
}

size_t GarbageFilter::LayerOf(SequenceNumber sequence) const {
  // A snapshot sees its own number.
  return std::lower_bound(snapshots_.begin(), snapshots_.end(), sequence) - snapshots_.begin();
}

}  // namespace tinykv::lsm
