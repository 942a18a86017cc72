// BlockCache: uncompressed data blocks of sorted tables, least recently used first to go.
//
// Sharded by hash, so that readers on several cores rarely meet at one lock. A block that a reader
// still holds lives on after its eviction (shared_ptr: the last reader frees).
//
// Thread-safety: safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lsm/format/internal_key.h"

namespace tinykv::lsm {

class BlockCache {
 public:
  using Block = std::shared_ptr<const std::string>;

  explicit BlockCache(uint64_t capacity_bytes);
  ~BlockCache();

  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  // Null if it is not there.
  Block Lookup(FileNumber file, uint64_t offset);
  // Replaces a block of the same place. A block larger than a shard is not kept.
  void Insert(FileNumber file, uint64_t offset, Block block);

  uint64_t size_bytes() const;
  uint64_t hits() const;
  uint64_t misses() const;

 private:
  class Shard;
  Shard& ShardOf(FileNumber file, uint64_t offset) const;

  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace tinykv::lsm
