// The server under test: stage 1, with an empty echo beside it on the same gRPC server.
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "echo.grpc.pb.h"
#include "graders/bench/server_bench.h"
#include "stage1-standalone/stage1_program.h"

namespace tinykv::bench {
namespace {

class EchoService final : public Echo::CallbackService {
 public:
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const EchoMessage*,
                                 EchoMessage*) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

}  // namespace

int ServeForBench(int argc, char** argv) {
  EchoService echo;  // outlives the server
  ServerProgram program = Stage1Program();
  program.name = "tinykv-bench serve";
  program.open = [&echo, open = std::move(program.open)](const ServerConfig& config, Server& server,
                                                         Metrics& metrics) {
    server.AddService(echo);
    return open(config, server, metrics);
  };
  return RunServer(program, argc, argv);
}

}  // namespace tinykv::bench
