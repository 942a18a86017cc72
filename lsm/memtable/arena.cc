#include "lsm/memtable/arena.h"

#include <algorithm>

namespace tinykv::lsm {
namespace {

constexpr size_t kAlignment = alignof(void*);
constexpr size_t kBlockBytesMax = 1 << 20;

}  // namespace

char* Arena::Allocate(size_t bytes) {
  bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  bytes_used_.store(bytes_used() + bytes, std::memory_order_relaxed);
  if (bytes > free_bytes_) {
    // A large piece gets a block of its own, so that the rest of the shared one is not lost.
    if (bytes > next_block_bytes_ / 4) return AddBlock(bytes);
    free_ = AddBlock(next_block_bytes_);
    free_bytes_ = next_block_bytes_;
    // Blocks start small, since a simulation has hundreds of nearly empty memtables, and double.
    next_block_bytes_ = std::min(2 * next_block_bytes_, kBlockBytesMax);
  }
  char* result = free_;
  free_ += bytes;
  free_bytes_ -= bytes;
  return result;
}

char* Arena::AddBlock(size_t bytes) {
  blocks_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
  return blocks_.back().get();
}

}  // namespace tinykv::lsm
