#include "common/server/tinykv_service.h"

#include <array>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include <grpcpp/support/server_callback.h>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include "common/env/coroutine.h"
#include "common/log.h"
#include "common/server/error_response.h"
#include "common/server/refused_stream.h"
#include "common/server/wire_bytes.h"
#include "common/strings.h"
#include "common/your_code_here.h"
#include "proto/tinykvpb.grpc.pb.h"

namespace tinykv {
namespace {

constexpr char kRaw[] = "raw requests come with stage 1";
constexpr char kStatus[] = "a store tells of its regions from stage 2 on";
constexpr char kBackup[] = "backups come with stage 2";
constexpr char kStoreToStore[] = "messages between stores come with stage 2";
constexpr char kTransactions[] = "transactions come with stage 4";
constexpr char kCoprocessor[] = "the coprocessor is the last part of stage 4";

// How a request ended, as the metrics tell it.
enum class Outcome { kOk, kError, kRegionError, kBusy, kClosed, kUnimplemented, kFailed };
constexpr std::array kOutcomeNames = {"ok",     "error",         "region_error", "busy",
                                      "closed", "unimplemented", "failed"};

grpc::Status NotServedHere(const char* rpc, const char* comes_with) {
  return {grpc::StatusCode::UNIMPLEMENTED, Concat(rpc, " is not served here: ", comes_with)};
}

grpc::Status Dropped() {
  return {grpc::StatusCode::INTERNAL, "the handler was dropped before its end"};
}

// What there is to know about an rpc apart from its types. Its metrics are looked up here, once.
struct Method {
  Method(const char* rpc, const char* comes_with_text, Metrics& metrics)
      : name(rpc),
        comes_with(comes_with_text),
        latency(metrics.AddLatency("tinykv_request_seconds", "Time a handler took, by method.",
                                   {{"method", name}})) {
    for (size_t i = 0; i < outcomes.size(); ++i) {
      outcomes[i] =
          &metrics.AddCounter("tinykv_requests_total", "Requests answered, by method and outcome.",
                              {{"method", name}, {"outcome", kOutcomeNames[i]}});
    }
  }

  void Count(Outcome outcome) { outcomes[static_cast<size_t>(outcome)]->Add(); }

  const char* name;
  const char* comes_with;
  std::array<Counter*, kOutcomeNames.size()> outcomes;
  LatencyHistogram& latency;
};

// A request that is running. Its end is the destructor, so that a coroutine which is destroyed
// where it waits (the actor that was to answer is gone) is answered and counted as well.
struct Call {
  ~Call() {
    method.Count(outcome);
    method.latency.Observe(clock.Now() - start);
    gate.Leave();
    // The last thing: after it the request, the response and the service may be gone.
    reactor->Finish(status.has_value() ? *std::move(status) : Dropped());
  }

  Method& method;
  RequestGate& gate;
  Clock& clock;
  grpc::ServerUnaryReactor* reactor;
  const Duration start = clock.Now();
  Outcome outcome = Outcome::kFailed;
  std::optional<grpc::Status> status = std::nullopt;
};

// To be called in a catch clause.
std::string DescribeException() {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception of an unknown type";
  }
}

// Generated code that hands the streams between stores over as bytes, not parsed.
using ServiceBase = tinykvpb::TinyKv::WithRawCallbackMethod_Raft<
    tinykvpb::TinyKv::WithRawCallbackMethod_Snapshot<tinykvpb::TinyKv::CallbackService>>;

// The path of a request is short on purpose: enter the gate, run the handler on the gRPC thread,
// fill in the response, count it. No lock is taken on it.
//
// Thread-safety: safe.
class TinyKvService final : public ServiceBase {
 public:
  TinyKvService(TinyKvHandlers handlers, StreamHandlers stream_handlers, RequestGate& gate,
                Metrics& metrics, Clock& clock)
      : handlers_(std::move(handlers)),
        stream_handlers_(std::move(stream_handlers)),
        gate_(gate),
        clock_(clock),
        raw_get_("RawGet", kRaw, metrics),
        raw_put_("RawPut", kRaw, metrics),
        raw_delete_("RawDelete", kRaw, metrics),
        raw_scan_("RawScan", kRaw, metrics),
        kv_get_("KvGet", kTransactions, metrics),
        kv_scan_("KvScan", kTransactions, metrics),
        kv_prewrite_("KvPrewrite", kTransactions, metrics),
        kv_commit_("KvCommit", kTransactions, metrics),
        kv_check_txn_status_("KvCheckTxnStatus", kTransactions, metrics),
        kv_batch_rollback_("KvBatchRollback", kTransactions, metrics),
        kv_resolve_lock_("KvResolveLock", kTransactions, metrics),
        coprocessor_("Coprocessor", kCoprocessor, metrics),
        store_status_("StoreStatus", kStatus, metrics),
        backup_("Backup", kBackup, metrics) {}

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;
  using ByteStream = grpc::ServerReadReactor<grpc::ByteBuffer>;

  Reactor* RawGet(Context* context, const kvrpcpb::RawGetRequest* request,
                  kvrpcpb::RawGetResponse* response) override {
    return Run(context, raw_get_, handlers_.raw_get, request, response);
  }
  Reactor* RawPut(Context* context, const kvrpcpb::RawPutRequest* request,
                  kvrpcpb::RawPutResponse* response) override {
    return Run(context, raw_put_, handlers_.raw_put, request, response);
  }
  Reactor* RawDelete(Context* context, const kvrpcpb::RawDeleteRequest* request,
                     kvrpcpb::RawDeleteResponse* response) override {
    return Run(context, raw_delete_, handlers_.raw_delete, request, response);
  }
  Reactor* RawScan(Context* context, const kvrpcpb::RawScanRequest* request,
                   kvrpcpb::RawScanResponse* response) override {
    return Run(context, raw_scan_, handlers_.raw_scan, request, response);
  }
  Reactor* KvGet(Context* context, const kvrpcpb::GetRequest* request,
                 kvrpcpb::GetResponse* response) override {
    return Run(context, kv_get_, handlers_.kv_get, request, response);
  }
  Reactor* KvScan(Context* context, const kvrpcpb::ScanRequest* request,
                  kvrpcpb::ScanResponse* response) override {
    return Run(context, kv_scan_, handlers_.kv_scan, request, response);
  }
  Reactor* KvPrewrite(Context* context, const kvrpcpb::PrewriteRequest* request,
                      kvrpcpb::PrewriteResponse* response) override {
    return Run(context, kv_prewrite_, handlers_.kv_prewrite, request, response);
  }
  Reactor* KvCommit(Context* context, const kvrpcpb::CommitRequest* request,
                    kvrpcpb::CommitResponse* response) override {
    return Run(context, kv_commit_, handlers_.kv_commit, request, response);
  }
  Reactor* KvCheckTxnStatus(Context* context, const kvrpcpb::CheckTxnStatusRequest* request,
                            kvrpcpb::CheckTxnStatusResponse* response) override {
    return Run(context, kv_check_txn_status_, handlers_.kv_check_txn_status, request, response);
  }
  Reactor* KvBatchRollback(Context* context, const kvrpcpb::BatchRollbackRequest* request,
                           kvrpcpb::BatchRollbackResponse* response) override {
    return Run(context, kv_batch_rollback_, handlers_.kv_batch_rollback, request, response);
  }
  Reactor* KvResolveLock(Context* context, const kvrpcpb::ResolveLockRequest* request,
                         kvrpcpb::ResolveLockResponse* response) override {
    return Run(context, kv_resolve_lock_, handlers_.kv_resolve_lock, request, response);
  }
  Reactor* Coprocessor(Context* context, const coprocessor::Request* request,
                       coprocessor::Response* response) override {
    return Run(context, coprocessor_, handlers_.coprocessor, request, response);
  }
  Reactor* StoreStatus(Context* context, const kvrpcpb::StoreStatusRequest* request,
                       kvrpcpb::StoreStatusResponse* response) override {
    return Run(context, store_status_, handlers_.store_status, request, response);
  }
  Reactor* Backup(Context* context, const kvrpcpb::BackupRequest* request,
                  kvrpcpb::BackupResponse* response) override {
    return Run(context, backup_, handlers_.backup, request, response);
  }

  ByteStream* Raft(Context* context, grpc::ByteBuffer* response) override {
    return Open(context, stream_handlers_.raft, "Raft", response);
  }
  ByteStream* Snapshot(Context* context, grpc::ByteBuffer* response) override {
    return Open(context, stream_handlers_.snapshot, "Snapshot", response);
  }

 private:
  template <typename Request, typename Response>
  Reactor* Run(Context* context, Method& method, const Handler<Request, Response>& handler,
               const Request* request, Response* response) {
    Reactor* reactor = context->DefaultReactor();
    if (!handler) {
      method.Count(Outcome::kUnimplemented);
      reactor->Finish(NotServedHere(method.name, method.comes_with));
      return reactor;
    }
    switch (gate_.Enter()) {
      case RequestGate::Verdict::kEntered:
        // Runs the handler here and now, until it first waits for something.
        asio::co_spawn(InlineExecutor(), Handle(method, handler, *request, response, reactor),
                       asio::detached);
        break;
      case RequestGate::Verdict::kFull:
        method.Count(Outcome::kBusy);
        SetError(*response, ServerIsBusy("as many requests as it allows are running"));
        reactor->Finish(grpc::Status::OK);
        break;
      case RequestGate::Verdict::kClosed:
        method.Count(Outcome::kClosed);
        reactor->Finish({grpc::StatusCode::UNAVAILABLE, "the server is shutting down"});
        break;
    }
    return reactor;
  }

  template <typename Request, typename Response>
  asio::awaitable<void> Handle(Method& method, const Handler<Request, Response>& handler,
                               const Request& request, Response* response, Reactor* reactor) {
    Call call{.method = method, .gate = gate_, .clock = clock_, .reactor = reactor};
    try {
      absl::StatusOr<Response> result = co_await handler(request);
      if (result.ok()) {
        *response = *std::move(result);
        call.outcome = Outcome::kOk;
      } else {
        SetError(*response, result.status());
        call.outcome = response->has_region_error() ? Outcome::kRegionError : Outcome::kError;
      }
      call.status = grpc::Status::OK;
    } catch (const NotStarted& missing) {
      call.outcome = Outcome::kUnimplemented;
      call.status = grpc::Status(grpc::StatusCode::UNIMPLEMENTED, missing.what());
    } catch (...) {
      const std::string text = DescribeException();
      log::Error("handler failed", {{"method", method.name}, {"exception", text}});
      call.status =
          grpc::Status(grpc::StatusCode::INTERNAL, Concat(method.name, " failed: ", text));
    }
  }

  static ByteStream* Open(Context* context, const StreamHandlers::Handler& handler, const char* rpc,
                          grpc::ByteBuffer* response) {
    if (!handler) return new RefusedStream(NotServedHere(rpc, kStoreToStore));
    *response = ToByteBuffer("");  // a Done
    return handler(*context);
  }

  const TinyKvHandlers handlers_;
  const StreamHandlers stream_handlers_;
  RequestGate& gate_;
  Clock& clock_;
  Method raw_get_;
  Method raw_put_;
  Method raw_delete_;
  Method raw_scan_;
  Method kv_get_;
  Method kv_scan_;
  Method kv_prewrite_;
  Method kv_commit_;
  Method kv_check_txn_status_;
  Method kv_batch_rollback_;
  Method kv_resolve_lock_;
  Method coprocessor_;
  Method store_status_;
  Method backup_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeTinyKvService(TinyKvHandlers handlers,
                                                 StreamHandlers stream_handlers, RequestGate& gate,
                                                 Metrics& metrics, Clock& clock) {
  return std::make_unique<TinyKvService>(std::move(handlers), std::move(stream_handlers), gate,
                                         metrics, clock);
}

}  // namespace tinykv
