// TombstoneList: the range tombstones of one column family in a memtable.
//
// They are kept as they come. Readers need them fragmented, so the first reader after a new one
// does that for all readers: a burst of range deletes costs no more than one.
//
// Thread-safety: Add() by one thread at a time; Get() is safe, also during Add().
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "common/mutex.h"
#include "lsm/format/fragmented_tombstones.h"
#include "lsm/memtable/arena.h"

namespace tinykv::lsm {

class TombstoneList {
 public:
  // `arena` must outlive the list and is used by no other thread while Add() runs.
  explicit TombstoneList(Arena& arena) : arena_(arena) {}

  TombstoneList(const TombstoneList&) = delete;
  TombstoneList& operator=(const TombstoneList&) = delete;

  // Copies the keys into the arena.
  void Add(const RangeTombstone& tombstone);

  // All so far; null if there are none. The arena must outlive them.
  std::shared_ptr<const FragmentedTombstones> Get() const;

 private:
  std::string_view Copy(std::string_view bytes);

  Arena& arena_;
  std::atomic<bool> empty_ = true;  // spares readers the lock as long as nobody deletes ranges
  mutable Mutex mutex_;
  std::vector<RangeTombstone> tombstones_ ABSL_GUARDED_BY(mutex_);
  // Null if it does not have the newest.
  mutable std::shared_ptr<const FragmentedTombstones> fragmented_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tinykv::lsm
