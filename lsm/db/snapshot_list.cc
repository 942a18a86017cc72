#include "lsm/db/snapshot_list.h"

#include <algorithm>

namespace tinykv::lsm {

// Thread-safety: compatible.
class SnapshotList::Entry final : public Snapshot {
 public:
  Entry(SnapshotList& list, SequenceNumber sequence) : list_(list), sequence_(sequence) {}

  ~Entry() override {
    MutexLock lock(list_.mutex_);
    list_.sequences_.erase(list_.sequences_.find(sequence_));
  }

  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

  SequenceNumber sequence() const override { return sequence_; }

 private:
  SnapshotList& list_;
  const SequenceNumber sequence_;
};

std::unique_ptr<const Snapshot> SnapshotList::Create(
    const std::atomic<SequenceNumber>& last_sequence) {
  MutexLock lock(mutex_);
  const SequenceNumber sequence = last_sequence.load(std::memory_order_acquire);
  sequences_.insert(sequence);
  return std::make_unique<Entry>(*this, sequence);
}

std::vector<SequenceNumber> SnapshotList::Sequences() const {
  MutexLock lock(mutex_);
  std::vector<SequenceNumber> sequences;
  std::unique_copy(sequences_.begin(), sequences_.end(), std::back_inserter(sequences));
  return sequences;
}

size_t SnapshotList::size() const {
  MutexLock lock(mutex_);
  return sequences_.size();
}

}  // namespace tinykv::lsm
