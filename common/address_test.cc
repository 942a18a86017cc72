#include "common/address.h"

#include <gtest/gtest.h>

#include "common/status.h"

namespace tinykv {
namespace {

TEST(Address, ReadsHostAndPort) {
  const auto address = ParseAddress("store-1.example:20160");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->host, "store-1.example");
  EXPECT_EQ(address->port, 20160);
  EXPECT_EQ(address->ToString(), "store-1.example:20160");
  EXPECT_EQ(ParseAddress("127.0.0.1:0")->port, 0);
  EXPECT_EQ(ParseAddress("127.0.0.1:65535")->port, 65535);
}

TEST(Address, PutsIpv6InBrackets) {
  const auto address = ParseAddress("[::1]:20160");
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_EQ(address->host, "::1");
  EXPECT_EQ(address->ToString(), "[::1]:20160");
}

TEST(Address, SaysWhatIsWrong) {
  EXPECT_EQ(MessageOf(ParseAddress("localhost").status()),
            "\"localhost\" is not an address: it has no port; write HOST:PORT, for example "
            "127.0.0.1:20160");
  EXPECT_EQ(MessageOf(ParseAddress("::1").status()),
            "\"::1\" is not an address: an IPv6 address needs brackets, as in [::1]:20160; write "
            "HOST:PORT, for example 127.0.0.1:20160");
  for (const char* text : {"", ":", ":1", "a:", "a:b", "a:-1", "a:65536", "a:1b", "a b:1",
                           "http://a:1", "[::1:1", "::1]:1", "[]:1", "a:1/x", "u@a:1"}) {
    const auto address = ParseAddress(text);
    EXPECT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace tinykv
