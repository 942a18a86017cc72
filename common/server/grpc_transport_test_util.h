// What the tests of GrpcTransport share: stores with real servers in one process, and addresses at
// which nobody is.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/mutex.h"
#include "common/server/grpc_transport.h"
#include "common/server/server.h"
#include "common/strings.h"
#include "common/text_test_util.h"

namespace tinykv {

constexpr Duration kAnHour = std::chrono::hours(1);

// A value that threads change, and the test waits for.
template <typename T>
class Watched {
 public:
  void Change(const std::function<void(T&)>& change) {
    MutexLock lock(mutex_);
    change(value_);
    changed_.NotifyAll();
  }
  T WaitUntil(const std::function<bool(const T&)>& condition) {
    MutexLock lock(mutex_);
    while (!condition(value_)) changed_.Wait(mutex_);
    return value_;
  }
  T Get() {
    return WaitUntil([](const T&) { return true; });
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  T value_ ABSL_GUARDED_BY(mutex_) = {};
};

// Time goes on when the test says so.
class ManualClock final : public Clock {
 public:
  Duration Now() const override { return Duration(now_.load()); }
  int64_t UnixMillis() const override { return SystemClock().UnixMillis(); }
  void Advance(Duration time) { now_ += time.count(); }

 private:
  std::atomic<int64_t> now_ = 1;
};

// A port that is ours: nobody else listens there. Connections are refused, or (where `listens`)
// made and never answered.
class DeadPort {
 public:
  explicit DeadPort(bool listens) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    TKV_CHECK(bind(socket_, generic, size) == 0);
    TKV_CHECK(getsockname(socket_, generic, &size) == 0);
    if (listens) TKV_CHECK(listen(socket_, 16) == 0);
    address_ = Concat("127.0.0.1:", ntohs(address.sin_port));
  }
  ~DeadPort() {
    close(socket_);
    if (greeted_ >= 0) close(greeted_);
  }

  DeadPort(const DeadPort&) = delete;
  DeadPort& operator=(const DeadPort&) = delete;

  const std::string& address() const { return address_; }

  // The next who connects is greeted, as a server does by an empty HTTP/2 frame of settings, and
  // then never answered. REQUIRES: listens.
  void GreetNext() {
    greeted_ = accept(socket_, nullptr, nullptr);
    constexpr char kSettings[9] = {0, 0, 0, 4, 0, 0, 0, 0, 0};
    TKV_CHECK(write(greeted_, kSettings, sizeof(kSettings)) == sizeof(kSettings));
  }

 private:
  const int socket_;
  int greeted_ = -1;
  std::string address_;
};

// A store: a transport, and a server that has its handlers. Of cluster 7, unless told otherwise.
class TestStore {
 public:
  using Messages = std::vector<std::pair<StoreId, std::string>>;

  explicit TestStore(StoreId id, GrpcTransportOptions options = {}, Clock& clock = SystemClock())
      : executor_(MakeThreadExecutor({.threads = 2})) {
    options.store_id = id;
    if (options.cluster_id == 0) options.cluster_id = 7;
    transport_ = std::make_unique<GrpcTransport>(options, *executor_, clock, metrics_);
  }
  ~TestStore() { StopServer(); }

  // Notes what arrives.
  void Receive() {
    transport_->SetReceiver([this](StoreId from, std::string message) {
      received_.Change([&](Messages& all) { all.emplace_back(from, std::move(message)); });
    });
  }
  void StartServer(const std::string& listen = "127.0.0.1:0") {
    const ServerOptions options = {.listen = listen};
    absl::Status status;
    do {
      server_ = std::make_unique<Server>(options, server_metrics_, SystemClock());
      server_->stream_handlers() = transport_->handlers();
      status = server_->Start();
      // A port that was ours may be somebody's, whom the kernel gave it for a connection.
    } while (status.code() == absl::StatusCode::kUnavailable);
    ASSERT_TRUE(status.ok()) << status;
  }
  void StopServer() {
    if (server_ != nullptr) server_->Shutdown(Duration::zero());
  }
  void DestroyTransport() { transport_ = nullptr; }

  const std::string& address() const { return server_->address(); }
  GrpcTransport& transport() { return *transport_; }

  Messages WaitForMessages(size_t count) {
    return received_.WaitUntil([&](const Messages& all) { return all.size() >= count; });
  }
  size_t message_count() { return received_.Get().size(); }

  // Whether there is such a line, "NAME{…} VALUE".
  bool Shows(const std::string& line) { return Contains(metrics_.Text(), line + "\n"); }
  void WaitUntilItShows(const std::string& line) {
    while (!Shows(line)) std::this_thread::yield();
  }

 private:
  Watched<Messages> received_;
  Metrics metrics_;
  Metrics server_metrics_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<GrpcTransport> transport_;
  std::unique_ptr<Server> server_;
};

}  // namespace tinykv
