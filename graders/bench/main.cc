// tinykv-bench: measures ours beside a named peer, in one run. `./tinykv bench` builds and starts
// it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>

#include "common/env/prepare_threads.h"
#include "graders/bench/cluster_bench.h"
#include "graders/bench/raft_bench.h"
#include "graders/bench/server_bench.h"

namespace {

int Report(const absl::Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "tinykv-bench: %s\n", std::string(status.message()).c_str());
  return 1;
}

void AddServer(CLI::App& app, tinykv::bench::ServerBenchOptions& options) {
  CLI::App* server = app.add_subcommand(
      "server", "RawGet and RawPut (unsynced) against an empty echo rpc on the same gRPC server");
  server->add_option("--in-flight", options.in_flight, "calls in flight")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  server->add_option("--rounds", options.rounds, "rounds; medians over them are printed")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  server->add_option("--seconds", options.seconds_per_workload, "seconds a workload and round")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  server->add_option("--keys", options.keys, "keys that are loaded first")
      ->check(CLI::Range(1, 100000000))
      ->capture_default_str();
  server->add_option("--value-bytes", options.value_bytes, "bytes in a value")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  server->add_option("--connections", options.connections, "connections")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  server->add_option("--json", options.json_file, "write the rows there too, as JSON");
}

CLI::App* AddRaft(CLI::App& app, tinykv::bench::RaftBenchOptions& options) {
  CLI::App* raft = app.add_subcommand(
      "raft", "proposals through three Raft cores in memory, beside three plain logs");
  raft->add_option("--rounds", options.rounds, "rounds; medians over them are printed")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  raft->add_option("--seconds", options.seconds_per_workload, "seconds a workload and round")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  raft->add_option("--value-bytes", options.value_bytes, "bytes in a value")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  raft->add_option("--json", options.json_file, "write the rows there too, as JSON");
  return raft;
}

CLI::App* AddCluster(CLI::App& app, tinykv::bench::ClusterBenchOptions& options) {
  CLI::App* cluster = app.add_subcommand(
      "cluster", "puts and gets of a cluster of three stores, beside empty calls and peers");
  cluster->add_option("--against", options.against, "peers to measure too, with commas: etcd")
      ->delimiter(',')
      ->check(CLI::IsMember({"etcd"}));
  cluster->add_option("--only", options.only, "measure these workloads, with commas, and no other")
      ->delimiter(',')
      ->check(CLI::IsMember(tinykv::bench::ClusterWorkloads()));
  cluster->add_option("--rounds", options.rounds, "rounds; medians over them are printed")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  cluster->add_option("--seconds", options.seconds_per_workload, "seconds a workload and round")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  cluster->add_option("--warm-up", options.warm_up_seconds, "seconds before each of these")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  cluster->add_option("--keys", options.keys, "keys that are loaded first")
      ->check(CLI::Range(1, 100000000))
      ->capture_default_str();
  cluster->add_option("--connections", options.connections, "connections to each leader")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  cluster->add_option("--json", options.json_file, "write the rows there too, as JSON");
  // Of ./tinykv bench cluster, which starts the servers: not in the help.
  cluster->add_option("--subject", options.subjects)->group("");
  cluster->add_flag("--check", options.only_check)->group("");
  return cluster;
}

}  // namespace

int main(int argc, char** argv) {
  // The server under test is this program again: `serve` has the flags of a stage's server.
  if (argc > 1 && std::strcmp(argv[1], "serve") == 0) {
    return tinykv::bench::ServeForBench(argc - 1, argv + 1);
  }

  // The generator does not preempt the servers either that wake it: it reads many answers at once.
  tinykv::PrepareThreads();
  CLI::App app("Measures TinyKV beside a named peer, in one run.", "tinykv-bench");
  app.require_subcommand(1);
  tinykv::bench::ServerBenchOptions server_options;
  AddServer(app, server_options);
  tinykv::bench::RaftBenchOptions raft_options;
  const CLI::App* raft = AddRaft(app, raft_options);
  tinykv::bench::ClusterBenchOptions cluster_options;
  const CLI::App* cluster = AddCluster(app, cluster_options);
  CLI11_PARSE(app, argc, argv);
  if (cluster->parsed()) return Report(tinykv::bench::RunClusterBench(cluster_options));
  if (raft->parsed()) return Report(tinykv::bench::RunRaftBench(raft_options));
  return Report(tinykv::bench::RunServerBench(server_options));
}
