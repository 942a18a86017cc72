#include "graders/sim/sim_executor.h"

#include <algorithm>

namespace tinykv::sim {

void SimExecutor::PostAfter(Duration delay, Task task) {
  const Duration due = clock_.Now() + std::max(delay, Duration::zero());
  delayed_.emplace(std::pair(due, ++delayed_posts_), std::move(task));
}

bool SimExecutor::RunOne() {
  if (RunReady()) return true;
  if (delayed_.empty()) {
    if (stuck_hook_) stuck_hook_();
    return false;
  }
  clock_.Advance(delayed_.begin()->first.first - clock_.Now());
  return RunReady();
}

void SimExecutor::RunUntilIdle() {
  while (RunReady()) {
  }
}

void SimExecutor::RunFor(Duration time) {
  const Duration end = clock_.Now() + time;
  RunUntilIdle();
  while (!delayed_.empty() && delayed_.begin()->first.first <= end) {
    RunOne();
    RunUntilIdle();  // what it has posted may be all there is
  }
  if (clock_.Now() < end) clock_.Advance(end - clock_.Now());
}

void SimExecutor::Clear() {
  // Destroying a task may post another.
  while (!ready_.empty() || !delayed_.empty()) {
    std::exchange(ready_, {});
    std::exchange(delayed_, {});
  }
}

bool SimExecutor::RunReady() {
  WakeDue();
  if (ready_.empty()) return false;
  const size_t chosen = random_ ? random_->Uniform(ready_.size()) : 0;
  Task task = std::move(ready_[chosen]);
  ready_.erase(ready_.begin() + static_cast<ptrdiff_t>(chosen));
  ++run_count_;
  task();
  return true;
}

void SimExecutor::WakeDue() {
  while (!delayed_.empty() && delayed_.begin()->first.first <= clock_.Now()) {
    ready_.push_back(std::move(delayed_.begin()->second));
    delayed_.erase(delayed_.begin());
  }
}

}  // namespace tinykv::sim
