#include "common/server/server.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "common/check.h"
#include "common/log.h"
#include "common/server/listen_failure.h"
#include "common/server/request_gate.h"
#include "common/server/tinykv_service.h"
#include "common/status.h"

namespace tinykv {
namespace {

// Clients ping every 2 s, also when they have nothing to ask, to notice a dead store soon
// (DESIGN 11). gRPC hangs up on whoever pings more often than this; the rest is for jitter.
constexpr int kPingIntervalMillisMin = 1000;

// After the handlers have ended their last responses are still on the way out, and streams may be
// open that never end by themselves (a health watch, Raft). This is how long both have.
constexpr std::chrono::milliseconds kFarewell{200};

// As health checks name it.
constexpr char kServiceName[] = "tinykvpb.TinyKv";

void DropGrpcLog(gpr_log_func_args*) {}

void ForwardGrpcLog(gpr_log_func_args* args) {
  const auto level =
      args->severity == GPR_LOG_SEVERITY_ERROR ? log::Level::kWarning : log::Level::kDebug;
  log::Write(level, "grpc", {{"message", args->message}});
}

int AsGrpcLimit(uint64_t bytes) {
  return static_cast<int>(std::min<uint64_t>(bytes, std::numeric_limits<int>::max()));
}

void Configure(const ServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(AsGrpcLimit(options.message_bytes_max));
  builder.SetMaxSendMessageSize(AsGrpcLimit(options.message_bytes_max));
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kPingIntervalMillisMin);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // Responses are sent as they are: they are small, or have come off a disk just now.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  // Without this Linux lets two servers share a port, and each gets some of the connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

}  // namespace

struct Server::State {
  State(const ServerOptions& server_options, Metrics& server_metrics, Clock& server_clock)
      : options(server_options),
        metrics(server_metrics),
        clock(server_clock),
        gate(server_options.requests_in_flight_max),
        gate_metrics(metrics.AddCollector([this](MetricSink& sink) {
          sink.Gauge("tinykv_requests_in_flight", "Requests whose handlers are running.",
                     static_cast<double>(gate.running()));
        })) {}

  const ServerOptions options;
  Metrics& metrics;
  Clock& clock;
  RequestGate gate;
  const std::unique_ptr<Metrics::Registration> gate_metrics;
  TinyKvHandlers handlers;
  StreamHandlers stream_handlers;
  std::vector<grpc::Service*> added_services;
  std::unique_ptr<grpc::Service> tinykv_service;
  std::unique_ptr<grpc::Server> grpc_server;  // null until started and after Shutdown()
  std::string address;
};

Server::Server(const ServerOptions& options, Metrics& metrics, Clock& clock)
    : state_(std::make_unique<State>(options, metrics, clock)) {}

Server::~Server() { Shutdown(Duration::zero()); }

TinyKvHandlers& Server::handlers() { return state_->handlers; }

StreamHandlers& Server::stream_handlers() { return state_->stream_handlers; }

void Server::AddService(grpc::Service& service) { state_->added_services.push_back(&service); }

absl::Status Server::Start() {
  TKV_CHECK(state_->tinykv_service == nullptr && "a server is started once");
  TKV_ASSIGN_OR_RETURN(Address listen, ParseAddress(state_->options.listen));
  state_->tinykv_service =
      MakeTinyKvService(std::move(state_->handlers), std::move(state_->stream_handlers),
                        state_->gate, state_->metrics, state_->clock);

  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  Configure(state_->options, builder);
  int port = 0;
  builder.AddListeningPort(listen.ToString(), grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(state_->tinykv_service.get());
  for (grpc::Service* service : state_->added_services) builder.RegisterService(service);
  // gRPC logs why it cannot listen, at length; the status below says it in one line.
  gpr_set_log_function(DropGrpcLog);
  state_->grpc_server = builder.BuildAndStart();
  gpr_set_log_function(ForwardGrpcLog);
  if (state_->grpc_server == nullptr) return ExplainListenFailure(listen);
  state_->grpc_server->GetHealthCheckService()->SetServingStatus(kServiceName, true);

  listen.port = static_cast<uint16_t>(port);
  state_->address = listen.ToString();
  return absl::OkStatus();
}

const std::string& Server::address() const { return state_->address; }

uint64_t Server::requests_in_flight() const { return state_->gate.running(); }

void Server::Shutdown(Duration patience) {
  if (state_->grpc_server == nullptr) return;
  state_->grpc_server->GetHealthCheckService()->SetServingStatus(false);
  state_->gate.Close(patience);
  // Cancels what is left when the farewell is over, and returns when no handler is left.
  const std::chrono::milliseconds now(state_->clock.UnixMillis());
  state_->grpc_server->Shutdown(std::chrono::system_clock::time_point(now + kFarewell));
  state_->grpc_server.reset();
}

}  // namespace tinykv
