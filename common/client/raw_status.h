// What the responses to raw requests say, as Statuses. For the clients of this folder.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/status.h"

namespace tinykv {

// The error of a call or, if it went well, the one that its response carries as text: the store
// understood the request and refuses it. The wire has no code for why, so it becomes kUnknown.
template <typename Response>
absl::Status RawStatusOf(const absl::StatusOr<Response>& response) {
  if (!response.ok()) return response.status();
  if (response->error().empty()) return absl::OkStatus();
  return MakeStatus(absl::StatusCode::kUnknown, response->error());
}

// The same for a write. After a time-out nobody knows what the store did or will still do, and the
// message says so.
template <typename Response>
absl::Status RawWriteStatusOf(const absl::StatusOr<Response>& response) {
  absl::Status status = RawStatusOf(response);
  if (!absl::IsDeadlineExceeded(status)) return status;
  return DeadlineExceeded(MessageOf(status), "; it is unknown whether the write was done");
}

}  // namespace tinykv
