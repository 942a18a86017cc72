// Why a server could not listen.
#pragma once

#include "absl/status/status.h"
#include "common/address.h"

namespace tinykv {

// Why a library that does not say so could not listen on `address`, found out by trying it: the
// port is taken, the address is not this machine's, the host is unknown.
// Errors: kUnavailable, always.
absl::Status ExplainListenFailure(const Address& address);

}  // namespace tinykv
