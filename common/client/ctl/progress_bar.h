// ProgressBar: how far a load or dump is, on the last line of a terminal.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "common/env/clock.h"

namespace tinykv::ctl {

struct Progress {
  std::string_view label = {};
  uint64_t records = 0;
  uint64_t bytes = 0;
  uint64_t bytes_total = 0;  // 0: unknown, and then there is no bar and no time that is left
  Duration elapsed = {};
};

// The line without its end, at most `columns` long:
//   load  [=======>            ]  38%  12,000 records  4,000/s  1.2 MB/s  ETA 0:05
std::string ProgressLine(const Progress& progress, size_t columns);

// "12,345,678".
std::string WithThousands(uint64_t number);

// "1.2 MB"; powers of ten.
std::string BytesText(double bytes);

// Thread-safety: none.
class ProgressBar {
 public:
  // Draws only if `enabled`, which says that `terminal` is the terminal of standard error.
  // Both must outlive the bar.
  ProgressBar(std::string_view label, std::ostream& terminal, const Clock& clock, bool enabled);
  ~ProgressBar();  // erases the line

  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void SetBytesTotal(uint64_t bytes_total) { progress_.bytes_total = bytes_total; }

  // Draws if the last time is long enough ago; so call it as often as you like.
  void Update(uint64_t records, uint64_t bytes);

 private:
  std::ostream& terminal_;
  const Clock& clock_;
  const bool enabled_;
  const Duration start_;
  Duration next_draw_;
  Progress progress_;
};

}  // namespace tinykv::ctl
