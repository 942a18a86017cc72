// The union of several sorted iterators over internal keys.
#pragma once

#include <memory>
#include <vector>

#include "lsm/iterator.h"

namespace tinykv::lsm {

// Yields every entry of every child, in CompareInternalKeys order. Where two children hold the same
// internal key, the one earlier in the list comes first (callers list newer data first). An error
// of any child makes the whole iterator invalid, and status() tells it.
std::unique_ptr<Iterator> NewMergingIterator(std::vector<std::unique_ptr<Iterator>> children);

// Iterators that stand for nothing, or for an error.
std::unique_ptr<Iterator> NewEmptyIterator(absl::Status status = absl::OkStatus());

}  // namespace tinykv::lsm
