#include "graders/stage1/running_server.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <utility>

#include "common/env/file_system.h"
#include "common/status.h"
#include "common/strings.h"

namespace tinykv::grading {

absl::StatusOr<std::unique_ptr<RunningServer>> RunningServer::Start(
    const std::string& directory, const std::vector<std::string>& flags) {
  std::vector<std::string> arguments = {ProgramPath("stage1-server"), "--listen=127.0.0.1:0",
                                        "--status-listen=127.0.0.1:0",
                                        Concat("--data=", directory, "/data")};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const std::string log = directory + "/log";
  TKV_ASSIGN_OR_RETURN(auto process, ChildProcess::Start(arguments, log));
  auto address = process->ReadLine();
  if (!address.ok()) {
    return Unavailable("the server did not start; its log:\n",
                       ReadFile(PosixFileSystem(), log).value_or("there is none"));
  }
  return std::unique_ptr<RunningServer>(
      new RunningServer(directory, std::move(process), *std::move(address)));
}

RunningServer::RunningServer(std::string directory, std::unique_ptr<ChildProcess> process,
                             std::string address)
    : directory_(std::move(directory)),
      process_(std::move(process)),
      address_(std::move(address)) {}

std::string RunningServer::status_address() const {
  // The last start's, if the folder has seen several.
  constexpr std::string_view kField = "status_address=";
  const std::string text = log();
  const size_t field = text.rfind(kField);
  if (field == std::string::npos) return "";
  const size_t begin = field + kField.size();
  return text.substr(begin, text.find_first_of(" \n", begin) - begin);
}

std::string RunningServer::log() const {
  return ReadFile(PosixFileSystem(), directory_ + "/log").value_or("");
}

RawStub::RawStub(const std::string& address, Duration deadline)
    : deadline_(deadline),
      stub_(tinykvpb::TinyKv::NewStub(
          grpc::CreateChannel(address, grpc::InsecureChannelCredentials()))) {}

template <typename Method, typename Request, typename Response>
absl::StatusOr<Response> RawStub::Call(Method method, const Request& request, Response response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::duration_cast<std::chrono::milliseconds>(deadline_));
  const grpc::Status status = ((*stub_).*method)(&context, request, &response);
  if (status.ok()) return response;
  return MakeStatus(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

absl::StatusOr<kvrpcpb::RawGetResponse> RawStub::Get(const std::string& cf,
                                                     const std::string& key) {
  kvrpcpb::RawGetRequest request;
  request.set_cf(cf);
  request.set_key(key);
  return Call(&tinykvpb::TinyKv::Stub::RawGet, request, kvrpcpb::RawGetResponse());
}

absl::StatusOr<kvrpcpb::RawPutResponse> RawStub::Put(const std::string& cf, const std::string& key,
                                                     const std::string& value) {
  kvrpcpb::RawPutRequest request;
  request.set_cf(cf);
  request.set_key(key);
  request.set_value(value);
  return Call(&tinykvpb::TinyKv::Stub::RawPut, request, kvrpcpb::RawPutResponse());
}

absl::StatusOr<kvrpcpb::RawDeleteResponse> RawStub::Delete(const std::string& cf,
                                                           const std::string& key) {
  kvrpcpb::RawDeleteRequest request;
  request.set_cf(cf);
  request.set_key(key);
  return Call(&tinykvpb::TinyKv::Stub::RawDelete, request, kvrpcpb::RawDeleteResponse());
}

absl::StatusOr<kvrpcpb::RawScanResponse> RawStub::Scan(const std::string& cf,
                                                       const std::string& start, uint32_t limit) {
  kvrpcpb::RawScanRequest request;
  request.set_cf(cf);
  request.set_start_key(start);
  request.set_limit(limit);
  return Call(&tinykvpb::TinyKv::Stub::RawScan, request, kvrpcpb::RawScanResponse());
}

}  // namespace tinykv::grading
