#include "common/status.h"

#include <cerrno>
#include <system_error>

#include "absl/strings/cord.h"

namespace tinykv {
namespace {

absl::StatusCode CodeOfErrno(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return absl::StatusCode::kResourceExhausted;
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case EEXIST:
      return absl::StatusCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

absl::Status MakeStatus(absl::StatusCode code, std::string_view message) {
  return absl::Status(code, absl::string_view(message.data(), message.size()));
}

std::string_view MessageOf(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}

absl::Status ErrnoStatus(std::string_view operation, std::string_view path, int error_number) {
  // std::generic_category().message() is thread-safe, strerror() is not.
  return MakeStatus(
      CodeOfErrno(error_number),
      Concat(path, ": ", operation, ": ", std::generic_category().message(error_number)));
}

absl::Status WithMessage(const absl::Status& status, std::string_view message) {
  if (status.ok()) return status;
  absl::Status changed = MakeStatus(status.code(), message);
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { changed.SetPayload(url, payload); });
  return changed;
}

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  return WithMessage(status, Concat(context, ": ", MessageOf(status)));
}

}  // namespace tinykv
