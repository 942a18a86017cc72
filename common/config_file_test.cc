#include "common/config_file.h"

#include <gtest/gtest.h>

#include <string>

#include "common/env/temporary_directory.h"
#include "common/status.h"
#include "common/text_test_util.h"

namespace tinykv {
namespace {

class ConfigFileTest : public testing::Test {
 protected:
  ConfigFileTest() {
    config_.Add("listen", &listen_, "An address.");
    config_.Add("sync", &sync_, "Whether to sync.");
    config_.AddCount("limits.requests", &requests_, {1, 100}, "A count.");
    config_.AddSize("limits.key_bytes", &key_bytes_, {1, 1 << 20}, "A size.");
    config_.AddDuration("patience", &patience_, {Duration::zero(), std::chrono::hours(1)},
                        "A time.");
  }

  // The message of the error without the file's folder, or "OK".
  std::string Load(std::string_view content) {
    const std::string path = JoinPath(directory_.path(), "a.toml");
    EXPECT_TRUE(WriteFileAtomically(PosixFileSystem(), path, content).ok());
    const absl::Status status = LoadConfigFile(PosixFileSystem(), path, config_);
    if (status.ok()) return "OK";
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    const std::string message(MessageOf(status));
    EXPECT_TRUE(message.starts_with(directory_.path() + "/")) << message;
    return message.substr(directory_.path().size() + 1);
  }

  TemporaryDirectory directory_;
  Config config_;
  std::string listen_ = "here";
  bool sync_ = true;
  uint64_t requests_ = 10;
  uint64_t key_bytes_ = 4096;
  Duration patience_ = std::chrono::seconds(1);
};

TEST_F(ConfigFileTest, SetsWhatItNamesAndNothingElse) {
  EXPECT_EQ(Load("sync = false\n"
                 "patience = \"250ms\"\n"
                 "[limits]\n"
                 "key_bytes = \"1KiB\"\n"),
            "OK");
  EXPECT_FALSE(sync_);
  EXPECT_EQ(patience_, std::chrono::milliseconds(250));
  EXPECT_EQ(key_bytes_, 1024u);
  EXPECT_EQ(listen_, "here");
  EXPECT_EQ(requests_, 10u);
}

TEST_F(ConfigFileTest, TakesEveryWayThatTomlHasOfWritingIt) {
  EXPECT_EQ(Load("limits = {requests = 20, key_bytes = 0x800}"), "OK");
  EXPECT_EQ(requests_, 20u);
  EXPECT_EQ(key_bytes_, 2048u);
  EXPECT_EQ(Load("limits.requests = 3_0"), "OK");
  EXPECT_EQ(requests_, 30u);
  EXPECT_EQ(Load(""), "OK");
  EXPECT_EQ(Load("[limits]"), "OK");
}

TEST_F(ConfigFileTest, NamesAnUnknownKeyItsPlaceAndTheNearestOne) {
  EXPECT_EQ(Load("# a comment\nlisen = \"x\"\n"),
            "a.toml:2: unknown key \"lisen\"; did you mean \"listen\"?");
  EXPECT_EQ(Load("[limit]\nkey_bytes = 1\n"),
            "a.toml:2: unknown key \"limit.key_bytes\"; did you mean \"limits.key_bytes\"?");
  EXPECT_EQ(Load("[limits]\nzzzzzzzzzzzzzzzzzzzz = 1\n"),
            "a.toml:2: unknown key \"limits.zzzzzzzzzzzzzzzzzzzz\"");
  EXPECT_EQ(Load("\n[colours]\n"), "a.toml:2: unknown key \"colours\"");
}

TEST_F(ConfigFileTest, NamesAValueOfTheWrongType) {
  EXPECT_EQ(Load("listen = 5"),
            "a.toml:1: listen: it must be a string in quotes, and is an integer");
  EXPECT_EQ(Load("sync = \"true\""), "a.toml:1: sync: it must be true or false, and is a string");
  EXPECT_EQ(Load("limits.requests = 1.5"),
            "a.toml:1: limits.requests: it must be an integer, and is a fraction");
  EXPECT_EQ(Load("limits.key_bytes = true"),
            "a.toml:1: limits.key_bytes: it must be a number of bytes, or a string such as "
            "\"64MiB\", and is a boolean");
  EXPECT_EQ(Load("patience = 5"),
            "a.toml:1: patience: it must be a string such as \"5s\", and is an integer");
  EXPECT_EQ(Load("limits = 5"), "a.toml:1: unknown key \"limits\"");
  EXPECT_EQ(Load("listen = [\"a\"]"),
            "a.toml:1: listen: it must be a string in quotes, and is a list");
}

TEST_F(ConfigFileTest, NamesAValueOutOfRange) {
  EXPECT_EQ(Load("[limits]\nrequests = 0"),
            "a.toml:2: limits.requests: 0 is out of range; it must be from 1 to 100");
  EXPECT_EQ(Load("[limits]\nrequests = -1"),
            "a.toml:2: limits.requests: \"-1\" is not a number; write digits only");
}

TEST_F(ConfigFileTest, NamesThePlaceWhereItIsNotToml) {
  EXPECT_TRUE(StartsWith(Load("listen = \"a\"\nsync = = true\n"), "a.toml:2: "));
  EXPECT_TRUE(StartsWith(Load("sync = true\nsync = false\n"), "a.toml:2: "));
  EXPECT_TRUE(StartsWith(Load("\xff\xfe"), "a.toml:1: "));
}

TEST_F(ConfigFileTest, NamesAFileThatIsNotThere) {
  const absl::Status status = LoadConfigFile(PosixFileSystem(), "/none/a.toml", config_);
  EXPECT_EQ(MessageOf(status), "/none/a.toml: open: No such file or directory");
}

}  // namespace
}  // namespace tinykv
