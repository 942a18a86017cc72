// GarbageFilter: tells a flush or compaction which versions no reader can see any more.
//
// Snapshots cut time into layers: all versions of a key between two neighbouring snapshots are seen
// by the same readers, who look at the newest of them only. So
//   1. of each key, the newest version in each layer stays, and the others go;
//   2. a deletion in the oldest layer goes as well, if nothing older of the key is below the
//      output: there is nothing left for it to hide;
//   3. a version goes that is older than a range tombstone over its key, in the same layer;
//   4. of the range tombstones over one range, the newest in each layer stays; in the oldest layer
//      it goes as well, if nothing in its range is below the output.
// The newest layer has no snapshot above it; it is what readers of the present see.
//
// Thread-safety: none.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "lsm/format/fragmented_tombstones.h"
#include "lsm/format/internal_key.h"

namespace tinykv::lsm {

class GarbageFilter {
 public:
  using NothingBelow = std::function<bool(std::string_view user_key)>;

  using NothingBelowRange = absl::FunctionRef<bool(const RangeTombstone& tombstone)>;

  // `snapshots` are ascending. `nothing_below` says that no level below the output can hold a
  // version of the key; null means that nobody knows. `tombstones` are those of the input; null
  // means that there are none, and they must outlive the filter.
  explicit GarbageFilter(std::vector<SequenceNumber> snapshots, NothingBelow nothing_below = {},
                         const FragmentedTombstones* tombstones = nullptr);

  // REQUIRES: keys come in CompareInternalKeys order.
  bool IsGarbage(const ParsedInternalKey& key);

  // The range tombstones that stay, in key order. `nothing_below` says that no level below the
  // output can hold a version of a key in the range.
  std::vector<RangeTombstone> NeededTombstones(NothingBelowRange nothing_below) const;

 private:
  // Counted from the oldest, 0.
  size_t LayerOf(SequenceNumber sequence) const;
  // By a range tombstone of `layer`, which is that of `key`.
  bool IsHidden(const ParsedInternalKey& key, size_t layer) const;

  const std::vector<SequenceNumber> snapshots_;
  const NothingBelow nothing_below_;
  const FragmentedTombstones* const tombstones_;
  bool started_ = false;
  std::string user_key_;  // of the last key
  size_t layer_ = 0;      // of the last key
};

}  // namespace tinykv::lsm
