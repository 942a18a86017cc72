#include "common/env/free_space.h"

#include <gtest/gtest.h>

#include <string>

#include "common/env/temporary_directory.h"
#include "common/status.h"

namespace tinykv {
namespace {

TEST(FreeBytes, AreThoseOfTheDirectorysDisk) {
  const TemporaryDirectory directory;
  const auto bytes = FreeBytes(directory.path());
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_GT(*bytes, 0u);
}

TEST(FreeBytes, OfNoDirectoryAreAnErrorThatNamesIt) {
  const absl::Status status = FreeBytes("/nowhere/at/all").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(MessageOf(status).find("/nowhere/at/all"), std::string::npos) << status;
}

}  // namespace
}  // namespace tinykv
