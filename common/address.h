// Address: where a server listens, and where a client finds it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace tinykv {

struct Address {
  std::string host;  // a name, an IPv4 address, or an IPv6 address without its brackets
  uint16_t port = 0;

  // HOST:PORT, with brackets around an IPv6 address.
  std::string ToString() const;
};

// Reads HOST:PORT. Errors: kInvalidArgument, saying what is wrong with `text` and what would be
// right.
absl::StatusOr<Address> ParseAddress(std::string_view text);

}  // namespace tinykv
