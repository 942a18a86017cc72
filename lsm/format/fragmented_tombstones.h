// FragmentedTombstones: range tombstones, cut so that a binary search finds those that cover a key.
//
// Tombstones overlap as they please. They are cut wherever one of them begins or ends; then two
// pieces cover the same keys or have none in common, and those that cover the same make one
// fragment with several sequence numbers:
//
//     [a, e) at 7, [c, g) at 9    make    [a, c): 7    [c, e): 9, 7    [e, g): 9
//
// Thread-safety: immutable.
#pragma once

#include <string_view>
#include <vector>

#include "lsm/format/range_tombstone.h"

namespace tinykv::lsm {

class FragmentedTombstones {
 public:
  struct Fragment {
    std::string_view begin;
    std::string_view end;
    std::vector<SequenceNumber> sequences;  // newest first

    // Of the tombstones here that a reader at `sequence` sees, the newest; 0 if it sees none.
    SequenceNumber Newest(SequenceNumber sequence) const;
  };

  // A piece of the key space that is one fragment, or lies between two.
  struct Stretch {
    std::string_view begin;
    std::string_view end;
    const Fragment* fragment = nullptr;  // null: no tombstone is here
  };

  // The bytes of the keys must outlive the object. Empty ranges cover nothing.
  explicit FragmentedTombstones(std::vector<RangeTombstone> tombstones);

  // Disjoint, in key order.
  const std::vector<Fragment>& fragments() const { return fragments_; }
  bool empty() const { return fragments_.empty(); }

  Stretch StretchOf(std::string_view user_key) const;

  // The newest tombstone that covers `user_key` and that a reader at `sequence` sees; 0 if there is
  // none.
  SequenceNumber Newest(std::string_view user_key, SequenceNumber sequence) const;

  // Every fragment as tombstones, in key order, newer ones of a fragment first.
  std::vector<RangeTombstone> ToTombstones() const;

 private:
  std::vector<Fragment> fragments_;
};

}  // namespace tinykv::lsm
