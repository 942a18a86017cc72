#include "common/server/listen_failure.h"

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include "common/status.h"

namespace tinykv {
namespace {

TEST(ExplainListenFailure, TellsTakenFromForeignFromUnknown) {
  using asio::ip::tcp;
  asio::io_context context;
  const tcp::acceptor taken(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const Address address{.host = "127.0.0.1", .port = taken.local_endpoint().port()};
  EXPECT_EQ(MessageOf(ExplainListenFailure(address)),
            Concat("cannot listen on ", address.ToString(), ": Address already in use"));
  // 192.0.2.0/24 is set aside for documentation, so it is nobody's.
  EXPECT_EQ(MessageOf(ExplainListenFailure({.host = "192.0.2.1", .port = 1})),
            "cannot listen on 192.0.2.1:1: Cannot assign requested address");
  EXPECT_EQ(ExplainListenFailure({.host = "127.0.0.1", .port = 0}).code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace tinykv
