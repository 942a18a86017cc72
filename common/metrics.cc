#include "common/metrics.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <limits>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "common/mutex.h"

namespace tinykv {
namespace {

constexpr double kSecondsPerNanosecond = 1e-9;

// What Text() shows: families by name, filled with the series that Metrics has and those that
// collectors report.
class Page final : public MetricSink {
 public:
  void Counter(std::string_view name, std::string_view help, double value,
               const Labels& labels) override {
    Add(prometheus::MetricType::Counter, name, help, labels).counter.value = value;
  }
  void Gauge(std::string_view name, std::string_view help, double value,
             const Labels& labels) override {
    Add(prometheus::MetricType::Gauge, name, help, labels).gauge.value = value;
  }
  void Histogram(std::string_view name, std::string_view help, const LatencyHistogram& histogram,
                 const Labels& labels) {
    auto& out = Add(prometheus::MetricType::Histogram, name, help, labels).histogram;
    for (size_t i = 0; i < LatencyHistogram::kBuckets; ++i) {
      out.sample_count += histogram.count(i);
      const bool last = i + 1 == LatencyHistogram::kBuckets;
      const double bound = last ? std::numeric_limits<double>::infinity() : (1u << i) * 1e-6;
      out.bucket.push_back({out.sample_count, bound});
    }
    out.sample_sum = static_cast<double>(histogram.sum().count()) * kSecondsPerNanosecond;
  }

  std::string Text() && {
    std::vector<prometheus::MetricFamily> families;
    families.reserve(families_.size());
    for (auto& [name, family] : families_) families.push_back(std::move(family));
    return prometheus::TextSerializer().Serialize(families);
  }

 private:
  prometheus::ClientMetric& Add(prometheus::MetricType type, std::string_view name,
                                std::string_view help, const Labels& labels) {
    prometheus::MetricFamily& family = families_[std::string(name)];
    family.name = name;
    family.help = help;
    family.type = type;
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    for (const auto& [label, value] : labels) metric.label.push_back({label, value});
    return metric;
  }

  std::map<std::string, prometheus::MetricFamily> families_;
};

// One series that Metrics itself keeps.
template <typename Metric>
struct Series {
  Series(std::string_view series_name, std::string_view series_help,
         const Metrics::Labels& series_labels)
      : name(series_name), help(series_help), labels(series_labels) {}

  const std::string name;
  const std::string help;
  const Metrics::Labels labels;
  Metric metric;
};

}  // namespace

void LatencyHistogram::Observe(Duration time) {
  const int64_t nanoseconds = std::max<int64_t>(time.count(), 0);
  // Rounded up, so that exactly 2^i µs is still in bucket i.
  const uint64_t microseconds = (static_cast<uint64_t>(nanoseconds) + 999) / 1000;
  const size_t bucket = microseconds <= 1 ? 0 : std::bit_width(microseconds - 1);
  counts_[std::min(bucket, kBuckets - 1)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(nanoseconds, std::memory_order_relaxed);
}

struct Metrics::State {
  Mutex mutex;
  // Deques, because references to what is in them were given away.
  std::deque<Series<Counter>> counters ABSL_GUARDED_BY(mutex);
  std::deque<Series<LatencyHistogram>> latencies ABSL_GUARDED_BY(mutex);
  std::map<uint64_t, Collect> collectors ABSL_GUARDED_BY(mutex);
  uint64_t next_id ABSL_GUARDED_BY(mutex) = 0;
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::AddCounter(std::string_view name, std::string_view help, const Labels& labels) {
  MutexLock lock(state_->mutex);
  return state_->counters.emplace_back(name, help, labels).metric;
}

LatencyHistogram& Metrics::AddLatency(std::string_view name, std::string_view help,
                                      const Labels& labels) {
  MutexLock lock(state_->mutex);
  return state_->latencies.emplace_back(name, help, labels).metric;
}

std::unique_ptr<Metrics::Registration> Metrics::AddCollector(Collect collect) {
  MutexLock lock(state_->mutex);
  const uint64_t id = state_->next_id++;
  state_->collectors.emplace(id, std::move(collect));
  return std::make_unique<Registration>(*state_, id);
}

Metrics::Registration::~Registration() {
  MutexLock lock(state_.mutex);
  state_.collectors.erase(id_);
}

std::string Metrics::Text() const {
  Page page;
  MutexLock lock(state_->mutex);
  for (const auto& series : state_->counters) {
    page.Counter(series.name, series.help, static_cast<double>(series.metric.value()),
                 series.labels);
  }
  for (const auto& series : state_->latencies) {
    page.Histogram(series.name, series.help, series.metric, series.labels);
  }
  for (const auto& [id, collect] : state_->collectors) collect(page);
  return std::move(page).Text();
}

}  // namespace tinykv
