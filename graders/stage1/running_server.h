// RunningServer: the stage 1 server as a child process, on ports of its own choice, over a folder
// that outlives it; and RawStub, which calls it once a call, without trying again.
//
// Nothing here waits for a time. Deadlines are far beyond what an answer takes.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/env/clock.h"
#include "common/storage/column_family.h"
#include "graders/process/child_process.h"
#include "proto/tinykvpb.grpc.pb.h"

namespace tinykv::grading {

class RunningServer {
 public:
  // Starts it on `directory`, which holds its data and its log, and waits until it serves.
  // Errors: kUnavailable with the end of its log if it does not.
  static absl::StatusOr<std::unique_ptr<RunningServer>> Start(
      const std::string& directory, const std::vector<std::string>& flags = {});

  const std::string& address() const { return address_; }
  // Where its /status and /metrics are.
  std::string status_address() const;
  ChildProcess& process() { return *process_; }
  std::string log() const;

 private:
  RunningServer(std::string directory, std::unique_ptr<ChildProcess> process, std::string address);

  const std::string directory_;
  const std::unique_ptr<ChildProcess> process_;
  const std::string address_;
};

// Thread-safety: safe.
class RawStub {
 public:
  explicit RawStub(const std::string& address, Duration deadline = std::chrono::minutes(1));

  // Errors: those of gRPC, with its message; what the response holds is for the caller to read.
  absl::StatusOr<kvrpcpb::RawGetResponse> Get(const std::string& cf, const std::string& key);
  absl::StatusOr<kvrpcpb::RawPutResponse> Put(const std::string& cf, const std::string& key,
                                              const std::string& value);
  absl::StatusOr<kvrpcpb::RawDeleteResponse> Delete(const std::string& cf, const std::string& key);
  absl::StatusOr<kvrpcpb::RawScanResponse> Scan(const std::string& cf, const std::string& start,
                                                uint32_t limit);

 private:
  template <typename Method, typename Request, typename Response>
  absl::StatusOr<Response> Call(Method method, const Request& request, Response response);

  const Duration deadline_;
  const std::unique_ptr<tinykvpb::TinyKv::Stub> stub_;
};

}  // namespace tinykv::grading
