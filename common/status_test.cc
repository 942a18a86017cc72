#include "common/status.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

#include "absl/strings/cord.h"

namespace tinykv {
namespace {

absl::StatusOr<std::unique_ptr<int>> Half(int value) {
  if (value % 2 != 0) return InvalidArgument("odd number ", value);
  return std::make_unique<int>(value / 2);
}

absl::StatusOr<int> Quarter(int value) {
  TKV_ASSIGN_OR_RETURN(const std::unique_ptr<int> half, Half(value));
  TKV_ASSIGN_OR_RETURN(const auto quarter, Half(*half));
  return *quarter;
}

absl::Status CheckQuarter(int value) {
  TKV_RETURN_IF_ERROR(Quarter(value).status());
  return absl::OkStatus();
}

TEST(Status, FactoriesJoinTheirParts) {
  const absl::Status status = DataLoss("table 7 at ", uint64_t{4096}, ": ", 'x');
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(MessageOf(status), "table 7 at 4096: x");
}

TEST(Status, MacrosPassTheFirstErrorOn) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_TRUE(CheckQuarter(8).ok());
  EXPECT_EQ(MessageOf(CheckQuarter(7)), "odd number 7");
  EXPECT_EQ(MessageOf(CheckQuarter(6)), "odd number 3");
}

TEST(Status, OfASystemCallNamesPathOperationAndReason) {
  const absl::Status status = ErrnoStatus("write", "data/000001.log", ENOSPC);
  EXPECT_EQ(MessageOf(status), "data/000001.log: write: No space left on device");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrnoStatus("open", "a", ENOENT).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ErrnoStatus("link", "a", EEXIST).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ErrnoStatus("open", "a", EACCES).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrnoStatus("read", "a", EIO).code(), absl::StatusCode::kInternal);
}

TEST(Status, AnnotateKeepsCodeAndPayloads) {
  absl::Status status = Unavailable("busy");
  status.SetPayload("test/payload", absl::Cord("p"));
  const absl::Status annotated = Annotate(status, "region 3");
  EXPECT_EQ(annotated.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(MessageOf(annotated), "region 3: busy");
  EXPECT_EQ(annotated.GetPayload("test/payload"), absl::Cord("p"));
  EXPECT_TRUE(Annotate(absl::OkStatus(), "region 3").ok());
}

}  // namespace
}  // namespace tinykv
