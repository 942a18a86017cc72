#include "graders/bench/cluster_bench.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/status.h"
#include "common/strings.h"
#include "graders/bench/bars.h"
#include "graders/bench/calls.h"
#include "graders/bench/process_usage.h"
#include "graders/bench/report.h"
#include "graders/bench/series.h"

namespace tinykv::bench {
namespace {

constexpr uint32_t kLoadInFlight = 256;

struct Workload {
  const char* name;
  uint32_t in_flight;
  uint32_t get_percent;
  uint32_t value_bytes = 100;
  const char* key_prefix = "key-";  // of other keys where values have another size
};

constexpr Workload kWorkloads[] = {
    {"put-1", 1, 0},        {"put-64", 64, 0},
    {"put-256", 256, 0},    {"put-1024", 1024, 0},
    {"get-1", 1, 100},      {"get-256", 256, 100},
    {"mixed-256", 256, 95}, {"put-256-64k", 256, 0, 64 << 10, "large-"}};

struct Subject {
  std::string name;
  std::unique_ptr<UnaryClient> client;
  std::vector<pid_t> pids;
};

CallOptions CallsOf(const Workload& workload, const ClusterBenchOptions& options) {
  return {.in_flight = workload.in_flight,
          .keys = options.keys,
          .value_bytes = workload.value_bytes,
          .key_prefix = workload.key_prefix};
}

StartCall Gets(const Subject& subject, const CallOptions& calls) {
  return subject.name == "etcd" ? EtcdGetCalls(*subject.client, calls)
                                : RawGetCalls(*subject.client, calls);
}

StartCall Puts(const Subject& subject, const CallOptions& calls) {
  return subject.name == "etcd" ? EtcdPutCalls(*subject.client, calls)
                                : RawPutCalls(*subject.client, calls);
}

StartCall StartOf(const Workload& workload, const Subject& subject,
                  const ClusterBenchOptions& options) {
  const CallOptions calls = CallsOf(workload, options);
  if (subject.name == "echo") return EchoCalls(*subject.client, calls);
  if (workload.get_percent == 0) return Puts(subject, calls);
  if (workload.get_percent == 100) return Gets(subject, calls);
  return MixedCalls(calls, workload.get_percent, Gets(subject, calls), Puts(subject, calls));
}

absl::StatusOr<Subject> SubjectOf(const std::string& name, const ClusterBenchOptions& options) {
  for (const std::string& text : options.subjects) {
    const std::vector<std::string> parts = absl::StrSplit(text, ',');
    if (parts[0] != name || parts.size() < 3) continue;
    TKV_ASSIGN_OR_RETURN(auto client, UnaryClient::Connect(parts[1], options.connections));
    Subject subject = {.name = name, .client = std::move(client), .pids = {}};
    for (size_t i = 2; i < parts.size(); ++i) {
      pid_t pid = 0;
      if (!absl::SimpleAtoi(parts[i], &pid)) {
        return InvalidArgument("--subject ", text, ": ", Quote(parts[i]), " is no process id");
      }
      subject.pids.push_back(pid);
    }
    return subject;
  }
  return InvalidArgument("no --subject ", name, ",HOST:PORT,PID…: where are its servers? ",
                         "./tinykv bench cluster starts them and says so");
}

absl::Status Load(const Subject& subject, const ClusterBenchOptions& options) {
  CallOptions calls = CallsOf(kWorkloads[0], options);
  calls.in_flight = kLoadInFlight;
  calls.in_order = true;
  const LoadResult loaded = RunLoad({.in_flight = kLoadInFlight, .calls = options.keys},
                                    SystemClock(), Puts(subject, calls));
  if (loaded.errors == 0) return absl::OkStatus();
  return Internal("loading keys into ", subject.name, ": ", loaded.errors,
                  " calls failed, the first with: ", loaded.first_error);
}

// One workload of one subject.
struct Measured {
  const Subject* subject = nullptr;
  StartCall start = nullptr;
  Series series{{}};
  ProcessUsage usage = {};
  double generator_seconds = 0;  // of processors, by this process
  uint64_t operations = 0;
  std::string first_error = {};
};

absl::Status MeasureOnce(const Workload& workload, const ClusterBenchOptions& options,
                         Measured& measured) {
  LoadOptions load = {.in_flight = workload.in_flight,
                      .duration = std::chrono::seconds(options.warm_up_seconds)};
  RunLoad(load, SystemClock(), measured.start);
  load.duration = std::chrono::seconds(options.seconds_per_workload);
  const std::vector<pid_t> us = {getpid()};
  TKV_ASSIGN_OR_RETURN(const ProcessUsage before, UsageOf(measured.subject->pids));
  TKV_ASSIGN_OR_RETURN(const ProcessUsage ours_before, UsageOf(us));
  const LoadResult result = RunLoad(load, SystemClock(), measured.start);
  TKV_ASSIGN_OR_RETURN(const ProcessUsage after, UsageOf(measured.subject->pids));
  TKV_ASSIGN_OR_RETURN(const ProcessUsage ours_after, UsageOf(us));
  measured.series.Add(result);
  const ProcessUsage used = after - before;
  measured.usage.cpu_seconds += used.cpu_seconds;
  measured.usage.bytes_written += used.bytes_written;
  measured.generator_seconds += (ours_after - ours_before).cpu_seconds;
  measured.operations += result.operations;
  if (measured.first_error.empty()) measured.first_error = result.first_error;
  return absl::OkStatus();
}

Row RowOf(const Workload& workload, const CallOptions& calls, const Measured& measured,
          const Series& echo) {
  Row row = measured.series.Finish();
  const auto operations = static_cast<double>(std::max<uint64_t>(measured.operations, 1));
  if (measured.subject->name != "echo") {
    row.more.emplace_back("share_of_echo", measured.series.RatioTo(echo));
  }
  row.more.emplace_back("cpu_seconds_per_100k", measured.usage.cpu_seconds / operations * 1e5);
  row.more.emplace_back("generator_cores", measured.generator_seconds / row.seconds);
  if (workload.get_percent == 0 && measured.subject->name != "echo") {
    const double put = operations * static_cast<double>(KeyBytes(calls) + calls.value_bytes);
    row.more.emplace_back("bytes_written_per_byte_put",
                          static_cast<double>(measured.usage.bytes_written) / put);
  }
  return row;
}

// Measures one workload; echo comes first in `subjects`, and ours last.
absl::Status Measure(const Workload& workload, const std::vector<Subject>& subjects,
                     const ClusterBenchOptions& options, std::vector<Row>& rows) {
  std::vector<Measured> all;
  for (const Subject& subject : subjects) {
    Row row;
    row.workload = workload.name;
    row.subject = subject.name;
    row.in_flight = workload.in_flight;
    all.push_back({.subject = &subject,
                   .start = StartOf(workload, subject, options),
                   .series = Series(std::move(row))});
  }
  for (uint32_t round = 0; round < options.rounds; ++round) {
    for (Measured& measured : all) {
      TKV_RETURN_IF_ERROR(MeasureOnce(workload, options, measured));
    }
  }
  for (const Measured& measured : all) {
    rows.push_back(RowOf(workload, CallsOf(workload, options), measured, all[0].series));
    if (!measured.first_error.empty()) {
      std::fprintf(stderr, "%s of %s: a call failed with: %s\n", workload.name,
                   measured.subject->name.c_str(), measured.first_error.c_str());
    }
  }
  if (all.size() > 2) rows.back().ratio = all.back().series.RatioTo(all[1].series);
  return absl::OkStatus();
}

bool IsWanted(const Workload& workload, const ClusterBenchOptions& options) {
  const auto& only = options.only;
  return only.empty() || std::find(only.begin(), only.end(), workload.name) != only.end();
}

absl::Status CheckErrors(const std::vector<Row>& rows) {
  uint64_t errors = 0;
  for (const Row& row : rows) errors += row.errors;
  if (errors == 0) return absl::OkStatus();
  return Internal(errors, " calls failed; the column 'errors' says of which workloads");
}

}  // namespace

std::vector<std::string> ClusterWorkloads() {
  std::vector<std::string> names;
  for (const Workload& workload : kWorkloads) names.emplace_back(workload.name);
  return names;
}

absl::Status RunClusterBench(const ClusterBenchOptions& options) {
  if (options.only_check) return absl::OkStatus();
  std::vector<std::string> names = options.against;
  names.insert(names.begin(), "echo");
  names.emplace_back("tinykv");
  std::vector<Subject> subjects;
  for (const std::string& name : names) {
    TKV_ASSIGN_OR_RETURN(Subject subject, SubjectOf(name, options));
    subjects.push_back(std::move(subject));
  }
  for (size_t i = 1; i < subjects.size(); ++i) TKV_RETURN_IF_ERROR(Load(subjects[i], options));
  std::vector<Row> rows;
  for (const Workload& workload : kWorkloads) {
    if (!IsWanted(workload, options)) continue;
    std::fprintf(stderr, "measuring %s …\n", workload.name);
    TKV_RETURN_IF_ERROR(Measure(workload, subjects, options, rows));
  }
  TKV_RETURN_IF_ERROR(Publish(rows, options.json_file));
  std::fputs(ToBars(rows).c_str(), stdout);
  return CheckErrors(rows);
}

}  // namespace tinykv::bench
