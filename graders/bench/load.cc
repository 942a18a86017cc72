#include "graders/bench/load.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "common/check.h"
#include "common/mutex.h"

namespace tinykv::bench {
namespace {

struct Slot {
  std::vector<uint32_t> latencies_us;
  uint64_t errors = 0;
  std::string first_error;
  Duration started{};
};

class Loop {
 public:
  Loop(const LoadOptions& options, const Clock& clock, const StartCall& start)
      : clock_(clock),
        start_(start),
        deadline_(clock.Now() + options.duration),
        calls_(options.calls),
        slots_(options.calls == 0 ? options.in_flight
                                  : std::min<uint64_t>(options.calls, options.in_flight)),
        started_(slots_.size()),
        running_(slots_.size()) {}

  LoadResult Run() {
    const Duration begin = clock_.Now();
    for (uint32_t i = 0; i < slots_.size(); ++i) Next(i);
    {
      MutexLock lock(mutex_);
      while (running_ > 0) ended_.Wait(mutex_);
    }
    return Collect(clock_.Now() - begin);
  }

 private:
  void Next(uint32_t slot) {
    slots_[slot].started = clock_.Now();
    start_(slot, [this, slot](std::string error) { OnDone(slot, std::move(error)); });
  }

  void OnDone(uint32_t slot, std::string error) {
    Slot& s = slots_[slot];
    const Duration now = clock_.Now();
    const auto latency = std::chrono::duration_cast<std::chrono::microseconds>(now - s.started);
    s.latencies_us.push_back(static_cast<uint32_t>(latency.count()));
    if (!error.empty() && s.errors++ == 0) s.first_error = std::move(error);
    if (GoesOn(now)) {
      Next(slot);
      return;
    }
    MutexLock lock(mutex_);
    if (--running_ == 0) ended_.NotifyAll();
  }

  // Whether to start one more call.
  bool GoesOn(Duration now) {
    return calls_ == 0 ? now < deadline_ : started_.fetch_add(1) < calls_;
  }

  LoadResult Collect(Duration elapsed) {
    LoadResult result;
    result.seconds = std::chrono::duration<double>(elapsed).count();
    for (Slot& slot : slots_) {
      result.errors += slot.errors;
      if (result.first_error.empty()) result.first_error = slot.first_error;
      result.latencies_us.insert(result.latencies_us.end(), slot.latencies_us.begin(),
                                 slot.latencies_us.end());
    }
    result.operations = result.latencies_us.size() - result.errors;
    std::sort(result.latencies_us.begin(), result.latencies_us.end());
    return result;
  }

  const Clock& clock_;
  const StartCall& start_;
  const Duration deadline_;
  const uint64_t calls_;
  std::vector<Slot> slots_;  // a slot belongs to its call: no lock
  std::atomic<uint64_t> started_;

  Mutex mutex_;
  CondVar ended_;
  size_t running_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

double LoadResult::LatencyMs(double fraction) const {
  if (latencies_us.empty()) return 0;
  const auto last = static_cast<double>(latencies_us.size() - 1);
  return latencies_us[static_cast<size_t>(fraction * last)] / 1000.0;
}

LoadResult RunLoad(const LoadOptions& options, const Clock& clock, const StartCall& start) {
  TKV_CHECK(options.in_flight > 0);
  return Loop(options, clock, start).Run();
}

}  // namespace tinykv::bench
