#include "common/metrics.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "common/text_test_util.h"

namespace tinykv {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(Counter, ShowsItsValueWithHelpTypeAndLabels) {
  Metrics metrics;
  metrics.AddCounter("kv_reads_total", "Reads.", {{"outcome", "ok"}}).Add(3);
  metrics.AddCounter("kv_reads_total", "Reads.", {{"outcome", "error"}}).Add();
  EXPECT_EQ(metrics.Text(),
            "# HELP kv_reads_total Reads.\n"
            "# TYPE kv_reads_total counter\n"
            "kv_reads_total{outcome=\"ok\"} 3\n"
            "kv_reads_total{outcome=\"error\"} 1\n");
}

TEST(Counter, LosesNothingBetweenThreads) {
  Metrics metrics;
  Counter& counter = metrics.AddCounter("c_total", "");
  std::vector<std::thread> threads(4);
  for (std::thread& thread : threads) {
    thread = std::thread([&] {
      for (int j = 0; j < 10'000; ++j) counter.Add();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), 40'000u);
}

TEST(Metrics, KeepReferencesValidWhenMoreAreAdded) {
  Metrics metrics;
  Counter& first = metrics.AddCounter("first_total", "");
  for (int i = 0; i < 1000; ++i) metrics.AddCounter("more_total", "", {{"i", std::to_string(i)}});
  first.Add(7);
  EXPECT_TRUE(Contains(metrics.Text(), "first_total 7\n"));
}

TEST(Metrics, EscapeLabelValues) {
  Metrics metrics;
  metrics.AddCounter("c_total", "", {{"path", "a\"b\\c\nd"}});
  EXPECT_TRUE(Contains(metrics.Text(), "c_total{path=\"a\\\"b\\\\c\\nd\"} 0\n"));
}

TEST(LatencyHistogram, PutsATimeIntoTheBucketThatEndsAtOrAfterIt) {
  const auto bucket_of = [](Duration time) {
    LatencyHistogram histogram;
    histogram.Observe(time);
    for (size_t i = 0; i < LatencyHistogram::kBuckets; ++i) {
      if (histogram.count(i) == 1) return i;
    }
    return LatencyHistogram::kBuckets;
  };
  EXPECT_EQ(bucket_of(nanoseconds(-1)), 0u);  // a clock that misbehaves does no harm
  EXPECT_EQ(bucket_of(nanoseconds(0)), 0u);
  EXPECT_EQ(bucket_of(nanoseconds(1'000)), 0u);
  EXPECT_EQ(bucket_of(nanoseconds(1'001)), 1u);
  EXPECT_EQ(bucket_of(nanoseconds(2'000)), 1u);
  EXPECT_EQ(bucket_of(nanoseconds(2'001)), 2u);
  EXPECT_EQ(bucket_of(microseconds(1 << 25)), 25u);
  EXPECT_EQ(bucket_of(microseconds((1 << 25) + 1)), 26u);
  EXPECT_EQ(bucket_of(seconds(100'000)), 26u);
}

TEST(LatencyHistogram, ShowsCumulativeBucketsInSeconds) {
  Metrics metrics;
  LatencyHistogram& histogram = metrics.AddLatency("h_seconds", "Times.");
  histogram.Observe(microseconds(1));
  histogram.Observe(microseconds(3));
  histogram.Observe(seconds(60));
  const std::string text = metrics.Text();
  EXPECT_TRUE(Contains(text, "# TYPE h_seconds histogram\n"));
  EXPECT_TRUE(Contains(text, "h_seconds_bucket{le=\"1e-06\"} 1\n"));
  EXPECT_TRUE(Contains(text, "h_seconds_bucket{le=\"2e-06\"} 1\n"));
  EXPECT_TRUE(Contains(text, "h_seconds_bucket{le=\"4e-06\"} 2\n"));
  EXPECT_TRUE(Contains(text, "h_seconds_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_TRUE(Contains(text, "h_seconds_count 3\n"));
  EXPECT_TRUE(Contains(text, "h_seconds_sum 60.000004"));
}

TEST(Collector, IsAskedAtEachReadingUntilItsRegistrationGoes) {
  Metrics metrics;
  double level = 1;
  auto registration = metrics.AddCollector([&](MetricSink& sink) {
    sink.Gauge("tank_level", "How full.", level, {{"tank", "a"}});
    sink.Counter("fills_total", "Fills.", 12);
  });
  EXPECT_TRUE(Contains(metrics.Text(), "# TYPE tank_level gauge\ntank_level{tank=\"a\"} 1\n"));
  level = 0.5;
  EXPECT_TRUE(Contains(metrics.Text(), "tank_level{tank=\"a\"} 0.5\n"));
  EXPECT_TRUE(Contains(metrics.Text(), "# TYPE fills_total counter\nfills_total 12\n"));
  registration.reset();
  EXPECT_FALSE(Contains(metrics.Text(), "tank_level"));
}

}  // namespace
}  // namespace tinykv
