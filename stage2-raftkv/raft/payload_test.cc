#include "stage2-raftkv/raft/payload.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace tinykv::raft {
namespace {

TEST(Payload, CopiesShareTheirBytes) {
  const std::vector<Payload> copies(2, Payload("some bytes"));
  EXPECT_EQ(copies[0].view().data(), copies[1].view().data());
}

TEST(Payload, OutlivesWhatItWasCopiedFrom) {
  std::optional<Payload> one("some bytes");
  const Payload other = *one;
  one.reset();
  EXPECT_EQ(other.view(), "some bytes");
}

TEST(Payload, IsComparedByWhatItSays) {
  EXPECT_EQ(Payload("a"), Payload("a"));
  EXPECT_NE(Payload("a"), Payload("b"));
  EXPECT_NE(Payload("a"), Payload());
}

TEST(Payload, OfNothingIsTheEmptyOne) {
  EXPECT_EQ(Payload(""), Payload());
  EXPECT_TRUE(Payload("").empty());
  EXPECT_EQ(Payload("").size(), 0u);
  EXPECT_EQ(Payload("").view(), "");
}

TEST(Payload, HoldsAnyBytes) {
  const std::string bytes("\0\xff\0", 3);
  EXPECT_EQ(Payload(bytes).view(), bytes);
  EXPECT_EQ(Payload(bytes).size(), 3u);
  EXPECT_FALSE(Payload(bytes).empty());
}

}  // namespace
}  // namespace tinykv::raft
