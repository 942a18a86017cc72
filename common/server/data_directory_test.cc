#include "common/server/data_directory.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "common/env/temporary_directory.h"
#include "common/status.h"
#include "common/text_test_util.h"

namespace tinykv {
namespace {

constexpr char kIdentityOfStage1[] = "tinykv data directory\nformat 1\nstage 1\n";

class DataDirectoryTest : public testing::Test {
 protected:
  auto Claim(int stage) { return ClaimDataDirectory(fs_, path_, stage); }

  // The message of the error after "data directory PATH: ".
  std::string Refusal(int stage) {
    const auto lock = Claim(stage);
    const std::string message(MessageOf(lock.status()));
    const std::string prefix = Concat("data directory ", path_, ": ");
    EXPECT_TRUE(message.starts_with(prefix)) << message;
    return message.substr(std::min(prefix.size(), message.size()));
  }

  void Write(std::string_view name, std::string_view content) {
    ASSERT_TRUE(fs_.CreateDirectories(path_).ok());
    ASSERT_TRUE(WriteFileAtomically(fs_, JoinPath(path_, name), content).ok());
  }

  FileSystem& fs_ = PosixFileSystem();
  TemporaryDirectory parent_;
  std::string path_ = JoinPath(parent_.path(), "a/b");
};

TEST_F(DataDirectoryTest, IsMadeWithItsParents) {
  ASSERT_TRUE(Claim(1).ok());
  EXPECT_EQ(*ReadFile(fs_, JoinPath(path_, "IDENTITY")), kIdentityOfStage1);
}

TEST_F(DataDirectoryTest, IsClaimedWhenItIsEmpty) {
  ASSERT_TRUE(fs_.CreateDirectories(path_).ok());
  EXPECT_TRUE(Claim(1).ok());
}

TEST_F(DataDirectoryTest, IsFoundAgainBesideItsData) {
  ASSERT_TRUE(Claim(1).ok());
  Write("CURRENT", "data of an engine");
  EXPECT_TRUE(Claim(1).ok());
}

TEST_F(DataDirectoryTest, IsClaimedAgainAfterAClaimThatWasCutShort) {
  Write("IDENTITY.lock", "");
  Write("IDENTITY.tmp", "tinykv da");
  EXPECT_TRUE(Claim(1).ok());
  EXPECT_EQ(*ReadFile(fs_, JoinPath(path_, "IDENTITY")), kIdentityOfStage1);
}

TEST_F(DataDirectoryTest, IsHeldByOneServerAtATime) {
  auto lock = Claim(1);
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_EQ(Claim(1).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Refusal(1), "in use by another server");
  lock->reset();
  EXPECT_TRUE(Claim(1).ok());
}

TEST_F(DataDirectoryTest, OfAnotherStageIsRefused) {
  ASSERT_TRUE(Claim(2).ok());
  EXPECT_EQ(Refusal(1),
            "belongs to stage 2, and this is stage 1; choose another with --data, or remove it");
  EXPECT_EQ(Claim(1).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(DataDirectoryTest, OfAnotherFormatIsRefusedWhateverElseItSays) {
  Write("IDENTITY", "tinykv data directory\nformat 2\nsomething new\n");
  EXPECT_EQ(Refusal(1),
            "has format 2, and this server knows format 1; use the server that made it, or choose "
            "another with --data");
}

TEST_F(DataDirectoryTest, WithADamagedIdentityIsRefused) {
  for (const char* text :
       {"", "x", "tinykv data directory\nformat 1\n", "tinykv data directory",
        "tinykv data directory\nformat x\nstage 1\n", "tinykv data directory\nformat 1\nstage 1",
        "tinykv data directory\nformat 1\nstage 1\nmore\n"}) {
    Write("IDENTITY", text);
    EXPECT_EQ(Refusal(1), "damaged: its file IDENTITY does not say whose it is") << text;
    EXPECT_EQ(Claim(1).status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST_F(DataDirectoryTest, OfSomebodyElseIsRefusedAndLeftAlone) {
  Write("thesis.tex", "important");
  EXPECT_EQ(Refusal(1),
            "not one of ours: it has other files (\"thesis.tex\") and no file IDENTITY; choose an "
            "empty or a new one with --data");
  EXPECT_EQ(*fs_.List(path_), std::vector<std::string>{"thesis.tex"});
}

TEST_F(DataDirectoryTest, ThatIsAFileIsRefused) {
  Write("file", "");
  path_ = JoinPath(path_, "file");
  EXPECT_TRUE(Contains(Refusal(1), "Not a directory"));
  const std::string file = std::exchange(path_, JoinPath(path_, "below"));
  EXPECT_TRUE(Contains(Refusal(1), file));
}

}  // namespace
}  // namespace tinykv
