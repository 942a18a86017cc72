// What ./tinykv up has started, so that its addresses need not be typed.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace tinykv::ctl {

// The addresses of the stores that .tinykv/cluster.json of `folder`, or else of the next folder
// above it that has one, says are up, with commas between them. Nothing if there is none.
// Errors: kDataLoss if the file is not what ./tinykv up writes; kInternal if it cannot be read.
absl::StatusOr<std::optional<std::string>> AddressesOfRunningCluster(const std::string& folder);

}  // namespace tinykv::ctl
