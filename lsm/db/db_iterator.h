// From versions to values: the iterator that users get.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lsm/db/tombstone_cursor.h"
#include "lsm/format/internal_key.h"
#include "lsm/iterator.h"

namespace tinykv::lsm {

struct DBIteratorOptions {
  // Sees the newest version of each key up to this number.
  SequenceNumber sequence = 0;
  // User keys in [lower_bound, upper_bound) only.
  std::optional<std::string> lower_bound = {};
  std::optional<std::string> upper_bound = {};
  // Range tombstones that hide entries of `versions`.
  TombstoneCursor::Lists tombstones = {};
  // Lives as long as the iterator: what `versions` and the tombstones' keys are in.
  std::shared_ptr<const void> pinned = {};
};

// Over user keys that have a value. `versions` is over internal keys.
std::unique_ptr<Iterator> NewDBIterator(std::unique_ptr<Iterator> versions,
                                        DBIteratorOptions options);

}  // namespace tinykv::lsm
