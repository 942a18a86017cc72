// SnapshotList: the live snapshots, so that flushes and compactions keep what they see.
//
// Thread-safety: safe.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <vector>

#include "common/mutex.h"
#include "lsm/db.h"

namespace tinykv::lsm {

class SnapshotList {
 public:
  // A snapshot of `last_sequence`. The number is read under the list's lock: whoever called
  // Sequences() before sees only data with sequence numbers up to the new snapshot's, and of those
  // the newest of each key is always kept. The list must outlive the snapshot.
  std::unique_ptr<const Snapshot> Create(const std::atomic<SequenceNumber>& last_sequence);

  // Of all live snapshots, ascending, each once.
  std::vector<SequenceNumber> Sequences() const;

  size_t size() const;

 private:
  class Entry;

  mutable Mutex mutex_;
  std::multiset<SequenceNumber> sequences_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tinykv::lsm
