#include "lsm/table/block_cache.h"

#include <list>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "common/mutex.h"

namespace tinykv::lsm {
namespace {

constexpr size_t kShardsMax = 16;
// With smaller shards a few large blocks would push out everything else.
constexpr uint64_t kShardBytesMin = 1 << 20;
// What an entry costs besides its bytes, about: list and map nodes, string, reference count.
constexpr uint64_t kEntryOverheadBytes = 160;

// (file, offset)
using Place = std::pair<FileNumber, uint64_t>;

size_t ShardsFor(uint64_t capacity_bytes) {
  size_t shards = kShardsMax;
  while (shards > 1 && capacity_bytes / shards < kShardBytesMin) shards /= 2;
  return shards;
}

}  // namespace

// One part of the cache: a map to find a block, a list for its age.
// Invariant: the map holds an iterator to each entry of the list, and size_bytes_ is their sum.
//
// Thread-safety: safe.
class alignas(64) BlockCache::Shard {
 public:
  explicit Shard(uint64_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}

  Block Lookup(const Place& place) {
    MutexLock lock(mutex_);
    const auto found = map_.find(place);
    if (found == map_.end()) {
      ++misses_;
      return nullptr;
    }
    ++hits_;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->block;
  }

  void Insert(const Place& place, Block block) {
    const uint64_t charge = block->size() + kEntryOverheadBytes;
    if (charge > capacity_bytes_) return;
    std::list<Entry> evicted;  // destroyed behind the lock: freeing memory takes a while
    MutexLock lock(mutex_);
    if (const auto found = map_.find(place); found != map_.end()) {
      Evict(found->second, evicted);
    }
    while (size_bytes_ + charge > capacity_bytes_) Evict(std::prev(entries_.end()), evicted);
    entries_.push_front({place, std::move(block), charge});
    map_[place] = entries_.begin();
    size_bytes_ += charge;
  }

  uint64_t size_bytes() {
    MutexLock lock(mutex_);
    return size_bytes_;
  }
  uint64_t hits() {
    MutexLock lock(mutex_);
    return hits_;
  }
  uint64_t misses() {
    MutexLock lock(mutex_);
    return misses_;
  }

 private:
  struct Entry {
    Place place;
    Block block;
    uint64_t charge;
  };

  void Evict(std::list<Entry>::iterator entry, std::list<Entry>& evicted)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    size_bytes_ -= entry->charge;
    map_.erase(entry->place);
    evicted.splice(evicted.end(), entries_, entry);
  }

  const uint64_t capacity_bytes_;
  Mutex mutex_;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // the most recently used one first
  absl::flat_hash_map<Place, std::list<Entry>::iterator> map_ ABSL_GUARDED_BY(mutex_);
  uint64_t size_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t hits_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t misses_ ABSL_GUARDED_BY(mutex_) = 0;
};

BlockCache::BlockCache(uint64_t capacity_bytes) {
  const size_t shards = ShardsFor(capacity_bytes);
  for (size_t i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(capacity_bytes / shards));
  }
}

BlockCache::~BlockCache() = default;

BlockCache::Block BlockCache::Lookup(FileNumber file, uint64_t offset) {
  return ShardOf(file, offset).Lookup({file, offset});
}

void BlockCache::Insert(FileNumber file, uint64_t offset, Block block) {
  ShardOf(file, offset).Insert({file, offset}, std::move(block));
}

uint64_t BlockCache::size_bytes() const {
  uint64_t sum = 0;
  for (const auto& shard : shards_) sum += shard->size_bytes();
  return sum;
}

uint64_t BlockCache::hits() const {
  uint64_t sum = 0;
  for (const auto& shard : shards_) sum += shard->hits();
  return sum;
}

uint64_t BlockCache::misses() const {
  uint64_t sum = 0;
  for (const auto& shard : shards_) sum += shard->misses();
  return sum;
}

BlockCache::Shard& BlockCache::ShardOf(FileNumber file, uint64_t offset) const {
  // Two odd constants, and the top bits of their products: neighbouring blocks go apart. The map's
  // own hash is no use here, as it differs from run to run.
  const uint64_t hash = (file * 0x9e3779b97f4a7c15 ^ offset) * 0xd6e8feb86659fd93;
  return *shards_[(hash >> 60) % shards_.size()];
}

}  // namespace tinykv::lsm
