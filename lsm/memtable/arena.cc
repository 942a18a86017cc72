#include "lsm/memtable/arena.h"

#include <sys/mman.h>

#include <algorithm>

namespace tinykv::lsm {
namespace {

constexpr size_t kHugePageBytes = 2 << 20;
constexpr size_t kAlignment = alignof(void*);
constexpr size_t kBlockBytesMax = kHugePageBytes;

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
  // A full block is one huge page where the system has them: a search in a skip list jumps all over
  // its memory, and with small pages most jumps miss the processor's table of pages too.
  const bool huge = bytes == kHugePageBytes;
  const std::align_val_t alignment{huge ? kHugePageBytes : kAlignment};
  char* block = static_cast<char*>(::operator new(bytes, alignment));
  blocks_.emplace_back(block, Release{alignment});
  if (huge) madvise(block, bytes, MADV_HUGEPAGE);  // advice: nothing is lost where it is refused
  return block;
}

}  // namespace tinykv::lsm
