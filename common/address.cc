#include "common/address.h"

#include <charconv>

#include "common/status.h"

namespace tinykv {
namespace {

absl::Status Malformed(std::string_view text, std::string_view why) {
  return InvalidArgument(Quote(text), " is not an address: ", why,
                         "; write HOST:PORT, for example 127.0.0.1:20160");
}

}  // namespace

std::string Address::ToString() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return is_ipv6 ? Concat("[", host, "]:", port) : Concat(host, ":", port);
}

absl::StatusOr<Address> ParseAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Malformed(text, "it has no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return Malformed(text, "an IPv6 address needs brackets, as in [::1]:20160");
  }
  if (host.empty()) return Malformed(text, "it has no host");
  if (host.find_first_of(" \t/[]@?#%") != std::string_view::npos) {
    return Malformed(text, "the host has a character that no host has");
  }
  Address address{.host = std::string(host)};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) {
    return Malformed(text, "the port is not a number from 0 to 65535");
  }
  return address;
}

}  // namespace tinykv
