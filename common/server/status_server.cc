#include "common/server/status_server.h"

#include <latch>
#include <thread>
#include <utility>

#include <httplib.h>
#include <sys/socket.h>
#include <nlohmann/json.hpp>

#include "common/server/listen_failure.h"
#include "common/server/status_page.h"
#include "common/status.h"

namespace tinykv {
namespace {

// A browser, a scraper, a script and one to spare.
constexpr size_t kThreads = 4;
// A client that connects and says nothing holds a thread for this long.
constexpr time_t kReadSeconds = 2;

void SetSocketOptions(socket_t socket) {
  // httplib's default is SO_REUSEPORT, with which a port that is taken looks free.
  const int yes = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
}

// Paths of requests and of files need not be UTF-8, which JSON must be.
std::string ToText(const nlohmann::json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

void AnswerError(const httplib::Request& request, httplib::Response& response) {
  const nlohmann::json answer = {
      {"error", Concat(request.method, " ", request.path, " is not served here")},
      {"status", response.status},
      {"served", {"/", "/status", "/metrics"}}};
  response.set_content(ToText(answer), "application/json");
}

}  // namespace

struct StatusServer::State {
  State(std::function<nlohmann::json()> provider, const Metrics& shown)
      : status(std::move(provider)), metrics(shown) {}

  std::function<nlohmann::json()> status;
  const Metrics& metrics;
  httplib::Server http;
  std::latch accepting{1};
  std::string address;
  std::thread thread;
};

StatusServer::StatusServer(std::function<nlohmann::json()> status, const Metrics& metrics)
    : state_(std::make_unique<State>(std::move(status), metrics)) {
  httplib::Server& http = state_->http;
  // Called once, when the accepting loop begins.
  http.new_task_queue = [this] {
    state_->accepting.count_down();
    return new httplib::ThreadPool(kThreads);
  };
  http.set_socket_options(SetSocketOptions);
  // One request a connection: an idle browser must not hold a thread.
  http.set_keep_alive_max_count(1);
  http.set_read_timeout(kReadSeconds);
  http.set_error_handler(AnswerError);
  http.Get("/", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(kStatusPage, "text/html; charset=utf-8");
  });
  http.Get("/status", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(ToText(state_->status()), "application/json");
  });
  http.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    response.set_content(state_->metrics.Text(), "text/plain; version=0.0.4");
  });
}

StatusServer::~StatusServer() { Stop(); }

absl::Status StatusServer::Start(const std::string& listen) {
  TKV_ASSIGN_OR_RETURN(Address address, ParseAddress(listen));
  httplib::Server& http = state_->http;
  if (address.port == 0) {
    const int port = http.bind_to_any_port(address.host);
    if (port < 0) return ExplainListenFailure(address);
    address.port = static_cast<uint16_t>(port);
  } else if (!http.bind_to_port(address.host, address.port)) {
    return ExplainListenFailure(address);
  }
  state_->address = address.ToString();
  state_->thread = std::thread([&http] { http.listen_after_bind(); });
  state_->accepting.wait();  // before that, httplib would ignore a stop()
  return absl::OkStatus();
}

const std::string& StatusServer::address() const { return state_->address; }

void StatusServer::Stop() {
  if (!state_->thread.joinable()) return;
  state_->http.stop();
  state_->thread.join();
}

}  // namespace tinykv
