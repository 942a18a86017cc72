// A cursor over all entries of a table.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "lsm/iterator.h"
#include "lsm/table/block_reader.h"

namespace tinykv::lsm {

// Walks the blocks that `index` names; it stands at `index_offset` in the file, for messages.
// `blocks` and the bytes of `index` must outlive the iterator.
std::unique_ptr<Iterator> NewTableIterator(const BlockReader& blocks, std::string_view index,
                                           uint64_t index_offset, bool fill_cache);

}  // namespace tinykv::lsm
