#include "lsm/memtable/tombstone_list.h"

#include <cstring>

namespace tinykv::lsm {

void TombstoneList::Add(const RangeTombstone& tombstone) {
  const RangeTombstone copy = {Copy(tombstone.begin), Copy(tombstone.end), tombstone.sequence};
  MutexLock lock(mutex_);
  tombstones_.push_back(copy);
  fragmented_ = nullptr;
  empty_.store(false, std::memory_order_release);
}

std::shared_ptr<const FragmentedTombstones> TombstoneList::Get() const {
  if (empty_.load(std::memory_order_acquire)) return nullptr;
  MutexLock lock(mutex_);
  if (fragmented_ == nullptr) {
    fragmented_ = std::make_shared<const FragmentedTombstones>(tombstones_);
  }
  return fragmented_;
}

std::string_view TombstoneList::Copy(std::string_view bytes) {
  char* copy = arena_.Allocate(bytes.size());
  // The empty key may come with a null pointer, which memcpy must not get.
  if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
  return {copy, bytes.size()};
}

}  // namespace tinykv::lsm
