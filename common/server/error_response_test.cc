#include "common/server/error_response.h"

#include <gtest/gtest.h>

#include "proto/coprocessor.pb.h"

namespace tinykv {
namespace {

// The response of type `Response` to an error that is no region error.
template <typename Response>
Response To(const absl::Status& error) {
  Response response;
  SetError(response, error);
  return response;
}

TEST(SetError, PutsTheTextWhereTheResponseHasAPlaceForIt) {
  const absl::Status error = InvalidArgument("no such thing");
  EXPECT_EQ(To<kvrpcpb::RawGetResponse>(error).error(), "no such thing");
  EXPECT_EQ(To<kvrpcpb::RawPutResponse>(error).error(), "no such thing");
  EXPECT_EQ(To<kvrpcpb::RawDeleteResponse>(error).error(), "no such thing");
  EXPECT_EQ(To<kvrpcpb::RawScanResponse>(error).error(), "no such thing");
  EXPECT_EQ(To<kvrpcpb::GetResponse>(error).error().abort(), "no such thing");
  EXPECT_EQ(To<kvrpcpb::CommitResponse>(error).error().abort(), "no such thing");
  EXPECT_EQ(To<kvrpcpb::BatchRollbackResponse>(error).error().abort(), "no such thing");
  EXPECT_EQ(To<kvrpcpb::ResolveLockResponse>(error).error().abort(), "no such thing");
  EXPECT_EQ(To<kvrpcpb::PrewriteResponse>(error).errors(0).abort(), "no such thing");
  EXPECT_EQ(To<kvrpcpb::ScanResponse>(error).pairs(0).error().abort(), "no such thing");
  EXPECT_EQ(To<coprocessor::Response>(error).other_error(), "no such thing");
  // It has no other place.
  EXPECT_EQ(To<kvrpcpb::CheckTxnStatusResponse>(error).region_error().message(), "no such thing");
}

template <typename Response>
class AnyResponse : public testing::Test {};

using Responses =
    testing::Types<kvrpcpb::RawGetResponse, kvrpcpb::RawPutResponse, kvrpcpb::RawDeleteResponse,
                   kvrpcpb::RawScanResponse, kvrpcpb::GetResponse, kvrpcpb::ScanResponse,
                   kvrpcpb::PrewriteResponse, kvrpcpb::CommitResponse,
                   kvrpcpb::CheckTxnStatusResponse, kvrpcpb::BatchRollbackResponse,
                   kvrpcpb::ResolveLockResponse, coprocessor::Response>;
TYPED_TEST_SUITE(AnyResponse, Responses);

TYPED_TEST(AnyResponse, CarriesARegionErrorAndNothingElse) {
  errorpb::Error error;
  error.set_message("not the leader");
  error.mutable_not_leader()->set_region_id(7);
  TypeParam expected;
  *expected.mutable_region_error() = error;
  const auto response = To<TypeParam>(RegionErrorStatus(error));
  EXPECT_EQ(response.SerializeAsString(), expected.SerializeAsString());
}

TYPED_TEST(AnyResponse, IsNotEmptyEvenForAnErrorWithoutText) {
  EXPECT_FALSE(
      To<TypeParam>(absl::Status(absl::StatusCode::kInternal, "")).SerializeAsString().empty());
}

TEST(SetError, EmptiesTheResponseFirst) {
  kvrpcpb::RawGetResponse response;
  response.set_value("half an answer");
  SetError(response, InvalidArgument("no"));
  EXPECT_EQ(response.value(), "");
}

}  // namespace
}  // namespace tinykv
