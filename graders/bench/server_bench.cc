#include "graders/bench/server_bench.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "common/env/file_system.h"
#include "common/random.h"
#include "common/status.h"
#include "echo.grpc.pb.h"
#include "graders/bench/load.h"
#include "graders/bench/report.h"
#include "graders/process/child_process.h"
#include "proto/tinykvpb.grpc.pb.h"

namespace tinykv::bench {
namespace {

std::string KeyOf(uint64_t number) {
  char key[32];
  std::snprintf(key, sizeof(key), "key-%012llu", static_cast<unsigned long long>(number));
  return key;
}

// Everything one in-flight call owns; reused from call to call.
template <typename Stub, typename Request, typename Response>
struct CallSlot {
  Stub* stub = nullptr;
  Random random{0};
  Request request;
  Response response;
  std::unique_ptr<grpc::ClientContext> context;
  Done done;
};

template <typename Stub, typename Request, typename Response>
class Workload {
 public:
  using Slot = CallSlot<Stub, Request, Response>;
  using Call = std::function<void(Slot&, std::function<void(grpc::Status)>)>;

  struct Functions {
    std::function<void(Random&, Request&)> fill;
    Call call;
    std::function<std::string(const Response&)> check;  // "" or what is wrong
  };

  Workload(const std::vector<std::shared_ptr<grpc::Channel>>& channels, uint32_t in_flight,
           Functions functions,
           std::function<std::unique_ptr<Stub>(std::shared_ptr<grpc::Channel>)> new_stub)
      : functions_(std::move(functions)), slots_(in_flight) {
    for (const auto& channel : channels) stubs_.push_back(new_stub(channel));
    for (size_t i = 0; i < slots_.size(); ++i) {
      slots_[i].stub = stubs_[i % stubs_.size()].get();
      slots_[i].random = Random(i + 1);
    }
  }

  void Start(uint32_t index, Done done) {
    Slot& slot = slots_[index];
    slot.done = std::move(done);
    slot.context = std::make_unique<grpc::ClientContext>();
    slot.response.Clear();
    functions_.fill(slot.random, slot.request);
    functions_.call(slot, [this, &slot](const grpc::Status& status) {
      std::string error = status.ok() ? functions_.check(slot.response) : status.error_message();
      std::exchange(slot.done, nullptr)(std::move(error));
    });
  }

 private:
  const Functions functions_;
  std::vector<std::unique_ptr<Stub>> stubs_;
  std::vector<Slot> slots_;
};

struct NamedWorkload {
  std::string name;
  StartCall start;
};

std::string ErrorOf(const std::string& error, bool region_error) {
  return region_error ? "region error" : error;
}

NamedWorkload EchoWorkload(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                           const ServerBenchOptions& options) {
  using W = Workload<Echo::Stub, EchoMessage, EchoMessage>;
  W::Functions functions{.fill = [](Random&, EchoMessage&) {},
                         .call =
                             [](W::Slot& s, auto done) {
                               s.stub->async()->Echo(s.context.get(), &s.request, &s.response,
                                                     std::move(done));
                             },
                         .check = [](const EchoMessage&) { return std::string(); }};
  auto workload =
      std::make_shared<W>(channels, options.in_flight, std::move(functions),
                          [](auto channel) { return Echo::NewStub(std::move(channel)); });
  return {"echo", [workload](uint32_t i, Done done) { workload->Start(i, std::move(done)); }};
}

NamedWorkload GetWorkload(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                          const ServerBenchOptions& options) {
  using W = Workload<tinykvpb::TinyKv::Stub, kvrpcpb::RawGetRequest, kvrpcpb::RawGetResponse>;
  W::Functions functions{
      .fill =
          [keys = options.keys](Random& random, kvrpcpb::RawGetRequest& request) {
            request.set_key(KeyOf(random.Uniform(keys)));
          },
      .call =
          [](W::Slot& s, auto done) {
            s.stub->async()->RawGet(s.context.get(), &s.request, &s.response, std::move(done));
          },
      .check =
          [size = options.value_bytes](const kvrpcpb::RawGetResponse& response) {
            if (response.value().size() == size) return std::string();
            return response.not_found() ? "a loaded key is not found"
                                        : ErrorOf(response.error(), response.has_region_error());
          }};
  auto workload = std::make_shared<W>(
      channels, options.in_flight, std::move(functions),
      [](auto channel) { return tinykvpb::TinyKv::NewStub(std::move(channel)); });
  return {"raw-get", [workload](uint32_t i, Done done) { workload->Start(i, std::move(done)); }};
}

NamedWorkload PutWorkload(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                          const ServerBenchOptions& options) {
  using W = Workload<tinykvpb::TinyKv::Stub, kvrpcpb::RawPutRequest, kvrpcpb::RawPutResponse>;
  W::Functions functions{.fill =
                             [keys = options.keys, value = std::string(options.value_bytes, 'v')](
                                 Random& random, kvrpcpb::RawPutRequest& request) {
                               request.set_key(KeyOf(random.Uniform(keys)));
                               request.set_value(value);
                             },
                         .call =
                             [](W::Slot& s, auto done) {
                               s.stub->async()->RawPut(s.context.get(), &s.request, &s.response,
                                                       std::move(done));
                             },
                         .check =
                             [](const kvrpcpb::RawPutResponse& response) {
                               return ErrorOf(response.error(), response.has_region_error());
                             }};
  auto workload = std::make_shared<W>(
      channels, options.in_flight, std::move(functions),
      [](auto channel) { return tinykvpb::TinyKv::NewStub(std::move(channel)); });
  return {"raw-put", [workload](uint32_t i, Done done) { workload->Start(i, std::move(done)); }};
}

absl::Status LoadKeys(const std::shared_ptr<grpc::Channel>& channel,
                      const ServerBenchOptions& options) {
  const auto stub = tinykvpb::TinyKv::NewStub(channel);
  kvrpcpb::RawPutRequest request;
  request.set_value(std::string(options.value_bytes, 'v'));
  for (uint32_t i = 0; i < options.keys; ++i) {
    grpc::ClientContext context;
    kvrpcpb::RawPutResponse response;
    request.set_key(KeyOf(i));
    const grpc::Status status = stub->RawPut(&context, request, &response);
    if (!status.ok()) return Unavailable("loading keys: ", status.error_message());
    if (!response.error().empty()) return Internal("loading keys: ", response.error());
  }
  return absl::OkStatus();
}

// One workload's measurements over the rounds.
struct Series {
  std::vector<double> ops_per_second, p50_ms, p99_ms, p999_ms, ratios;
  Row row;

