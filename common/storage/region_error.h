// A region error as a Status: "this store cannot serve that now, look up the region again or come
// back later".
//
// It travels from the storage through a handler as an ordinary error Status with an errorpb.Error
// as payload; the server moves it into the response's region_error field, where clients look for
// it. The gRPC status stays OK: clients take any other as a dead store (DESIGN 5).
#pragma once

#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "proto/errorpb.pb.h"

namespace tinykv {

// An error Status that carries `error`. Its code is kUnavailable, its message error.message().
absl::Status RegionErrorStatus(const errorpb::Error& error);

// A region error that says "server is busy": a queue is full, and nothing was done.
absl::Status ServerIsBusy(std::string_view reason);

// The region error that `status` carries, if any.
std::optional<errorpb::Error> RegionErrorOf(const absl::Status& status);

}  // namespace tinykv
