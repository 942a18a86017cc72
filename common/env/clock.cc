#include "common/env/clock.h"

namespace tinykv {
namespace {

class RealClock final : public Clock {
 public:
  Duration Now() const override { return std::chrono::steady_clock::now().time_since_epoch(); }

  int64_t UnixMillis() const override {
    const auto date = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(date).count();
  }
};

}  // namespace

Clock& SystemClock() {
  static RealClock clock;
  return clock;
}

}  // namespace tinykv
