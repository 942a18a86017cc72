#include "common/server/server_main.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <unistd.h>
#include <nlohmann/json.hpp>

#include "common/config.h"
#include "common/config_flags.h"
#include "common/env/clock.h"
#include "common/env/file_system.h"
#include "common/env/prepare_threads.h"
#include "common/log.h"
#include "common/server/data_directory.h"
#include "common/server/status_server.h"
#include "common/status.h"
#include "common/version.h"

namespace tinykv {
namespace {

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// REQUIRES: no other thread runs yet. Those that are started later inherit the blocked signals, so
// that only WaitForStopSignal() sees them.
void PrepareSignals() {
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a client that has gone is an error of its connection only
}

// How often somebody looks whether a disk that was full has room.
constexpr timespec kLookInterval = {.tv_sec = 1, .tv_nsec = 0};

// Waits for one, for a while; false if none has come. The next one has its default effect, and ends
// the process at once.
bool WaitForStopSignal() {
  const sigset_t signals = StopSignals();
  const int number = sigtimedwait(&signals, nullptr, &kLookInterval);
  if (number < 0) return false;
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  log::Info("stopping", {{"signal", number == SIGINT ? "SIGINT" : "SIGTERM"}});
  return true;
}

// Without a reserve nobody knows how much room is enough.
bool Reopens(const ServerProgram& program, const ServerConfig& config) {
  return program.has_room && config.raft.disk_reserve > 0;
}

// All that runs, in the order in which it is started. It is stopped in the opposite order.
class Process {
 public:
  Process(const ServerProgram& program, const ServerConfig& config)
      : program_(program),
        config_(config),
        server_({.listen = config.listen,
                 .message_bytes_max = config.limits.message_bytes,
                 .requests_in_flight_max = config.limits.requests_in_flight},
                metrics_, clock_),
        status_server_([this] { return Status(); }, metrics_) {}

  // After an error Stop() is still owed.
  absl::Status Start() {
    TKV_ASSIGN_OR_RETURN(data_lock_,
                         ClaimDataDirectory(PosixFileSystem(), config_.data, program_.stage));
    TKV_ASSIGN_OR_RETURN(parts_, program_.open(config_, server_, metrics_));
    // Before the gRPC server, so that a port taken here is noticed before a client is served.
    TKV_RETURN_IF_ERROR(status_server_.Start(config_.status_listen));
    TKV_RETURN_IF_ERROR(server_.Start());
    serving_.store(true);
    return absl::OkStatus();
  }

  absl::Status Stop() {
    serving_.store(false);
    server_.Shutdown(config_.shutdown_patience);
    status_server_.Stop();
    return parts_ == nullptr ? absl::OkStatus() : parts_->Close();
  }

  // Serves until it is told to stop, which is OK, or until what a full disk has stopped would find
  // room again: then that error.
  absl::Status Serve() const {
    while (!WaitForStopSignal()) {
      if (!Reopens(program_, config_)) continue;
      const absl::Status health = parts_->Health();
      if (absl::IsResourceExhausted(health) && program_.has_room(config_)) return health;
    }
    return absl::OkStatus();
  }

  const std::string& address() const { return server_.address(); }
  const std::string& status_address() const { return status_server_.address(); }

  void LogServing() const {
    log::Info("serving", {{"program", program_.name},
                          {"version", kVersion},
                          {"address", server_.address()},
                          {"status_address", status_server_.address()},
                          {"data", config_.data},
                          {"pid", getpid()}});
  }

 private:
  nlohmann::json Status() {
    const std::chrono::duration<double> uptime = clock_.Now() - started_;
    nlohmann::json status = {{"serving", serving_.load()},
                             {"program", program_.name},
                             {"stage", program_.stage},
                             {"version", kVersion},
                             {"pid", getpid()},
                             {"data", std::filesystem::absolute(config_.data).string()},
                             {"uptime_seconds", uptime.count()}};
    if (!serving_.load()) return status;  // addresses and parts may be about to change
    status["address"] = server_.address();
    status["status_address"] = status_server_.address();
    status["requests_in_flight"] = server_.requests_in_flight();
    status.update(parts_->Status());
    return status;
  }

