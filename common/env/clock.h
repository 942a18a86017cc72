// Clock: the door to time. Nothing else in the project reads a clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace tinykv {

using Duration = std::chrono::nanoseconds;

// Thread-safety: safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Time since some fixed moment; never goes back, not even when the machine's date is set.
  virtual Duration Now() const = 0;

  // The date, in milliseconds since 1970. May jump.
  virtual int64_t UnixMillis() const = 0;
};

// The machine's own clock. Lives as long as the process.
Clock& SystemClock();

}  // namespace tinykv
