// RunServer: the main() that all servers of the project have.
//
//   int main(int argc, char** argv) {
//     return tinykv::RunServer({.name = "stage1-server", .stage = 1, .purpose = "…", .open = Open},
//                              argc, argv);
//   }
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/metrics.h"
#include "common/server/server.h"
#include "common/server/server_config.h"

namespace tinykv {

// What a stage puts behind the server: storage, handlers, engines.
//
// Thread-safety: Status() and Health() are called from several threads at once, and never beside
// Close().
class StageParts {
 public:
  virtual ~StageParts() = default;

  // Why it serves nothing any more, if it does not.
  virtual absl::Status Health() { return absl::OkStatus(); }

  // Closes what must be closed for the data to be safe. No request is running by then.
  virtual absl::Status Close() = 0;

  // An object whose members are added to /status, for example {"engine": {…}}.
  virtual nlohmann::json Status() = 0;
};

struct ServerProgram {
  std::string name;  // begins the line that says why it ends
  int stage = 0;     // whose data directories it takes
  std::string purpose;

  // Opens the parts below config.data, and installs their handlers in the server, which is not
  // started yet. `config` and `metrics` outlive the parts, and the parts outlive `server`.
  std::function<absl::StatusOr<std::unique_ptr<StageParts>>(const ServerConfig& config,
                                                            Server& server, Metrics& metrics)>
      open;

  // Whether parts that a full disk has stopped (Health(), or the error of `open`, is
  // kResourceExhausted) would find room again. Empty, or without raft.disk_reserve: an error like
  // any other.
  std::function<bool(const ServerConfig& config)> has_room = {};
};

// Reads flags and configuration, claims the data directory, opens the parts, serves until SIGTERM
// or SIGINT, and closes everything in turn; a second signal ends the process at once. As soon as it
// serves it prints one line on standard output, HOST:PORT, for whoever started it with port 0.
//
// What a full disk has stopped is closed and opened again, all of it, once program.has_room() says
// so; until then it answers as its parts do. That is a restart of the process, but for the process.
// It is asked once a second.
//
// Returns the exit status: 0; 1 if something could not be started or closed; 2 for a wrong flag or
// setting. In both of the latter cases one line on standard error says why, and nothing is left
// half-started.
int RunServer(const ServerProgram& program, int argc, char** argv);

}  // namespace tinykv
