// Results of benchmarks: a table to read, JSON for tools.
//
// JSON (stable): {"rows": [{"workload", "subject", "in_flight", "operations", "errors", "seconds",
// "ops_per_second", "p50_ms", "p99_ms", "p999_ms", "ratio", …}]}. `subject` is "tinykv" or a peer's
// name; `ratio` is this row's ops_per_second over its baseline's in the same round, as the median
// over the rounds, and is absent on the baseline itself. What stands behind it is the benchmark's
// own.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace tinykv::bench {

struct Row {
  std::string workload;
  std::string subject;
  uint32_t in_flight = 0;
  uint64_t operations = 0;
  uint64_t errors = 0;
  double seconds = 0;
  double ops_per_second = 0;  // the median over the rounds, as are the latencies
  double p50_ms = 0;
  double p99_ms = 0;
  double p999_ms = 0;
  std::optional<double> ratio;
  // What else there is to know of it: names, as in the JSON, and numbers.
  std::vector<std::pair<std::string, double>> more = {};
};

double Median(std::vector<double> values);

std::string ToTable(const std::vector<Row>& rows);

std::string ToJson(const std::vector<Row>& rows);

// Prints the table, and writes the JSON to a file too, unless the name is empty.
absl::Status Publish(const std::vector<Row>& rows, const std::string& json_file);

}  // namespace tinykv::bench
