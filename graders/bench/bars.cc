#include "graders/bench/bars.h"

#include <cstdio>
#include <optional>

namespace tinykv::bench {
namespace {

// How many times etcd's operations in a second.
struct RateBar {
  const char* workload;
  double least;
  double aim;  // 0: no more than that
};

constexpr RateBar kRateBars[] = {{"put-256", 2.0, 2.5}, {"get-256", 3.0, 0}};

// Here a call must not take longer than etcd's.
constexpr const char* kLatencyBars[] = {"put-1", "get-1"};

const Row* Find(const std::vector<Row>& rows, const std::string& workload,
                const std::string& subject) {
  for (const Row& row : rows) {
    if (row.workload == workload && row.subject == subject) return &row;
  }
  return nullptr;
}

const char* Verdict(bool is_met) { return is_met ? "met" : "MISSED"; }

std::string RateLine(const RateBar& bar, double ratio) {
  char line[160];
  std::snprintf(line, sizeof(line), "%-8s %.2f times etcd's rate; bar %.1f: %s", bar.workload,
                ratio, bar.least, Verdict(ratio >= bar.least));
  std::string text = line;
  if (bar.aim > 0) {
    std::snprintf(line, sizeof(line), "; aim %.1f: %s", bar.aim, Verdict(ratio >= bar.aim));
    text += line;
  }
  return text + "\n";
}

std::string LatencyLine(const char* workload, const Row& ours, const Row& etcd) {
  char line[160];
  std::snprintf(line, sizeof(line),
                "%-8s median latency %.3f ms, etcd's %.3f ms; bar no more: %s\n", workload,
                ours.p50_ms, etcd.p50_ms, Verdict(ours.p50_ms <= etcd.p50_ms));
  return line;
}

}  // namespace

std::string ToBars(const std::vector<Row>& rows) {
  std::string lines;
  for (const RateBar& bar : kRateBars) {
    const Row* ours = Find(rows, bar.workload, "tinykv");
    if (ours != nullptr && ours->ratio.has_value()) lines += RateLine(bar, *ours->ratio);
  }
  for (const char* workload : kLatencyBars) {
    const Row* ours = Find(rows, workload, "tinykv");
    const Row* etcd = Find(rows, workload, "etcd");
    if (ours != nullptr && etcd != nullptr) lines += LatencyLine(workload, *ours, *etcd);
  }
  return lines;
}

}  // namespace tinykv::bench
