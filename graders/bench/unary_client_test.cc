#include "graders/bench/unary_client.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <array>
#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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
  explicit EchoServer(int message_bytes_max = -1) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.SetMaxReceiveMessageSize(message_bytes_max);
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

  // Calls that are under way go on.
  void Shutdown() { server_->Shutdown(); }
  // Calls are broken off where they are.
  void ShutdownNow() { server_->Shutdown(std::chrono::system_clock::now()); }

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

// Accepts one connection, and does with it what it is told.
class RawServer {
 public:
  explicit RawServer(std::function<void(asio::ip::tcp::socket&)> script)
      : thread_([this, script = std::move(script)] {
          asio::ip::tcp::socket socket = acceptor_.accept();
          script(socket);
        }) {}
  ~RawServer() { thread_.join(); }

  std::string Address() const {
    return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }

 private:
  asio::io_context context_;
  asio::ip::tcp::acceptor acceptor_{context_, {asio::ip::make_address("127.0.0.1"), 0}};
  std::thread thread_;
};

std::unique_ptr<UnaryClient> ClientOf(const std::string& address, uint32_t connections = 1) {
  auto client = UnaryClient::Connect(address, connections);
  EXPECT_TRUE(client.ok()) << client.status();
  return *std::move(client);
}

TEST(UnaryClient, GetsBackWhatTheServerEchoes) {
  EchoServer server;
  const auto client = ClientOf(server.address);
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
  const auto client = ClientOf(server.address, 3);
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
  const auto client = ClientOf(server.address);
  EXPECT_EQ(Start(*client, "fail").get().status().message(), "gRPC status 10: why");
  const Result unknown = Start(*client, "", "/tinykv.bench.Echo/Unknown").get();
  EXPECT_EQ(unknown.status().message().substr(0, 15), "gRPC status 12:") << unknown.status();
  EXPECT_TRUE(Start(*client, "goes on").get().ok());
}

TEST(UnaryClient, CallsFailWhenTheServerGoesAndAfterwards) {
  EchoServer server;
  const auto client = ClientOf(server.address);
  std::future<Result> waiting = Start(*client, "wait");
  grpc::ServerUnaryReactor* reactor = server.waits.get_future().get();
  std::thread shutdown([&] { server.ShutdownNow(); });
  EXPECT_FALSE(waiting.get().ok());
  reactor->Finish(grpc::Status::CANCELLED);
  shutdown.join();
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Start(*client, "late").get().ok());
}

TEST(UnaryClient, CallsThatStartFromAnswersFailOneByOneWhenTheServerStops) {
  EchoServer server;
  const auto client = ClientOf(server.address);
  constexpr uint32_t kInFlight = 16;
  constexpr uint64_t kFailures = 50000;
  uint64_t answers = 0;  // on the client's thread, as all below
  uint64_t failures = 0;
  uint64_t ended = 0;
  std::promise<void> underway, done;
  std::function<void(uint32_t)> next = [&](uint32_t slot) {
    client->Call(slot, "/tinykv.bench.Echo/Echo", MessageOf("x"), [&, slot](const Result& result) {
      if (++answers == 100) underway.set_value();
      if (!result.ok()) ++failures;
      if (failures < kFailures) return next(slot);
      if (++ended == kInFlight) done.set_value();
    });
  };
  client->Call(0, "/tinykv.bench.Echo/Echo", "", [&](const Result&) {
    for (uint32_t slot = 0; slot < kInFlight; ++slot) next(slot);
  });
  underway.get_future().wait();
  server.Shutdown();
  done.get_future().wait();
  EXPECT_GE(failures, kFailures);
}

TEST(UnaryClient, ACallThatIsRefusedBeforeItIsSentDoesNotDisturbTheOthers) {
  EchoServer server(/*message_bytes_max=*/1024);
  const auto client = ClientOf(server.address);
  std::future<Result> large = Start(*client, std::string(3 << 20, 'x'));
  std::vector<std::future<Result>> small;
  for (int i = 0; i < 20; ++i) small.push_back(Start(*client, "small"));
  EXPECT_EQ(large.get().status().message().substr(0, 14), "gRPC status 8:");
  for (auto& one : small) EXPECT_TRUE(one.get().ok());
}

TEST(UnaryClient, CallsFailWhenTheConnectionBreaksWhileTheyAreSent) {
  RawServer server([](asio::ip::tcp::socket& socket) {
    std::array<char, 1000> some;
    asio::read(socket, asio::buffer(some));
  });
  const auto client = ClientOf(server.Address());
  std::vector<std::future<Result>> calls;
  for (int i = 0; i < 3; ++i) calls.push_back(Start(*client, std::string(3 << 20, 'x')));
  for (auto& call : calls) EXPECT_EQ(call.get().status().code(), absl::StatusCode::kUnavailable);
}

TEST(UnaryClient, CallsFailWhenTheServerBreaksTheProtocol) {
  std::promise<void> seen;
  RawServer server([&seen](asio::ip::tcp::socket& socket) {
    // Settings, as a server begins; then data of no stream.
    const std::string frames(
        "\0\0\0\4\0\0\0\0\0"
        "\0\0\1\0\0\0\0\0\0x",
        19);
    asio::write(socket, asio::buffer(frames));
    seen.get_future().wait();  // and the connection stays open
  });
  const auto client = ClientOf(server.Address());
  const Result result = Start(*client, "x").get();
  seen.set_value();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable) << result.status();
}

TEST(UnaryClient, DropsCallsThatAreUnderWayWhenItEnds) {
  EchoServer server;
  auto client = ClientOf(server.address);
  std::future<Result> waiting = Start(*client, "wait");
  grpc::ServerUnaryReactor* reactor = server.waits.get_future().get();
  client.reset();
  EXPECT_THROW((void)waiting.get(), std::future_error);
  reactor->Finish(grpc::Status::CANCELLED);
}

TEST(UnaryClient, TakesOneWholeMessageAndNothingElse) {
  const std::string framed = Frame("message");
  EXPECT_EQ(*Unframe(framed), "message");
  EXPECT_EQ(*Unframe(Frame("")), "");
  EXPECT_EQ(Unframe("").status().message(), "a response without a message");
  EXPECT_EQ(Unframe(framed.substr(0, 9)).status().message(),
            "a response of 4 bytes, which is said to have 7");
  EXPECT_FALSE(Unframe(framed + framed).ok());
  EXPECT_FALSE(Unframe("\1" + framed.substr(1)).ok());
}

TEST(UnaryClient, SaysWhereNobodyListens) {
  const auto nobody = UnaryClient::Connect("127.0.0.1:1", 1);
  EXPECT_EQ(nobody.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(nobody.status().message().substr(0, 32), "cannot connect to 127.0.0.1:1: C");
  EXPECT_EQ(UnaryClient::Connect("nowhere", 1).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tinykv::bench
