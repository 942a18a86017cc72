// One iterator over the tables of a sorted level, end to end.
#pragma once

#include <memory>
#include <span>

#include "lsm/iterator.h"
#include "lsm/version/table_file.h"

namespace tinykv::lsm {

// Over internal keys. Reads a table only when it gets there, so that a scan of a few keys touches
// one table of the level. `tables` are disjoint, in key order, and outlive the iterator.
std::unique_ptr<Iterator> NewLevelIterator(std::span<const std::shared_ptr<const TableFile>> tables,
                                           bool fill_cache);

}  // namespace tinykv::lsm
