#include "common/storage/region_error.h"

#include <string>

#include "absl/strings/cord.h"
#include "common/status.h"

namespace tinykv {
namespace {

constexpr char kPayloadUrl[] = "tinykv/errorpb.Error";

}  // namespace

absl::Status RegionErrorStatus(const errorpb::Error& error) {
  absl::Status status = Unavailable(error.message());
  status.SetPayload(kPayloadUrl, absl::Cord(error.SerializeAsString()));
  return status;
}

absl::Status ServerIsBusy(std::string_view reason) {
  errorpb::Error error;
  error.set_message(Concat("server is busy: ", reason));
  error.mutable_server_is_busy()->set_reason(std::string(reason));
  return RegionErrorStatus(error);
}

std::optional<errorpb::Error> RegionErrorOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value()) return std::nullopt;
  errorpb::Error error;
  // Fails at a text that is no UTF-8, which only a peer can have sent; what came before it counts.
  static_cast<void>(error.ParseFromString(std::string(*payload)));
  return error;
}

}  // namespace tinykv
