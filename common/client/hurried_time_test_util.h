// HurriedTime: time for clients that must not make a test wait.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "common/env/clock.h"
#include "common/env/executor.h"
#include "common/mutex.h"

namespace tinykv {

// A timer is due at once, and the clock jumps to where it would have been due.
//
// Thread-safety: safe.
class HurriedTime final : public Clock, public Executor {
 public:
  Duration Now() const override {
    MutexLock lock(mutex_);
    return now_;
  }
  int64_t UnixMillis() const override { return 0; }

  void Post(Task task) override { thread_->Post(std::move(task)); }
  void PostAfter(Duration delay, Task task) override {
    {
      MutexLock lock(mutex_);
      now_ += delay;
    }
    thread_->Post(std::move(task));
  }
  bool RunOne() override { return false; }

 private:
  mutable Mutex mutex_;
  Duration now_ ABSL_GUARDED_BY(mutex_) = {};
  std::unique_ptr<Executor> thread_ = MakeThreadExecutor({});
};

}  // namespace tinykv
