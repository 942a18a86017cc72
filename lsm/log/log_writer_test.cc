#include "lsm/log/log_writer.h"

#include <gtest/gtest.h>

#include "lsm/string_file.h"

namespace tinykv::lsm {
namespace {

TEST(LogWriter, AppendsAFrameInOneCall) {
  std::string content;
  StringWritableFile file(content);
  LogWriter writer(file, 1);
  ASSERT_TRUE(writer.WriteHeader().ok());
  for (const size_t bytes : {1, 1000, 5 << 20, 7}) {
    const int appends = file.appends();
    ASSERT_TRUE(writer.AddRecord(std::string(bytes, 'x')).ok());
    EXPECT_EQ(file.appends(), appends + 1);
    EXPECT_EQ(writer.size(), content.size());
  }
  EXPECT_EQ(file.syncs(), 0);
}

TEST(LogWriter, KeepsTheFirstErrorOfAnAppend) {
  std::string content;
  StringWritableFile file(content, 100);
  LogWriter writer(file, 1);
  ASSERT_TRUE(writer.WriteHeader().ok());
  ASSERT_TRUE(writer.AddRecord("fits").ok());
  const uint64_t size = writer.size();
  const absl::Status error = writer.AddRecord(std::string(100, 'x'));
  EXPECT_EQ(error.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(writer.AddRecord("would fit"), error);
  EXPECT_EQ(writer.Sync(), error);
  EXPECT_EQ(writer.Finish(), error);
  EXPECT_EQ(writer.size(), size);
  EXPECT_EQ(file.syncs(), 0);
}

TEST(LogWriter, KeepsTheFirstErrorOfASync) {
  std::string content;
  StringWritableFile file(content);
  LogWriter writer(file, 1);
  ASSERT_TRUE(writer.WriteHeader().ok());
  const absl::Status error = Internal("fdatasync");
  file.set_sync_result(error);
  EXPECT_EQ(writer.Sync(), error);
  // The kernel may have dropped the bytes: a later success would prove nothing.
  file.set_sync_result(absl::OkStatus());
  EXPECT_EQ(writer.Sync(), error);
  EXPECT_EQ(writer.AddRecord("more"), error);
}

TEST(LogWriter, TakesNothingBehindTheEndMark) {
  std::string content;
  StringWritableFile file(content);
  LogWriter writer(file, 1);
  ASSERT_TRUE(writer.WriteHeader().ok());
  ASSERT_TRUE(writer.AddRecord("record").ok());
  ASSERT_TRUE(writer.Finish().ok());
  EXPECT_EQ(writer.size(), content.size());
  EXPECT_EQ(writer.AddRecord("more").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(writer.size(), content.size());
}

}  // namespace
}  // namespace tinykv::lsm
