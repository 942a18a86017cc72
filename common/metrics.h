// Metrics: the numbers a program shows at /metrics, in Prometheus's text format.
//
//   Counter& flushes = metrics.AddCounter("tinykv_flushes_total", "Memtables written out.");
//   flushes.Add();
//
// Look a metric up once and keep the reference; it lives as long as its Metrics. Counting is then
// one relaxed atomic addition, cheap enough for the path of every request. Names follow
// Prometheus's rules: a unit at the end, in base units (seconds, bytes), and _total for what only
// grows.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "common/env/clock.h"

namespace tinykv {

// A number that only grows. Thread-safety: safe.
class Counter {
 public:
  void Add(uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// How long something took, as counts of times up to 1 µs, 2 µs, 4 µs … 33 s, and beyond.
// prometheus-cpp's own histogram takes a lock and searches its buckets; this one finds the bucket
// from the position of the highest bit.
//
// Thread-safety: safe. A reader may see a count without its sum; the next reading has both.
class LatencyHistogram {
 public:
  // Bucket i holds times up to 2^i µs; the last one all that are longer.
  static constexpr size_t kBuckets = 27;

  void Observe(Duration time);

  uint64_t count(size_t bucket) const { return counts_[bucket].load(std::memory_order_relaxed); }
  Duration sum() const { return Duration(sum_.load(std::memory_order_relaxed)); }

 private:
  std::array<std::atomic<uint64_t>, kBuckets> counts_{};
  std::atomic<int64_t> sum_{0};
};

// Takes the numbers that somebody else keeps, at the moment they are shown.
class MetricSink {
 public:
  using Labels = std::map<std::string, std::string>;

  virtual ~MetricSink() = default;

  virtual void Counter(std::string_view name, std::string_view help, double value,
                       const Labels& labels) = 0;
  virtual void Gauge(std::string_view name, std::string_view help, double value,
                     const Labels& labels) = 0;

  void Counter(std::string_view name, std::string_view help, double value) {
    Counter(name, help, value, {});
  }
  void Gauge(std::string_view name, std::string_view help, double value) {
    Gauge(name, help, value, {});
  }
};

// Thread-safety: safe.
class Metrics {
 public:
  using Labels = MetricSink::Labels;
  using Collect = std::function<void(MetricSink& sink)>;

  // While it lives its collector is asked. Must be destroyed before its Metrics.
  class Registration;

  Metrics();
  ~Metrics();

  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Each call makes one series. Those of one name form a family: one kind, one help text,
  // different labels.
  Counter& AddCounter(std::string_view name, std::string_view help, const Labels& labels = {});
  LatencyHistogram& AddLatency(std::string_view name, std::string_view help,
                               const Labels& labels = {});

  // From now on each Text() asks `collect`, on its own thread, for more numbers. `collect` must not
  // call this Metrics. Destroying the result waits until `collect` is not running, and forgets it.
  [[nodiscard]] std::unique_ptr<Registration> AddCollector(Collect collect);

  // All of it, in the format that Prometheus scrapes (text version 0.0.4).
  std::string Text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class Metrics::Registration {
 public:
  Registration(State& state, uint64_t id) : state_(state), id_(id) {}
  ~Registration();

  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  State& state_;
  const uint64_t id_;
};

}  // namespace tinykv
