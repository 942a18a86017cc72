// Arena: memory that is handed out in small pieces and given back all at once.
//
// A memtable makes an allocation for every write and frees none of them before all: carving them
// out of large blocks is several times faster than malloc, and neighbours in time are neighbours in
// memory.
//
// Thread-safety: Allocate() by one thread at a time; bytes_used() is safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace tinykv::lsm {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // `bytes` uninitialized bytes, aligned for a pointer, that live as long as the arena.
  char* Allocate(size_t bytes);

  // What has been handed out so far. It depends on nothing but the calls made, not on how blocks
  // happened to be filled, so a memtable is full at the same write in every run.
  uint64_t bytes_used() const { return bytes_used_.load(std::memory_order_relaxed); }

 private:
  struct Release {
    std::align_val_t alignment;
    void operator()(char* block) const { ::operator delete(block, alignment); }
  };

  char* AddBlock(size_t bytes);

  std::vector<std::unique_ptr<char, Release>> blocks_;
  size_t next_block_bytes_ = 4 << 10;
  char* free_ = nullptr;  // the unused end of the newest shared block
  size_t free_bytes_ = 0;
  std::atomic<uint64_t> bytes_used_ = 0;
};

}  // namespace tinykv::lsm
