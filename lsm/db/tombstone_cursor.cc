#include "lsm/db/tombstone_cursor.h"

#include <algorithm>

namespace tinykv::lsm {

void TombstoneCursor::Search(std::string_view user_key) {
  known_ = true;
  begin_ = {};
  end_ = {};
  newest_ = 0;
  for (const auto& list : lists_) {
    const FragmentedTombstones::Stretch stretch = list->StretchOf(user_key);
    begin_ = std::max(begin_, stretch.begin);
    end_ = EarlierEnd(end_, stretch.end);
    if (stretch.fragment != nullptr) {
      newest_ = std::max(newest_, stretch.fragment->Newest(sequence_));
    }
  }
}

}  // namespace tinykv::lsm
