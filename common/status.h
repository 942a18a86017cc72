// Errors of the project are absl::Status and absl::StatusOr; this header adds how they are passed
// on.
//
// Codes mean the same everywhere:
//
//   - kInvalidArgument: the caller's input is wrong; the message names it and says what would be
//     right.
//   - kFailedPrecondition: the input is fine, the state is not (wrong stage, closed engine).
//   - kDataLoss: stored bytes are damaged; the message names file and offset.
//   - kInternal: the operating system failed an operation (EIO and the like).
//   - kResourceExhausted: a full disk, or more than a limit allows.
//   - kUnavailable: busy or not there now; the same call may succeed later.
//   - kDeadlineExceeded: the caller's time is up; the outcome is unknown.
//
// "Key not found" is a result (std::nullopt), not an error.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/strings.h"

namespace tinykv {

absl::Status MakeStatus(absl::StatusCode code, std::string_view message);

// InvalidArgument("column family ", Quote(name), " is unknown"): the parts make the message, as by
// Concat().
template <typename... Parts>
absl::Status InvalidArgument(const Parts&... parts) {
  return MakeStatus(absl::StatusCode::kInvalidArgument, Concat(parts...));
}
template <typename... Parts>
absl::Status FailedPrecondition(const Parts&... parts) {
  return MakeStatus(absl::StatusCode::kFailedPrecondition, Concat(parts...));
}
template <typename... Parts>
absl::Status DataLoss(const Parts&... parts) {
  return MakeStatus(absl::StatusCode::kDataLoss, Concat(parts...));
}
template <typename... Parts>
absl::Status NotFound(const Parts&... parts) {
  return MakeStatus(absl::StatusCode::kNotFound, Concat(parts...));
}
template <typename... Parts>
absl::Status Internal(const Parts&... parts) {
  return MakeStatus(absl::StatusCode::kInternal, Concat(parts...));
}
template <typename... Parts>
absl::Status ResourceExhausted(const Parts&... parts) {
  return MakeStatus(absl::StatusCode::kResourceExhausted, Concat(parts...));
}
template <typename... Parts>
absl::Status Unavailable(const Parts&... parts) {
  return MakeStatus(absl::StatusCode::kUnavailable, Concat(parts...));
}
template <typename... Parts>
absl::Status Unimplemented(const Parts&... parts) {
  return MakeStatus(absl::StatusCode::kUnimplemented, Concat(parts...));
}
template <typename... Parts>
absl::Status DeadlineExceeded(const Parts&... parts) {
  return MakeStatus(absl::StatusCode::kDeadlineExceeded, Concat(parts...));
}

// The message of `status`; lives as long as `status`.
std::string_view MessageOf(const absl::Status& status);

// The status of a failed system call: "PATH: OPERATION: TEXT OF ERRNO".
// ENOSPC and EDQUOT become kResourceExhausted, ENOENT kNotFound, EEXIST kAlreadyExists, EACCES,
// EPERM and EROFS kPermissionDenied, everything else kInternal.
absl::Status ErrnoStatus(std::string_view operation, std::string_view path, int error_number);

// The same status with another message; code and payloads stay. OK stays OK.
absl::Status WithMessage(const absl::Status& status, std::string_view message);

// The same status with "CONTEXT: " before its message; code and payloads stay. OK stays OK.
absl::Status Annotate(const absl::Status& status, std::string_view context);

}  // namespace tinykv

namespace tinykv::internal {

template <typename Result>
inline constexpr bool kHasOk = requires(const Result& result) { result.ok(); };

}  // namespace tinykv::internal

// In the macros below, which take an absl::Status or an absl::StatusOr: one clear error instead of
// many.
#define TKV_IS_RESULT(result)                       \
  static_assert(                                    \
      ::tinykv::internal::kHasOk<decltype(result)>, \
      "this is no Status and no StatusOr; is it a call of a coroutine that lacks co_await?")

#define TKV_CONCAT_INNER(a, b) a##b
#define TKV_CONCAT(a, b) TKV_CONCAT_INNER(a, b)

// Returns from the enclosing function if `expression` is not OK.
#define TKV_RETURN_IF_ERROR(expression)      \
  do {                                       \
    auto tkv_status = (expression);          \
    TKV_IS_RESULT(tkv_status);               \
    if (!tkv_status.ok()) return tkv_status; \
  } while (false)

// TKV_ASSIGN_OR_RETURN(auto file, fs.Open(path)): unwraps a StatusOr or returns its error.
#define TKV_ASSIGN_OR_RETURN(declaration, expression) \
  TKV_ASSIGN_OR_RETURN_INNER(TKV_CONCAT(tkv_result_, __LINE__), declaration, expression)
#define TKV_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                       \
  TKV_IS_RESULT(result);                                            \
  if (!result.ok()) return std::move(result).status();              \
  declaration = *std::move(result)

// The same two for coroutines.
#define TKV_CO_RETURN_IF_ERROR(expression)      \
  do {                                          \
    auto tkv_status = (expression);             \
    TKV_IS_RESULT(tkv_status);                  \
    if (!tkv_status.ok()) co_return tkv_status; \
  } while (false)

#define TKV_CO_ASSIGN_OR_RETURN(declaration, expression) \
  TKV_CO_ASSIGN_OR_RETURN_INNER(TKV_CONCAT(tkv_result_, __LINE__), declaration, expression)
#define TKV_CO_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                          \
  TKV_IS_RESULT(result);                                               \
  if (!result.ok()) co_return std::move(result).status();              \
  declaration = *std::move(result)
