// StatusServer: what people and monitoring see of a server, by HTTP.
//
//   /         a page for a browser, which reads /status every second
//   /status   JSON
//   /metrics  Prometheus's text format
//
// It runs on its own few threads, apart from the gRPC server, so that it answers also when that one
// is overloaded.
//
// Thread-safety: Start() and Stop() from one thread; address() is safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "absl/status/status.h"
#include "common/metrics.h"

namespace tinykv {

class StatusServer {
 public:
  // `status` makes the object that /status answers with; it is called from several threads at once.
  // `metrics` must outlive the server.
  StatusServer(std::function<nlohmann::json()> status, const Metrics& metrics);
  ~StatusServer();  // as Stop()

  StatusServer(const StatusServer&) = delete;
  StatusServer& operator=(const StatusServer&) = delete;

  // Serves on `listen`, HOST:PORT; port 0 takes a free one.
  // Errors: kUnavailable if the address is taken or not ours, kInvalidArgument if it is malformed.
  absl::Status Start(const std::string& listen);

  // HOST:PORT, with the port that was taken. REQUIRES: started.
  const std::string& address() const;

  // Returns when no request is being answered any more.
  void Stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinykv
