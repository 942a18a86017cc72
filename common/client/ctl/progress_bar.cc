#include "common/client/ctl/progress_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "common/strings.h"

namespace tinykv::ctl {
namespace {

constexpr Duration kDrawInterval = std::chrono::milliseconds(100);
constexpr size_t kBarColumns = 20;

size_t TerminalColumns() {
  winsize size = {};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

std::string TimeText(double seconds) {
  const auto whole = static_cast<uint64_t>(seconds);
  char text[64];
  if (whole >= 3600) {
    std::snprintf(text, sizeof(text), "%llu:%02u:%02u", whole / 3600ull,
                  static_cast<unsigned>(whole / 60 % 60), static_cast<unsigned>(whole % 60));
  } else {
    std::snprintf(text, sizeof(text), "%u:%02u", static_cast<unsigned>(whole / 60),
                  static_cast<unsigned>(whole % 60));
  }
  return text;
}

std::string BarText(double fraction) {
  const auto full = static_cast<size_t>(fraction * kBarColumns);
  std::string bar(full, '=');
  if (full < kBarColumns) bar += '>';
  bar.resize(kBarColumns, ' ');
  char percent[16];
  std::snprintf(percent, sizeof(percent), "%3d%%", static_cast<int>(fraction * 100));
  return Concat('[', bar, "] ", percent);
}

}  // namespace

std::string ProgressLine(const Progress& progress, size_t columns) {
  const double seconds = std::chrono::duration<double>(progress.elapsed).count();
  const double per_second = seconds > 0 ? 1 / seconds : 0;
  std::string line(progress.label);
  if (progress.bytes_total > 0) {
    // A file that grows while it is read ends at 100 %.
    const uint64_t total = std::max(progress.bytes_total, progress.bytes);
    line += "  " + BarText(static_cast<double>(progress.bytes) / static_cast<double>(total));
  }
  line += Concat(
      "  ", WithThousands(progress.records), " records  ",
      WithThousands(static_cast<uint64_t>(static_cast<double>(progress.records) * per_second)),
      "/s  ", BytesText(static_cast<double>(progress.bytes) * per_second), "/s  ");
  if (progress.bytes_total == 0) {
    line += TimeText(seconds);
  } else if (progress.bytes > 0) {
    const uint64_t left = std::max(progress.bytes_total, progress.bytes) - progress.bytes;
    const double seconds_a_byte = seconds / static_cast<double>(progress.bytes);
    line += Concat("ETA ", TimeText(static_cast<double>(left) * seconds_a_byte));
  }
  return line.substr(0, columns);
}

std::string WithThousands(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

std::string BytesText(double bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  for (; bytes >= 999.5 && unit + 1 < std::size(kUnits); ++unit) bytes /= 1000;
  char text[32];
  std::snprintf(text, sizeof(text), unit == 0 || bytes >= 99.95 ? "%.0f %s" : "%.1f %s", bytes,
                kUnits[unit]);
  return text;
}

ProgressBar::ProgressBar(std::string_view label, std::ostream& terminal, const Clock& clock,
                         bool enabled)
    : terminal_(terminal),
      clock_(clock),
      enabled_(enabled),
      start_(clock.Now()),
      next_draw_(start_),
      progress_{.label = label} {}

ProgressBar::~ProgressBar() {
  if (enabled_) terminal_ << "\r\x1b[K" << std::flush;
}

void ProgressBar::Update(uint64_t records, uint64_t bytes) {
  if (!enabled_) return;
  const Duration now = clock_.Now();
  if (now < next_draw_) return;
  next_draw_ = now + kDrawInterval;
  progress_.records = records;
  progress_.bytes = bytes;
  progress_.elapsed = now - start_;
  // One column stays free: some terminals wrap when the last is written.
  terminal_ << '\r' << ProgressLine(progress_, TerminalColumns() - 1) << "\x1b[K" << std::flush;
}

}  // namespace tinykv::ctl
