#include "graders/bench/server_bench.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "common/status.h"
#include "graders/bench/calls.h"
#include "graders/bench/load.h"
#include "graders/bench/report.h"
#include "graders/bench/series.h"
#include "graders/process/child_process.h"

namespace tinykv::bench {
namespace {

struct NamedWorkload {
  std::string name;
  StartCall start;
};

absl::Status Failed(const std::string& what, const LoadResult& result) {
  return Internal(what, ": ", result.errors, " calls failed, the first with: ", result.first_error);
}

absl::StatusOr<std::vector<Row>> Measure(const std::vector<NamedWorkload>& workloads,
                                         const ServerBenchOptions& options) {
  std::vector<Series> series;
  for (const NamedWorkload& workload : workloads) {
    Row row;
    row.workload = workload.name;
    row.subject = series.empty() ? "grpc" : "tinykv";
    row.in_flight = options.in_flight;
    series.emplace_back(std::move(row));
  }
  // Round 0 warms up and is not counted.
  for (uint32_t round = 0; round <= options.rounds; ++round) {
    for (size_t i = 0; i < workloads.size(); ++i) {
      const LoadResult result =
          RunLoad({.in_flight = options.in_flight,
                   .duration = std::chrono::seconds(options.seconds_per_workload)},
                  SystemClock(), workloads[i].start);
      if (result.errors > 0) return Failed(workloads[i].name, result);
      if (round > 0) series[i].Add(result);
    }
  }
  std::vector<Row> rows;
  for (const Series& one : series) {
    rows.push_back(one.Finish());
    if (rows.size() > 1) rows.back().ratio = one.RatioTo(series[0]);
  }
  return rows;
}

absl::StatusOr<std::vector<Row>> MeasureServer(const std::string& address,
                                               const ServerBenchOptions& options) {
  TKV_ASSIGN_OR_RETURN(const auto client, UnaryClient::Connect(address, options.connections));
  CallOptions calls = {
      .in_flight = options.in_flight, .keys = options.keys, .value_bytes = options.value_bytes};
  calls.in_order = true;
  const LoadResult loaded = RunLoad({.in_flight = options.in_flight, .calls = options.keys},
                                    SystemClock(), RawPutCalls(*client, calls));
  if (loaded.errors > 0) return Failed("loading keys", loaded);
  calls.in_order = false;
  return Measure({{"echo", EchoCalls(*client, calls)},
                  {"raw-get", RawGetCalls(*client, calls)},
                  {"raw-put", RawPutCalls(*client, calls)}},
                 options);
}

}  // namespace

absl::Status RunServerBench(const ServerBenchOptions& options) {
  std::string data = std::filesystem::temp_directory_path() / "tinykv-bench-XXXXXX";
  if (mkdtemp(data.data()) == nullptr) return ErrnoStatus("mkdtemp", data, errno);
  absl::StatusOr<std::vector<Row>> rows = [&]() -> absl::StatusOr<std::vector<Row>> {
    TKV_ASSIGN_OR_RETURN(
        const auto child,
        ChildProcess::Start({ProgramPath("tinykv-bench"), "serve", "--listen=127.0.0.1:0",
                             "--status-listen=127.0.0.1:0", "--data=" + data + "/data",
                             "--sync-writes=false", "--log-level=warning"}));
    TKV_ASSIGN_OR_RETURN(const std::string address, child->ReadLine());
    return MeasureServer(address, options);
  }();
  std::filesystem::remove_all(data);
  if (!rows.ok()) return rows.status();
  return Publish(*rows, options.json_file);
}

}  // namespace tinykv::bench
