#include "graders/bench/unary_client.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "echo.grpc.pb.h"

namespace tinykv::bench {
namespace {

using Result = absl::StatusOr<std::string>;

// An encoded EchoMessage. It has no fields, and fields that a message does not know it keeps: these
// are bytes of field 1.
std::string MessageOf(const std::string& bytes) {
  std::string message = "\x0a";
  for (size_t left = bytes.size();; left >>= 7) {
    message.push_back(static_cast<char>((left & 0x7f) | (left > 0x7f ? 0x80 : 0)));
    if (left <= 0x7f) return message + bytes;
  }
}

// Echoes; a message of "fail" fails, and one of "wait" is never answered.
class EchoServer final : public Echo::CallbackService {
 public:
  EchoServer() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.SetMaxReceiveMessageSize(-1);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address = "127.0.0.1:" + std::to_string(port);
  }

  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const EchoMessage* request,
                                 EchoMessage* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    const std::string message = request->SerializeAsString();
    if (message == MessageOf("wait")) {
      waits.set_value(reactor);
      return reactor;
    }
    *response = *request;
    reactor->Finish(message == MessageOf("fail") ? grpc::Status(grpc::StatusCode::ABORTED, "why")
                                                 : grpc::Status::OK);
    return reactor;
  }

  // Calls are broken off where they are.
  void Shutdown() { server_->Shutdown(std::chrono::system_clock::now()); }

  std::string address;
  std::promise<grpc::ServerUnaryReactor*> waits;

 private:
  std::unique_ptr<grpc::Server> server_;
};

std::future<Result> Start(UnaryClient& client, const std::string& bytes,
                          const std::string& path = "/tinykv.bench.Echo/Echo") {
  auto promise = std::make_shared<std::promise<Result>>();
  client.Call(0, path, MessageOf(bytes),
              [promise](Result result) { promise->set_value(std::move(result)); });
  return promise->get_future();
}

std::shared_ptr<UnaryClient> ClientOf(const EchoServer& server, uint32_t connections = 1) {
  auto client = UnaryClient::Connect(server.address, connections);
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

TEST(UnaryClient, GetsBackWhatTheServerEchoes) {
  EchoServer server;
  const auto client = ClientOf(server);
  // More than a window of HTTP/2 in both directions, too.
  for (const size_t size : {size_t{0}, size_t{1}, size_t{100}, size_t{64 << 10}, size_t{3 << 20}}) {
    const std::string bytes(size, 'x');
    const Result result = Start(*client, bytes).get();
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(*result, MessageOf(bytes));
  }
}

TEST(UnaryClient, CallsThatStartFromAnswersReachTheirOwnAnswers) {
  EchoServer server;
  const auto client = ClientOf(server, 3);
  constexpr uint32_t kInFlight = 64;
  constexpr uint64_t kCalls = 5000;
  uint64_t started = 0;  // on the client's thread, as all below
  uint64_t wrong = 0;
  uint64_t answered = 0;
  std::promise<void> done;
  std::function<void(uint32_t)> next = [&](uint32_t slot) {
    const std::string message = MessageOf("call " + std::to_string(started++));
    client->Call(slot, "/tinykv.bench.Echo/Echo", message, [&, slot, message](Result result) {
      if (!result.ok() || *result != message) ++wrong;
      if (started < kCalls) return next(slot);
      if (++answered == kInFlight) done.set_value();
    });
  };
  // The first starts the others.
  client->Call(0, "/tinykv.bench.Echo/Echo", "", [&](const Result&) {
    for (uint32_t slot = 0; slot < kInFlight; ++slot) next(slot);
  });
  done.get_future().wait();
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(started, kCalls);
}

TEST(UnaryClient, SaysWhatTheServerFailedWith) {
  EchoServer server;
  const auto client = ClientOf(server);
  EXPECT_EQ(Start(*client, "fail").get().status().message(), "gRPC status 10: why");
  const Result unknown = Start(*client, "", "/tinykv.bench.Echo/Unknown").get();
  EXPECT_EQ(unknown.status().message().substr(0, 15), "gRPC status 12:") << unknown.status();
  EXPECT_TRUE(Start(*client, "goes on").get().ok());
}

TEST(UnaryClient, CallsFailWhenTheServerGoesAndAfterwards) {
  EchoServer server;
  const auto client = ClientOf(server);
  std::future<Result> waiting = Start(*client, "wait");
  grpc::ServerUnaryReactor* reactor = server.waits.get_future().get();
  std::thread shutdown([&] { server.Shutdown(); });
  EXPECT_FALSE(waiting.get().ok());
  reactor->Finish(grpc::Status::CANCELLED);
  shutdown.join();
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Start(*client, "late").get().ok());
}

TEST(UnaryClient, SaysWhereNobodyListens) {
  const auto nobody = UnaryClient::Connect("127.0.0.1:1", 1);
  EXPECT_EQ(nobody.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(nobody.status().message().substr(0, 32), "cannot connect to 127.0.0.1:1: C");
  EXPECT_EQ(UnaryClient::Connect("nowhere", 1).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tinykv::bench
