#include "graders/bench/report.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "common/check.h"
#include "common/env/file_system.h"

namespace tinykv::bench {

double Median(std::vector<double> values) {
  TKV_CHECK(!values.empty());
  const size_t middle = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(middle), values.end());
  return values[middle];
}

std::string ToTable(const std::vector<Row>& rows) {
  char line[160];
  std::snprintf(line, sizeof(line), "%-14s %-10s %9s %11s %8s %8s %8s %7s %7s\n", "workload",
                "subject", "in flight", "ops/s", "p50 ms", "p99 ms", "p999 ms", "errors", "ratio");
  std::string table = line;
  for (const Row& row : rows) {
    char ratio[16] = "";
    if (row.ratio.has_value()) std::snprintf(ratio, sizeof(ratio), "%.2f", *row.ratio);
    std::snprintf(line, sizeof(line), "%-14s %-10s %9u %11.0f %8.2f %8.2f %8.2f %7llu %7s\n",
                  row.workload.c_str(), row.subject.c_str(), row.in_flight, row.ops_per_second,
                  row.p50_ms, row.p99_ms, row.p999_ms, static_cast<unsigned long long>(row.errors),
                  ratio);
    table += line;
    for (const auto& [name, value] : row.more) {
      const bool is_first = &name == &row.more.front().first;
      std::snprintf(line, sizeof(line), "%s%s %.2f", is_first ? "    " : ", ", name.c_str(), value);
      table += line;
    }
    if (!row.more.empty()) table += "\n";
  }
  return table;
}

std::string ToJson(const std::vector<Row>& rows) {
  nlohmann::ordered_json json_rows = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json json{{"workload", row.workload},
                                {"subject", row.subject},
                                {"in_flight", row.in_flight},
                                {"operations", row.operations},
                                {"errors", row.errors},
                                {"seconds", row.seconds},
                                {"ops_per_second", row.ops_per_second},
                                {"p50_ms", row.p50_ms},
                                {"p99_ms", row.p99_ms},
                                {"p999_ms", row.p999_ms}};
    if (row.ratio.has_value()) json["ratio"] = *row.ratio;
    for (const auto& [name, value] : row.more) json[name] = value;
    json_rows.push_back(std::move(json));
  }
  return nlohmann::ordered_json{{"rows", json_rows}}.dump(2) + "\n";
}

absl::Status Publish(const std::vector<Row>& rows, const std::string& json_file) {
  std::fputs(ToTable(rows).c_str(), stdout);
  if (json_file.empty()) return absl::OkStatus();
  return WriteFileAtomically(PosixFileSystem(), json_file, ToJson(rows));
}

}  // namespace tinykv::bench
