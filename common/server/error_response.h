// How a handler's error becomes part of its rpc's response. Responses differ in what they have for
// it, so that is asked of the message's type: an rpc added to proto/ needs nothing here.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/status.h"
#include "common/storage/region_error.h"
#include "proto/kvrpcpb.pb.h"

namespace tinykv {

namespace internal {

// Raw responses: a text for people.
template <typename Response>
concept HasErrorText = requires(Response response) { response.set_error(std::string()); };

// Most transactional responses: one KeyError.
template <typename Response>
concept HasKeyError = requires(Response response) { response.mutable_error()->set_abort(""); };

// Prewrite: a KeyError for each key that could not be locked.
template <typename Response>
concept HasKeyErrors = requires(Response response) { response.add_errors()->set_abort(""); };

// Scan: an error stands in the place of a pair.
template <typename Response>
concept HasPairErrors =
    requires(Response response) { response.add_pairs()->mutable_error()->set_abort(""); };

// The coprocessor.
template <typename Response>
concept HasOtherError = requires(Response response) { response.set_other_error(std::string()); };

// CheckTxnStatus can say only that the region has trouble.
template <typename Response>
void SetErrorText(Response& response, const std::string& text) {
  if constexpr (HasErrorText<Response>) {
    response.set_error(text);
  } else if constexpr (HasKeyError<Response>) {
    response.mutable_error()->set_abort(text);
  } else if constexpr (HasKeyErrors<Response>) {
    response.add_errors()->set_abort(text);
  } else if constexpr (HasPairErrors<Response>) {
    response.add_pairs()->mutable_error()->set_abort(text);
  } else if constexpr (HasOtherError<Response>) {
    response.set_other_error(text);
  } else {
    response.mutable_region_error()->set_message(text);
  }
}

}  // namespace internal

// Empties `response` and puts `error` into it: a region error as region_error, any other as the
// response's own kind of error. REQUIRES: !error.ok().
template <typename Response>
void SetError(Response& response, const absl::Status& error) {
  response.Clear();
  if (auto region_error = RegionErrorOf(error)) {
    *response.mutable_region_error() = *std::move(region_error);
  } else {
    // Never an empty text: clients would take it for success.
    const std::string_view message = MessageOf(error);
    internal::SetErrorText(
        response, message.empty() ? absl::StatusCodeToString(error.code()) : std::string(message));
  }
}

}  // namespace tinykv
