#include "lsm/db/garbage_filter.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace tinykv::lsm {

GarbageFilter::GarbageFilter(std::vector<SequenceNumber> snapshots, NothingBelow nothing_below,
                             const FragmentedTombstones* tombstones)
    : snapshots_(std::move(snapshots)),
      nothing_below_(std::move(nothing_below)),
      tombstones_(tombstones) {}

bool GarbageFilter::IsGarbage(const ParsedInternalKey& key) {
  const size_t layer = LayerOf(key.sequence);
  const bool same_key = started_ && key.user_key == user_key_;
  // Newer versions come first, so the first of a layer is its newest.
  if (same_key && layer == layer_) return true;
  if (!same_key) user_key_.assign(key.user_key);
  started_ = true;
  layer_ = layer;
  if (IsHidden(key, layer)) return true;
  return key.type == ValueType::kDelete && layer == 0 && nothing_below_ &&
         nothing_below_(key.user_key);
}

std::vector<RangeTombstone> GarbageFilter::NeededTombstones(NothingBelowRange nothing_below) const {
  std::vector<RangeTombstone> needed;
  if (tombstones_ == nullptr) return needed;
  for (const FragmentedTombstones::Fragment& fragment : tombstones_->fragments()) {
    std::optional<size_t> layer_before;
    for (const SequenceNumber sequence : fragment.sequences) {
      const size_t layer = LayerOf(sequence);
      const bool newest_of_layer = layer != layer_before;
      layer_before = layer;
      const RangeTombstone tombstone = {fragment.begin, fragment.end, sequence};
      if (newest_of_layer && (layer > 0 || !nothing_below(tombstone))) needed.push_back(tombstone);
    }
  }
  return needed;
}

bool GarbageFilter::IsHidden(const ParsedInternalKey& key, size_t layer) const {
  if (tombstones_ == nullptr) return false;
  const SequenceNumber newest_of_layer =
      layer < snapshots_.size() ? snapshots_[layer] : kMaxSequenceNumber;
  return tombstones_->Newest(key.user_key, newest_of_layer) > key.sequence;
}

size_t GarbageFilter::LayerOf(SequenceNumber sequence) const {
  // A snapshot sees its own number.
  return std::lower_bound(snapshots_.begin(), snapshots_.end(), sequence) - snapshots_.begin();
}

}  // namespace tinykv::lsm