  void Add(const LoadResult& result, double baseline_ops_per_second) {
    ops_per_second.push_back(result.OperationsPerSecond());
    p50_ms.push_back(result.LatencyMs(0.5));
    p99_ms.push_back(result.LatencyMs(0.99));
    p999_ms.push_back(result.LatencyMs(0.999));
    ratios.push_back(result.OperationsPerSecond() / baseline_ops_per_second);
    row.operations += result.operations;
    row.errors += result.errors;
    row.seconds += result.seconds;
  }

  Row Finish(bool is_baseline) {
    row.ops_per_second = Median(ops_per_second);
    row.p50_ms = Median(p50_ms);
    row.p99_ms = Median(p99_ms);
    row.p999_ms = Median(p999_ms);
    if (!is_baseline) row.ratio = Median(ratios);
    return row;
  }
};

absl::StatusOr<std::vector<Row>> Measure(const std::vector<NamedWorkload>& workloads,
                                         const ServerBenchOptions& options) {
  std::vector<Series> series(workloads.size());
  // Round 0 warms up and is not counted.
  for (uint32_t round = 0; round <= options.rounds; ++round) {
    double baseline = 0;  // of the first workload, in this round
    for (size_t i = 0; i < workloads.size(); ++i) {
      const LoadResult result =
          RunLoad({.in_flight = options.in_flight,
                   .duration = std::chrono::seconds(options.seconds_per_workload)},
                  SystemClock(), workloads[i].start);
      if (result.errors > 0) {
        return Internal(workloads[i].name, ": ", result.errors,
                        " calls failed, the first with: ", result.first_error);
      }
      if (i == 0) baseline = result.OperationsPerSecond();
      if (round > 0) series[i].Add(result, baseline);
    }
  }
  std::vector<Row> rows;
  for (size_t i = 0; i < workloads.size(); ++i) {
    series[i].row.workload = workloads[i].name;
    series[i].row.subject = i == 0 ? "grpc" : "tinykv";
    series[i].row.in_flight = options.in_flight;
    rows.push_back(series[i].Finish(i == 0));
  }
  return rows;
}

absl::StatusOr<std::vector<Row>> MeasureServer(const std::string& address,
                                               const ServerBenchOptions& options) {
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (uint32_t i = 0; i < options.channels; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt("tinykv.channel", static_cast<int>(i));  // else all share one connection
    channels.push_back(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  }
  TKV_RETURN_IF_ERROR(LoadKeys(channels[0], options));
  return Measure({EchoWorkload(channels, options), GetWorkload(channels, options),
                  PutWorkload(channels, options)},
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
