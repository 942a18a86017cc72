// ReadState: where the data of the database is at one moment.
//
// Immutable but for the newest memtable, which only gains writes; those that a reader must not see
// yet have larger sequence numbers than its own.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "common/mutex.h"
#include "lsm/memtable/memtable.h"
#include "lsm/version/version.h"

namespace tinykv::lsm {

struct ReadState {
  std::shared_ptr<const MemTable> memtable;
  std::vector<std::shared_ptr<const MemTable>> immutables;  // full ones, newest first
  std::shared_ptr<const Version> version;
};

// The current state, for readers to copy. It has a lock of its own, held for nothing but the copy,
// so that readers do not wait for whatever the DB does under its lock.
//
// Thread-safety: safe.
class ReadStateHolder {
 public:
  std::shared_ptr<const ReadState> Load() const {
    MutexLock lock(mutex_);
    return state_;
  }

  // Returns the state before. Dropping that may free memtables and remove files, so the caller does
  // it when it holds no lock.
  [[nodiscard]] std::shared_ptr<const ReadState> Exchange(std::shared_ptr<const ReadState> state) {
    MutexLock lock(mutex_);
    return std::exchange(state_, std::move(state));
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const ReadState> state_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tinykv::lsm
