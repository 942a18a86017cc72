// A client of unary gRPC calls that costs little, for load generators: these share the machine with
// what they measure.
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "graders/bench/unary_connection.h"

namespace tinykv::bench {

// All connections are served by one thread of the client's own. Thread-safety: safe.
class UnaryClient {
 public:
  // Makes `connections` connections to HOST:PORT. A connection that breaks stays broken: its calls
  // fail. REQUIRES: connections > 0.
  // Errors: kUnavailable, and kInvalidArgument for what is no HOST:PORT.
  static absl::StatusOr<std::unique_ptr<UnaryClient>> Connect(const std::string& address,
                                                              uint32_t connections);

  UnaryClient(const UnaryClient&) = delete;
  UnaryClient& operator=(const UnaryClient&) = delete;

  // Calls that are under way are dropped unanswered. REQUIRES: not called by an answer.
  ~UnaryClient();

  // Calls `path`, e.g. "/tinykvpb.TinyKv/RawGet", with an encoded message, on a connection of this
  // number (modulo how many there are). `answer` is called at most once, on the client's thread and
  // never from within Call; calls that it starts leave together with those of other answers.
  void Call(uint32_t connection, std::string path, std::string message, Answer answer);

 private:
  UnaryClient() : work_(context_.get_executor()) {}

  asio::io_context context_{1};  // of one thread
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::vector<std::unique_ptr<UnaryConnection>> connections_;
  std::thread thread_;
};

}  // namespace tinykv::bench
