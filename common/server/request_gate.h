// RequestGate: counts the requests that run, refuses those over a bound, and closes.
//
// Every request passes it, from many threads, so it is two atomics and no lock.
//
// Thread-safety: safe; Close() is called once.
#pragma once

#include <atomic>
#include <cstdint>
#include <semaphore>

#include "common/env/clock.h"

namespace tinykv {

class RequestGate {
 public:
  enum class Verdict { kEntered, kFull, kClosed };

  explicit RequestGate(uint64_t requests_max) : requests_max_(requests_max) {}

  // Leave() is owed for kEntered, and for nothing else.
  Verdict Enter() {
    const uint64_t before = running_.fetch_add(1);
    if (before < requests_max_ && !closed_.load()) return Verdict::kEntered;
    Leave();
    return closed_.load() ? Verdict::kClosed : Verdict::kFull;
  }

  void Leave() {
    // Either this sees `closed_`, or Close() sees that nothing runs: both are sequentially
    // consistent.
    if (running_.fetch_sub(1) == 1 && closed_.load()) idle_.release();
  }

  // Lets nobody in any more, and waits until all have left, at most `patience`. True if they have.
  bool Close(Duration patience) {
    closed_.store(true);
    return running_.load() == 0 || idle_.try_acquire_for(patience);
  }

  uint64_t running() const { return running_.load(std::memory_order_relaxed); }

 private:
  const uint64_t requests_max_;
  std::atomic<uint64_t> running_{0};
  std::atomic<bool> closed_{false};
  std::counting_semaphore<> idle_{0};  // latecomers may empty the gate more than once
};

}  // namespace tinykv
