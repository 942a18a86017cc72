#include "graders/bench/unary_client.h"

#include <asio/connect.hpp>
#include <asio/dispatch.hpp>
#include <asio/ip/tcp.hpp>
#include <utility>

#include "common/address.h"
#include "common/check.h"
#include "common/status.h"

namespace tinykv::bench {
namespace {

absl::StatusOr<asio::ip::tcp::socket> OpenSocket(asio::io_context& context,
                                                 const std::string& text) {
  TKV_ASSIGN_OR_RETURN(const Address address, ParseAddress(text));
  asio::ip::tcp::socket socket(context);
  asio::error_code error;
  const auto found =
      asio::ip::tcp::resolver(context).resolve(address.host, Concat(address.port), error);
  if (!error) asio::connect(socket, found, error);
  if (!error) socket.set_option(asio::ip::tcp::no_delay(true), error);
  if (error) return Unavailable("cannot connect to ", text, ": ", error.message());
  return socket;
}

}  // namespace

absl::StatusOr<std::unique_ptr<UnaryClient>> UnaryClient::Connect(const std::string& address,
                                                                  uint32_t connections) {
  TKV_CHECK(connections > 0);
  std::unique_ptr<UnaryClient> client(new UnaryClient);
  for (uint32_t i = 0; i < connections; ++i) {
    TKV_ASSIGN_OR_RETURN(auto socket, OpenSocket(client->context_, address));
    client->connections_.push_back(std::make_unique<UnaryConnection>(std::move(socket), address));
  }
  client->thread_ = std::thread([&context = client->context_] { context.run(); });
  return client;
}

UnaryClient::~UnaryClient() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

void UnaryClient::Call(uint32_t connection, std::string path, std::string message, Answer answer) {
  UnaryConnection& chosen = *connections_[connection % connections_.size()];
  asio::dispatch(context_, [&chosen, path = std::move(path), message = std::move(message),
                            answer = std::move(answer)]() mutable {
    chosen.Call(path, message, std::move(answer));
  });
}

}  // namespace tinykv::bench
