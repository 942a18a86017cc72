#include "common/config_flags.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/env/temporary_directory.h"
#include "common/status.h"
#include "common/text_test_util.h"

namespace tinykv {
namespace {

class ConfigFlagsTest : public testing::Test {
 protected:
  ConfigFlagsTest() {
    config_.Add("listen", &listen_, "Where to serve");
    config_.Add("sync_writes", &sync_writes_, "Whether to sync");
    config_.AddSize("engine.memtable_bytes", &memtable_bytes_, {1024, 1 << 30}, "How much");
  }

  absl::StatusOr<ProgramAction> Load(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "a-server");
    return LoadConfig(PosixFileSystem(), program_, static_cast<int>(arguments.size()),
                      arguments.data(), config_);
  }

  // The message of the error, or "OK".
  std::string Error(const std::vector<const char*>& arguments) {
    const auto action = Load(arguments);
    return action.ok() ? "OK" : std::string(MessageOf(action.status()));
  }

  std::string ConfigFile(std::string_view content) {
    std::string path = JoinPath(directory_.path(), "a.toml");
    EXPECT_TRUE(WriteFileAtomically(PosixFileSystem(), path, content).ok());
    return path;
  }

  const ProgramDescription program_{.name = "a-server", .purpose = "Serves."};
  TemporaryDirectory directory_;
  Config config_;
  std::string listen_ = "here";
  bool sync_writes_ = true;
  uint64_t memtable_bytes_ = 64 << 20;
};

TEST_F(ConfigFlagsTest, ChangeNothingWhenThereAreNone) {
  EXPECT_EQ(*Load({}), ProgramAction::kRun);
  EXPECT_EQ(listen_, "here");
}

TEST_F(ConfigFlagsTest, AreKeysWithDashes) {
  EXPECT_EQ(*Load({"--listen", "there", "--sync-writes=false", "--engine.memtable-bytes=1MiB"}),
            ProgramAction::kRun);
  EXPECT_EQ(listen_, "there");
  EXPECT_FALSE(sync_writes_);
  EXPECT_EQ(memtable_bytes_, 1u << 20);
}

TEST_F(ConfigFlagsTest, WinOverTheFile) {
  const std::string path = ConfigFile("listen = \"file\"\n[engine]\nmemtable_bytes = \"2MiB\"\n");
  EXPECT_EQ(*Load({"--listen", "flag", "--config", path.c_str()}), ProgramAction::kRun);
  EXPECT_EQ(listen_, "flag");
  EXPECT_EQ(memtable_bytes_, 2u << 20);
}

TEST_F(ConfigFlagsTest, NameTheActions) {
  EXPECT_EQ(*Load({"--check-config"}), ProgramAction::kCheckConfig);
  EXPECT_EQ(*Load({"--help"}), ProgramAction::kHelp);
  EXPECT_EQ(*Load({"-h"}), ProgramAction::kHelp);
  EXPECT_EQ(*Load({"--version"}), ProgramAction::kVersion);
}

TEST_F(ConfigFlagsTest, AreNamedInErrors) {
  EXPECT_EQ(Error({"--lisen=x"}),
            "unknown flag --lisen; did you mean \"--listen\"? --help shows what there is");
  EXPECT_EQ(Error({"--zzzzzzzzzzzzzzzzzz"}),
            "unknown flag --zzzzzzzzzzzzzzzzzz; --help shows what there is");
  EXPECT_EQ(Error({"start"}), "unexpected argument \"start\"; --help shows what there is");
  EXPECT_EQ(Error({"--engine.memtable-bytes", "1"}),
            "--engine.memtable-bytes: 1 is out of range; it must be from 1KiB to 1GiB");
  EXPECT_TRUE(Contains(Error({"--listen"}), "--listen"));
  EXPECT_TRUE(Contains(Error({"--listen=a", "--listen=b"}), "--listen"));
}

TEST_F(ConfigFlagsTest, DoNotHideAnErrorOfTheFile) {
  const std::string path = ConfigFile("engine.memtable_bytes = 1");
  EXPECT_TRUE(Contains(Error({"--config", path.c_str(), "--engine.memtable-bytes=1MiB"}),
                       "a.toml:1: engine.memtable_bytes: 1 is out of range"));
  EXPECT_TRUE(Contains(Error({"--config=/none", "--check-config"}), "/none: open: "));
}

TEST_F(ConfigFlagsTest, AreExplainedByHelp) {
  const std::string text = HelpText(program_, config_);
  for (const char* part : {"Serves.", "--listen", "Where to serve", "here", "--sync-writes",
                           "--engine.memtable-bytes", "64MiB", "--config", "--check-config"}) {
    EXPECT_TRUE(Contains(text, part));
  }
}

}  // namespace
}  // namespace tinykv
