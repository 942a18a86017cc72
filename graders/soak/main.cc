// tinykv-soak-load: loads and checks a cluster while `./tinykv soak`, which starts it, breaks that.
// It reads commands on standard input, a line each, and answers with objects of JSON, a line each:
//
//   counts   {"event":"counts",…}   what was done in this phase
//   phase    the same, and a new phase begins
//   check    {"event":"checked","keys":N,"seconds":S,"error":""}   after every key was read
//   stop     {"event":"stopped"}     when the load has ended
//
// At any time there may be {"event":"violation","what":"…"}: an answer that cannot be. It goes on,
// and its exit status will be 1. The end of its input ends it.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "common/mutex.h"
#include "common/status.h"
#include "graders/soak/soak_load.h"

namespace tinykv::soak {
namespace {

void Print(const nlohmann::json& event) {
  static Mutex mutex;
  MutexLock lock(mutex);
  // Bytes that are no UTF-8 cannot be in JSON; nothing here should have any.
  const std::string text = event.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

void PrintViolation(const std::string& what) {
  Print({{"event", "violation"}, {"what", what}, {"unix_ms", SystemClock().UnixMillis()}});
}

void PrintCounts(SoakLoad& load) {
  nlohmann::json counts = load.counters().ToJson();
  counts["event"] = "counts";
  counts["written"] = load.counters().written();
  Print(counts);
}

void Check(SoakLoad& load, uint32_t keys) {
  const Duration begin = SystemClock().Now();
  const absl::Status status = load.ReadAll();
  const std::chrono::duration<double> taken = SystemClock().Now() - begin;
  Print({{"event", "checked"},
         {"keys", keys},
         {"seconds", taken.count()},
         {"error", std::string(MessageOf(status))}});
}

int Run(const SoakLoadOptions& options) {
  auto load = SoakLoad::Make(options, PrintViolation);
  if (!load.ok()) {
    std::cerr << "tinykv-soak-load: " << MessageOf(load.status()) << '\n';
    return 2;
  }
  (*load)->Start();
  Print({{"event", "started"}});
  std::string command;
  while (std::getline(std::cin, command)) {
    if (command == "counts" || command == "phase") {
      PrintCounts(**load);
      if (command == "phase") (*load)->counters().StartPhase();
    } else if (command == "check") {
      Check(**load, options.keys);
    } else if (command == "stop") {
      (*load)->Stop();
      Print({{"event", "stopped"}});
    } else {
      std::cerr << "tinykv-soak-load: no command '" << command
                << "'; there are counts, phase, check, stop\n";
    }
  }
  (*load)->Stop();
  return (*load)->violations() == 0 ? 0 : 1;
}

int Main(int argc, char** argv) {
  CLI::App app("Loads a cluster and checks every answer. ./tinykv soak starts it.",
               "tinykv-soak-load");
  SoakLoadOptions options;
  double deadline_seconds = 10;
  double rest_seconds = 60;
  app.add_option("--address", options.addresses, "all stores, with commas")->required();
  app.add_option("--keys", options.keys, "keys that are written again and again")
      ->check(CLI::Range(1, 10000000))
      ->capture_default_str();
  app.add_option("--workers", options.workers, "calls at a time")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--rate", options.calls_per_second, "calls per second; half of them write")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--value-bytes", options.value_bytes_max, "bytes of the largest value")
      ->check(CLI::Range(100, 1 << 20))
      ->capture_default_str();
  app.add_option("--deadline", deadline_seconds, "seconds that a call is tried for")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  app.add_option("--rest", rest_seconds,
                 "seconds that nobody writes a key for after a call without an answer")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of keys, values and pauses")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  using Seconds = std::chrono::duration<double>;
  options.deadline = std::chrono::duration_cast<Duration>(Seconds(deadline_seconds));
  options.rest = std::chrono::duration_cast<Duration>(Seconds(rest_seconds));
  return Run(options);
}

}  // namespace
}  // namespace tinykv::soak

int main(int argc, char** argv) { return tinykv::soak::Main(argc, argv); }
