#include "common/server/listen_failure.h"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <string>
#include <string_view>

#include "common/status.h"

namespace tinykv {

absl::Status ExplainListenFailure(const Address& address) {
  using asio::ip::tcp;
  const auto failure = [&](std::string_view reason) {
    return Unavailable("cannot listen on ", address.ToString(), ": ", reason);
  };
  asio::io_context context;
  asio::error_code error;
  const auto endpoints = tcp::resolver(context).resolve(address.host, std::to_string(address.port),
                                                        tcp::resolver::passive, error);
  if (error) return failure(error.message());
  for (const auto& endpoint : endpoints) {
    tcp::acceptor acceptor(context);
    acceptor.open(endpoint.endpoint().protocol(), error);
    // As servers do: a port that is only cooling down (TIME_WAIT) is not taken.
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint.endpoint(), error);
    if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
    if (error) return failure(error.message());
  }
  return failure("it was not available a moment ago");
}

}  // namespace tinykv
