// TombstoneCursor: which range tombstone hides a key from one reader, over several lists of them.
//
// A scan asks for one key after the other, and hardly ever does the answer change: so the cursor
// keeps it with the stretch of the key space for which it holds.
//
// Thread-safety: none.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "lsm/format/fragmented_tombstones.h"

namespace tinykv::lsm {

class TombstoneCursor {
 public:
  using Lists = std::vector<std::shared_ptr<const FragmentedTombstones>>;

  // For a reader at `sequence`. What the lists' keys stand in must outlive the cursor.
  TombstoneCursor(Lists lists, SequenceNumber sequence)
      : lists_(std::move(lists)), sequence_(sequence) {}

  // The newest tombstone over `user_key` that the reader sees; 0 if there is none.
  SequenceNumber Newest(std::string_view user_key) {
    if (lists_.empty()) return 0;
    if (!known_ || user_key < begin_ || !IsBeforeEnd(user_key, end_)) Search(user_key);
    return newest_;
  }

 private:
  void Search(std::string_view user_key);

  const Lists lists_;
  const SequenceNumber sequence_;
  bool known_ = false;
  std::string_view begin_;  // of the stretch
  std::string_view end_;
  SequenceNumber newest_ = 0;  // in the stretch
};

}  // namespace tinykv::lsm
