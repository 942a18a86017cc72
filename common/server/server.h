// Server: the one gRPC server all stages run on.
//
// Its TinyKv service is a facade: a stage installs handlers by plain calls (InstallRaw(server, …))
// before Start(), and an rpc without a handler answers UNIMPLEMENTED, naming the stage that brings
// it. Handlers are coroutines that start inline on the gRPC thread; nothing hops to another thread
// unless an actor is involved.
//
// Also served: gRPC health checking (overall, and by service name) and server reflection, so that
// generic clients work without proto files.
//
// Thread-safety: Start() and Shutdown() from one thread; the rest as stated.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <asio/awaitable.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/env/clock.h"
#include "common/metrics.h"
#include "common/server/stream_handlers.h"
#include "proto/coprocessor.pb.h"
#include "proto/kvrpcpb.pb.h"

namespace grpc {
class Service;
}

namespace tinykv {

// One rpc's code. `request` lives until the coroutine ends. An error with a region error inside
// becomes the response's region_error, any other error its `error` (or `other_error`) text; the
// gRPC status stays OK, because clients take any other as a dead store.
template <typename Request, typename Response>
using Handler = std::function<asio::awaitable<absl::StatusOr<Response>>(const Request& request)>;

// What stages install. An empty member is an rpc that is not there.
struct TinyKvHandlers {
  Handler<kvrpcpb::RawGetRequest, kvrpcpb::RawGetResponse> raw_get;
  Handler<kvrpcpb::RawPutRequest, kvrpcpb::RawPutResponse> raw_put;
  Handler<kvrpcpb::RawDeleteRequest, kvrpcpb::RawDeleteResponse> raw_delete;
  Handler<kvrpcpb::RawScanRequest, kvrpcpb::RawScanResponse> raw_scan;
  Handler<kvrpcpb::GetRequest, kvrpcpb::GetResponse> kv_get;
  Handler<kvrpcpb::ScanRequest, kvrpcpb::ScanResponse> kv_scan;
  Handler<kvrpcpb::PrewriteRequest, kvrpcpb::PrewriteResponse> kv_prewrite;
  Handler<kvrpcpb::CommitRequest, kvrpcpb::CommitResponse> kv_commit;
  Handler<kvrpcpb::CheckTxnStatusRequest, kvrpcpb::CheckTxnStatusResponse> kv_check_txn_status;
  Handler<kvrpcpb::BatchRollbackRequest, kvrpcpb::BatchRollbackResponse> kv_batch_rollback;
  Handler<kvrpcpb::ResolveLockRequest, kvrpcpb::ResolveLockResponse> kv_resolve_lock;
  Handler<coprocessor::Request, coprocessor::Response> coprocessor;
  Handler<kvrpcpb::StoreStatusRequest, kvrpcpb::StoreStatusResponse> store_status;
  Handler<kvrpcpb::BackupRequest, kvrpcpb::BackupResponse> backup;
};

struct ServerOptions {
  std::string listen = {};                 // HOST:PORT; port 0 takes a free one
  uint64_t message_bytes_max = 16 << 20;   // of one request or response
  uint64_t requests_in_flight_max = 4096;  // more are answered "server is busy"
};

class Server {
 public:
  // `metrics` and `clock` must outlive the server.
  Server(const ServerOptions& options, Metrics& metrics, Clock& clock);
  ~Server();  // as Shutdown() without patience

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Where stages put their handlers. REQUIRES: not started.
  TinyKvHandlers& handlers();
  StreamHandlers& stream_handlers();

  // Serves one more service on the same port. `service` must outlive the server. REQUIRES: not
  // started.
  void AddService(grpc::Service& service);

  // Errors: kUnavailable if the address is taken or not ours, kInvalidArgument if it is malformed.
  absl::Status Start();

  // HOST:PORT, with the port that was taken. REQUIRES: started. Thread-safety: safe.
  const std::string& address() const;

  // Requests whose handlers are running. Thread-safety: safe.
  uint64_t requests_in_flight() const;

  // Reports NOT_SERVING, stops accepting, waits up to `patience` for what runs, cancels the rest
  // (a moment later also the streams between stores), and returns when no handler is left.
  void Shutdown(Duration patience);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinykv
