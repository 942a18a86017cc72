// The server in this process, asked by real gRPC clients. Nothing waits for a time: handlers that
// must run "meanwhile" are suspended, and resumed by the test.
#include "common/server/server.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "common/env/coroutine.h"
#include "common/status.h"
#include "common/storage/region_error.h"
#include "common/text_test_util.h"
#include "proto/tinykvpb.grpc.pb.h"

namespace tinykv {
namespace {

constexpr Duration kForEver = std::chrono::hours(24);

// A RawGet on its way.
struct PendingGet {
  grpc::ClientContext context;
  kvrpcpb::RawGetRequest request;
  kvrpcpb::RawGetResponse response;
  std::promise<grpc::Status> status;
};

// A stream of raw bytes on which we say one thing, for services of which there is no generated code
// here.
class Stream final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Stream(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
         const std::string& message)
      : stub_(channel) {
    const grpc::Slice slice(message);
    request_ = grpc::ByteBuffer(&slice, 1);
    stub_.PrepareBidiStreamingCall(&context_, method, grpc::StubOptions(), this);
    StartWriteLast(&request_, grpc::WriteOptions());
    StartRead(&response_);
    StartCall();
  }
  ~Stream() override { done_.get_future().wait(); }

  // The bytes of the first answer; none if the stream ended without one.
  std::string FirstAnswer() {
    if (!first_.get_future().get()) return "";
    grpc::Slice slice;
    EXPECT_TRUE(response_.DumpToSingleSlice(&slice).ok());
    return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
  }

  // Reads to the end, because gRPC tells the end of a stream only then.
  void OnReadDone(bool ok) override {
    if (!std::exchange(has_first_, true)) first_.set_value(ok);
    if (ok) StartRead(&rest_);
  }
  void OnDone(const grpc::Status&) override { done_.set_value(); }

 private:
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  grpc::ByteBuffer rest_;
  bool has_first_ = false;
  std::promise<bool> first_;
  std::promise<void> done_;
};

class ServerTest : public testing::Test {
 protected:
  using Answer = absl::StatusOr<kvrpcpb::RawGetResponse>;

  void Start(ServerOptions options = {}) {
    options.listen = "127.0.0.1:0";
    server_ = std::make_unique<Server>(options, metrics_, SystemClock());
    server_->handlers() = handlers_;
    const absl::Status status = server_->Start();
    ASSERT_TRUE(status.ok()) << status;
    channel_ = grpc::CreateChannel(server_->address(), grpc::InsecureChannelCredentials());
    stub_ = tinykvpb::TinyKv::NewStub(channel_);
  }

  // RawGet answers with what `answer` returns.
  void AnswerGetsWith(const std::function<Answer()>& answer) {
    handlers_.raw_get = [answer](const kvrpcpb::RawGetRequest&) -> asio::awaitable<Answer> {
      co_return answer();
    };
  }

  // RawGet waits for ResumeGet().
  void SuspendGets() {
    handlers_.raw_get = [this](const kvrpcpb::RawGetRequest&) -> asio::awaitable<Answer> {
      co_return co_await AwaitCallback<Answer>([this](auto resume) {
        resume_get_ = std::move(resume);
        suspended_.release();
      });
    };
  }
  // REQUIRES: a RawGet is suspended.
  void ResumeGet(const std::string& value) {
    kvrpcpb::RawGetResponse response;
    response.set_value(value);
    std::exchange(resume_get_, nullptr)(response);
  }

  // Returns at once; the answer arrives in the result.
  std::unique_ptr<PendingGet> StartGet() {
    auto get = std::make_unique<PendingGet>();
    stub_->async()->RawGet(
        &get->context, &get->request, &get->response,
        [get = get.get()](const grpc::Status& status) { get->status.set_value(status); });
    return get;
  }
  // The same for a RawGet whose handler suspends; returns when it has.
  std::unique_ptr<PendingGet> StartSuspendedGet() {
    auto get = StartGet();
    suspended_.acquire();
    return get;
  }
  grpc::Status Get(kvrpcpb::RawGetResponse* response) {
    grpc::ClientContext context;
    return stub_->RawGet(&context, kvrpcpb::RawGetRequest(), response);
  }
  grpc::Status Put(const std::string& value = "") {
    grpc::ClientContext context;
    kvrpcpb::RawPutRequest request;
    request.set_value(value);
    kvrpcpb::RawPutResponse response;
    return stub_->RawPut(&context, request, &response);
  }

  Metrics metrics_;
  TinyKvHandlers handlers_;
  absl::AnyInvocable<void(Answer)> resume_get_;
  std::counting_semaphore<> suspended_{0};
  std::unique_ptr<Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<tinykvpb::TinyKv::Stub> stub_;
};

TEST_F(ServerTest, RunsTheHandlerOfARequest) {
  handlers_.raw_get = [](const kvrpcpb::RawGetRequest& request) -> asio::awaitable<Answer> {
    kvrpcpb::RawGetResponse response;
    response.set_value("value of " + request.key());
    co_return response;
  };
  Start();
  grpc::ClientContext context;
  kvrpcpb::RawGetRequest request;
  request.set_key("k");
  kvrpcpb::RawGetResponse response;
  EXPECT_TRUE(stub_->RawGet(&context, request, &response).ok());
  EXPECT_EQ(response.value(), "value of k");
  EXPECT_TRUE(
      Contains(metrics_.Text(), "tinykv_requests_total{method=\"RawGet\",outcome=\"ok\"} 1\n"));
  EXPECT_TRUE(Contains(metrics_.Text(), "tinykv_request_seconds_count{method=\"RawGet\"} 1\n"));
}

TEST_F(ServerTest, NamesTheStageOfAnRpcThatNobodyInstalled) {
  Start();
  const auto refusal = [](const grpc::Status& status) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    return status.error_message();
  };
  EXPECT_EQ(refusal(Put()), "RawPut is not served here: raw requests come with stage 1");
  grpc::ClientContext get_context, coprocessor_context, raft_context, snapshot_context;
  kvrpcpb::GetResponse get_response;
  EXPECT_EQ(refusal(stub_->KvGet(&get_context, kvrpcpb::GetRequest(), &get_response)),
            "KvGet is not served here: transactions come with stage 4");
  coprocessor::Response response;
  EXPECT_EQ(refusal(stub_->Coprocessor(&coprocessor_context, coprocessor::Request(), &response)),
            "Coprocessor is not served here: the coprocessor is the last part of stage 4");
  raft_serverpb::Done done;
  EXPECT_EQ(refusal(stub_->Raft(&raft_context, &done)->Finish()),
            "Raft is not served here: messages between stores come with stage 2");
  EXPECT_EQ(refusal(stub_->Snapshot(&snapshot_context, &done)->Finish()),
            "Snapshot is not served here: messages between stores come with stage 2");
  EXPECT_TRUE(Contains(metrics_.Text(),
                       "tinykv_requests_total{method=\"KvGet\",outcome=\"unimplemented\"} 1\n"));
}

TEST_F(ServerTest, PutsAnErrorIntoTheResponse) {
  AnswerGetsWith([] { return InvalidArgument("no such column family"); });
  Start();
  kvrpcpb::RawGetResponse response;
  EXPECT_TRUE(Get(&response).ok());
  EXPECT_EQ(response.error(), "no such column family");
  EXPECT_FALSE(response.has_region_error());
  EXPECT_TRUE(Contains(metrics_.Text(), "{method=\"RawGet\",outcome=\"error\"} 1\n"));
}

TEST_F(ServerTest, PutsARegionErrorIntoTheResponse) {
  AnswerGetsWith([] {
    errorpb::Error error;
    error.mutable_region_not_found()->set_region_id(7);
    return RegionErrorStatus(error);
  });
  Start();
  kvrpcpb::RawGetResponse response;
  EXPECT_TRUE(Get(&response).ok());
  EXPECT_EQ(response.region_error().region_not_found().region_id(), 7u);
  EXPECT_EQ(response.error(), "");
  EXPECT_TRUE(Contains(metrics_.Text(), "{method=\"RawGet\",outcome=\"region_error\"} 1\n"));
}

TEST_F(ServerTest, SurvivesAHandlerThatThrows) {
  AnswerGetsWith([]() -> Answer { throw std::runtime_error("a bug"); });
  Start();
  for (int i = 0; i < 2; ++i) {
    kvrpcpb::RawGetResponse response;
    const grpc::Status status = Get(&response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
    EXPECT_EQ(status.error_message(), "RawGet failed: a bug");
  }
  EXPECT_EQ(server_->requests_in_flight(), 0u);
}

TEST_F(ServerTest, AnswersForAHandlerThatIsDestroyedWhereItWaits) {
  SuspendGets();
  Start();
  const auto get = StartSuspendedGet();
  resume_get_ = nullptr;
  const grpc::Status status = get->status.get_future().get();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message(), "the handler was dropped before its end");
  EXPECT_EQ(server_->requests_in_flight(), 0u);
}

TEST_F(ServerTest, IsBusyWhenTooManyRequestsRun) {
  SuspendGets();
  Start({.requests_in_flight_max = 1});
  const auto first = StartSuspendedGet();
  EXPECT_EQ(server_->requests_in_flight(), 1u);
  EXPECT_TRUE(Contains(metrics_.Text(), "tinykv_requests_in_flight 1\n"));

  kvrpcpb::RawGetResponse response;
  EXPECT_TRUE(Get(&response).ok());
  EXPECT_TRUE(response.region_error().has_server_is_busy());
  EXPECT_TRUE(Contains(metrics_.Text(), "{method=\"RawGet\",outcome=\"busy\"} 1\n"));

  ResumeGet("v");
  EXPECT_TRUE(first->status.get_future().get().ok());
  EXPECT_EQ(first->response.value(), "v");
  EXPECT_EQ(server_->requests_in_flight(), 0u);
  const auto second = StartSuspendedGet();  // there is room again
  ResumeGet("w");
  EXPECT_TRUE(second->status.get_future().get().ok());
}

