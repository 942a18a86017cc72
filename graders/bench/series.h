// One workload's measurements of one subject over the rounds.
#pragma once

#include <vector>

#include "graders/bench/load.h"
#include "graders/bench/report.h"

namespace tinykv::bench {

class Series {
 public:
  // `row` says what is measured; results are filled in.
  explicit Series(Row row) : row_(std::move(row)) {}

  void Add(const LoadResult& result) {
    ops_per_second_.push_back(result.OperationsPerSecond());
    p50_ms_.push_back(result.LatencyMs(0.5));
    p99_ms_.push_back(result.LatencyMs(0.99));
    p999_ms_.push_back(result.LatencyMs(0.999));
    row_.operations += result.operations;
    row_.errors += result.errors;
    row_.seconds += result.seconds;
  }

  // The median over the rounds of how many times as many operations this did as `other`.
  // REQUIRES: as many rounds of `other`, in turn with these.
  double RatioTo(const Series& other) const {
    std::vector<double> ratios;
    for (size_t i = 0; i < ops_per_second_.size(); ++i) {
      ratios.push_back(ops_per_second_[i] / other.ops_per_second_[i]);
    }
    return Median(std::move(ratios));
  }

  // REQUIRES: there was a round.
  Row Finish() const {
    Row row = row_;
    row.ops_per_second = Median(ops_per_second_);
    row.p50_ms = Median(p50_ms_);
    row.p99_ms = Median(p99_ms_);
    row.p999_ms = Median(p999_ms_);
    return row;
  }

 private:
  Row row_;
  std::vector<double> ops_per_second_, p50_ms_, p99_ms_, p999_ms_;
};

}  // namespace tinykv::bench