  const ServerProgram& program_;
  const ServerConfig& config_;
  Clock& clock_ = SystemClock();
  const Duration started_ = clock_.Now();
  std::atomic<bool> serving_{false};
  Metrics metrics_;
  std::unique_ptr<FileLock> data_lock_;
  std::unique_ptr<StageParts> parts_;
  Server server_;
  StatusServer status_server_;
};

// Says why the program ends.
int Fail(const ServerProgram& program, const absl::Status& status, int exit_status) {
  std::fprintf(stderr, "%s: %s\n", program.name.c_str(), std::string(MessageOf(status)).c_str());
  return exit_status;
}

// Fills `server` from defaults, LOG_LEVEL, file and flags, the later winning.
absl::StatusOr<ProgramAction> Configure(const ServerProgram& program, int argc, char** argv,
                                        ServerConfig* server) {
  const ProgramDescription description = {program.name, program.purpose};
  if (const char* level = std::getenv("LOG_LEVEL")) server->log_level = level;
  Config config;
  AddServerKeys(config, server);
  TKV_ASSIGN_OR_RETURN(const ProgramAction action,
                       LoadConfig(PosixFileSystem(), description, argc, argv, config));
  switch (action) {
    case ProgramAction::kHelp:
      std::printf("%s", HelpText(description, config).c_str());
      return action;
    case ProgramAction::kVersion:
      std::printf("%s %s\n", description.name.c_str(), kVersion);
      return action;
    case ProgramAction::kRun:
    case ProgramAction::kCheckConfig:
      break;
  }
  TKV_RETURN_IF_ERROR(CheckServerConfig(*server));
  TKV_RETURN_IF_ERROR(CheckStageConfig(*server, program.stage));
  TKV_RETURN_IF_ERROR(log::SetLevel(server->log_level));
  return action;
}

// Says where it serves, to whoever has started the process; and should it open again, it is there.
void Announce(const Process& process, ServerConfig& config) {
  std::printf("%s\n", process.address().c_str());
  std::fflush(stdout);
  config.listen = process.address();
  config.status_listen = process.status_address();
}

// How one life of the server has ended.
struct End {
  absl::Status status;
  bool was_told = false;  // by a signal
};

End RunOnce(const ServerProgram& program, ServerConfig& config, bool& is_announced) {
  Process process(program, config);
  absl::Status status = process.Start();
  const bool has_started = status.ok();
  if (has_started) {
    process.LogServing();
    if (!std::exchange(is_announced, true)) Announce(process, config);
    status = process.Serve();
  }
  const bool was_told = has_started && status.ok();
  const absl::Status stopped = process.Stop();
  // The first error is the one to tell.
  return {.status = status.ok() ? stopped : status, .was_told = was_told};
}

}  // namespace

int RunServer(const ServerProgram& program, int argc, char** argv) {
  PrepareSignals();
  PrepareThreads();
  ServerConfig config;
  const auto action = Configure(program, argc, argv, &config);
  if (!action.ok()) return Fail(program, action.status(), 2);
  if (*action != ProgramAction::kRun) return 0;

  bool is_announced = false;
  while (true) {
    const End end = RunOnce(program, config, is_announced);
    if (end.status.ok()) break;
    if (end.was_told || !Reopens(program, config) || !absl::IsResourceExhausted(end.status)) {
      return Fail(program, end.status, 1);
    }
    log::Warning("the disk is full; opens again when there is room", {{"error", end.status}});
    do {
      if (WaitForStopSignal()) return 0;
    } while (!program.has_room(config));
  }
  log::Info("stopped");
  return 0;
}

}  // namespace tinykv