TEST_F(ServerTest, FinishesWhatRunsBeforeItStops) {
  SuspendGets();
  handlers_.raw_put = [](const kvrpcpb::RawPutRequest&)
      -> asio::awaitable<absl::StatusOr<kvrpcpb::RawPutResponse>> {
    co_return kvrpcpb::RawPutResponse();
  };
  Start();
  const auto get = StartSuspendedGet();
  std::thread stopper([&] { server_->Shutdown(kForEver); });
  grpc::Status refusal;
  do refusal = Put();
  while (refusal.ok());  // until the stop has begun
  EXPECT_EQ(refusal.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(refusal.error_message(), "the server is shutting down");

  ResumeGet("v");
  EXPECT_TRUE(get->status.get_future().get().ok());
  EXPECT_EQ(get->response.value(), "v");
  stopper.join();
}

TEST_F(ServerTest, CancelsCallsWhenPatienceIsOverAndWaitsForTheirHandlers) {
  SuspendGets();
  Start();
  const auto get = StartSuspendedGet();
  std::atomic<bool> stopped = false;
  std::thread stopper([&] {
    server_->Shutdown(Duration::zero());
    stopped = true;
  });
  EXPECT_FALSE(get->status.get_future().get().ok());
  EXPECT_FALSE(stopped);
  ResumeGet("too late");
  stopper.join();
}

TEST_F(ServerTest, StopsTwiceAndUnstarted) {
  Start();
  server_->Shutdown(kForEver);
  server_->Shutdown(kForEver);
  Server unstarted({}, metrics_, SystemClock());
  unstarted.Shutdown(kForEver);
}

TEST_F(ServerTest, IsAnErrorOnAPortThatIsTaken) {
  Start();
  Server second({.listen = server_->address()}, metrics_, SystemClock());
  const absl::Status status = second.Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(MessageOf(status),
            Concat("cannot listen on ", server_->address(), ": Address already in use"));
}

TEST_F(ServerTest, IsAnErrorOnAMalformedAddress) {
  Server server({.listen = "nowhere"}, metrics_, SystemClock());
  EXPECT_EQ(server.Start().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ServerTest, RefusesMessagesOverTheLimit) {
  const std::string large(100'000, 'x');
  AnswerGetsWith([&] {
    kvrpcpb::RawGetResponse response;
    response.set_value(large);
    return response;
  });
  Start({.message_bytes_max = large.size()});
  const grpc::Status request_refused = Put(large);
  EXPECT_EQ(request_refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(Contains(request_refused.error_message(), "larger than max (100004 vs. 100000)"));
  kvrpcpb::RawGetResponse response;
  EXPECT_EQ(Get(&response).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

// The messages of health checking and reflection, written by hand: Debian has no code for them.
TEST_F(ServerTest, IsHealthyUntilItStops) {
  Start();
  constexpr char kCheck[] = "/grpc.health.v1.Health/Check";
  constexpr char kServing[] = "\x08\x01";  // status: SERVING
  EXPECT_EQ(Stream(channel_, kCheck, "").FirstAnswer(), kServing);
  EXPECT_EQ(Stream(channel_, kCheck, "\x0a\x0ftinykvpb.TinyKv").FirstAnswer(), kServing);
  EXPECT_EQ(Stream(channel_, kCheck, "\x0a\x04none").FirstAnswer(), "");

  // A watcher does not hold up the stop.
  Stream watch(channel_, "/grpc.health.v1.Health/Watch", "");
  EXPECT_EQ(watch.FirstAnswer(), kServing);
  server_->Shutdown(kForEver);
}

TEST_F(ServerTest, DescribesItsServicesByReflection) {
  Start();
  constexpr char kReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  const std::string services =  // a request to list them
      Stream(channel_, kReflection, std::string("\x3a\x00", 2)).FirstAnswer();
  EXPECT_TRUE(Contains(services, "tinykvpb.TinyKv"));
  EXPECT_TRUE(Contains(services, "grpc.health.v1.Health"));
  const std::string file =  // a request for the file in which a symbol is
      Stream(channel_, kReflection, "\x22\x0ftinykvpb.TinyKv").FirstAnswer();
  EXPECT_TRUE(Contains(file, "tinykvpb.proto"));
  EXPECT_TRUE(Contains(file, "RawGet"));
}

}  // namespace
}  // namespace tinykv
