#include "common/server/server_config.h"

#include <gtest/gtest.h>

#include <string>

#include "common/config_file.h"
#include "common/env/file_system.h"
#include "common/status.h"
#include "common/text_test_util.h"

namespace tinykv {
namespace {

TEST(ExampleConfig, HasEveryKeyWithItsDefault) {
  ServerConfig server;
  Config config;
  AddServerKeys(config, &server);
  const absl::Status status = LoadConfigFile(PosixFileSystem(), TINYKV_EXAMPLE_CONFIG, config);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(server, ServerConfig());

  const std::string text = *ReadFile(PosixFileSystem(), TINYKV_EXAMPLE_CONFIG);
  for (const Config::Key& key : config.keys()) {
    const std::string name = key.name.substr(key.name.rfind('.') + 1);
    EXPECT_TRUE(Contains(text, Concat("\n", name, " = "))) << "no line for " << key.name;
  }
}

TEST(ServerConfig, ChecksAddressesAndPaths) {
  ServerConfig server;
  Config config;
  AddServerKeys(config, &server);
  EXPECT_FALSE(config.Find("listen")->set("nowhere").ok());
  EXPECT_FALSE(config.Find("status_listen")->set("nowhere").ok());
  EXPECT_FALSE(config.Find("data")->set("").ok());
  EXPECT_FALSE(config.Find("log_level")->set("loud").ok());
}

TEST(ServerConfig, NeedsMessagesThatHoldAKeyAndAValue) {
  ServerConfig server;
  EXPECT_TRUE(CheckServerConfig(server).ok());
  server.limits.message_bytes = server.limits.value_bytes;
  const absl::Status status = CheckServerConfig(server);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(MessageOf(status),
            "limits.message_bytes is 8MiB, too little for limits.key_bytes (4KiB) and "
            "limits.value_bytes (8MiB) together; it must be at least 8197KiB");
}

TEST(ServerConfig, NeedsTwoPorts) {
  ServerConfig server;
  server.status_listen = server.listen;
  EXPECT_EQ(MessageOf(CheckServerConfig(server)),
            "listen and status_listen are both 127.0.0.1:20160; they need a port each");
  server.listen = server.status_listen = "127.0.0.1:0";
  EXPECT_TRUE(CheckServerConfig(server).ok());
}

}  // namespace
}  // namespace tinykv
