#include "common/server/server_config.h"

#include <gtest/gtest.h>

#include <map>
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

TEST(ServerConfig, NeedsElectionsRarerThanHeartbeats) {
  ServerConfig server;
  server.raft.election_ticks = server.raft.heartbeat_ticks = 5;
  EXPECT_EQ(MessageOf(CheckServerConfig(server)),
            "raft.election_ticks is 5; it must be more than raft.heartbeat_ticks, which is 5");
}

TEST(ServerConfig, SendsSnapshotsFastEnoughToBeHeardOf) {
  ServerConfig server;
  server.raft.snapshot_bytes_per_second = 1000;
  EXPECT_TRUE(Contains(MessageOf(CheckServerConfig(server)),
                       "it must be 0, for no limit, or at least 1MiB"));
  for (const uint64_t rate : {0, 1 << 20}) {
    server.raft.snapshot_bytes_per_second = rate;
    EXPECT_TRUE(CheckServerConfig(server).ok());
  }
}

TEST(StageConfig, OfOneThatIsAloneHasNoCluster) {
  ServerConfig server;
  EXPECT_TRUE(CheckStageConfig(server, 1).ok());
  server.cluster.store_id = 1;
  EXPECT_EQ(MessageOf(CheckStageConfig(server, 1)),
            "there are settings of [cluster], and a server of stage 1 is alone; leave them out, or "
            "use a server of stage 2");
  server.cluster = {};
  server.raft.lease = false;
  EXPECT_TRUE(Contains(MessageOf(CheckStageConfig(server, 1)), "settings of [raft]"));
}

TEST(StageConfig, OfAMemberSaysWhichStoreOfWhich) {
  ServerConfig server;
  EXPECT_TRUE(Contains(MessageOf(CheckStageConfig(server, 2)), "cluster.store_id is 0"));
  server.cluster.store_id = 3;
  EXPECT_TRUE(Contains(MessageOf(CheckStageConfig(server, 2)), "cluster.stores is empty"));
  server.cluster.stores = "1=127.0.0.1:20161";
  EXPECT_EQ(MessageOf(CheckStageConfig(server, 2)),
            "cluster.store_id is 3, which is not among cluster.stores, \"1=127.0.0.1:20161\"");
  server.cluster.store_id = 1;
  EXPECT_TRUE(CheckStageConfig(server, 2).ok());
}

TEST(StageConfig, OfAMemberSyncsItsWrites) {
  ServerConfig server;
  server.cluster.store_id = 1;
  server.cluster.stores = "1=127.0.0.1:20161";
  server.sync_writes = false;
  EXPECT_TRUE(Contains(MessageOf(CheckStageConfig(server, 2)), "sync_writes is false"));
}

TEST(StageConfig, AMemberBeginsInOneWay) {
  ServerConfig server;
  server.cluster.store_id = 1;
  server.cluster.stores = "1=127.0.0.1:20161";
  server.cluster.rejoin = true;
  EXPECT_TRUE(CheckStageConfig(server, 2).ok());
  server.cluster.is_new = true;
  EXPECT_TRUE(Contains(MessageOf(CheckStageConfig(server, 2)),
                       "cluster.new and cluster.rejoin are both true"));
}

TEST(StageConfig, ABackupIsRestoredAsANewClusterOnly) {
  ServerConfig server;
  server.cluster.store_id = 1;
  server.cluster.stores = "1=127.0.0.1:20161";
  server.cluster.restore = "/backups/monday";
  EXPECT_TRUE(Contains(MessageOf(CheckStageConfig(server, 2)),
                       "cluster.restore is \"/backups/monday\", and a backup is restored as a new "
                       "cluster only"));
  server.cluster.is_new = true;
  EXPECT_TRUE(CheckStageConfig(server, 2).ok());
}

TEST(StageConfig, OfAMemberHasMessagesForWhatStoresSend) {
  ServerConfig server;
  server.cluster.store_id = 1;
  server.cluster.stores = "1=127.0.0.1:20161";
  server.limits.message_bytes = 1 << 20;
  EXPECT_TRUE(Contains(MessageOf(CheckStageConfig(server, 2)), "it must be at least 4MiB"));
}

TEST(Stores, AreNumbersWithAddresses) {
  const auto stores = ParseStores("1=127.0.0.1:20161,12=[::1]:20162");
  ASSERT_TRUE(stores.ok()) << stores.status();
  EXPECT_EQ(*stores, (std::map<StoreId, std::string>{{1, "127.0.0.1:20161"}, {12, "[::1]:20162"}}));
}

TEST(Stores, ThatAreNotSoAreNamed) {
  for (const char* text : {"127.0.0.1:20161", "=127.0.0.1:20161", "0=127.0.0.1:1", "1", "1=",
                           "x=127.0.0.1:1", "1=nowhere", "1=a:1,,2=b:2", "1 =a:1", "-1=a:1"}) {
    EXPECT_FALSE(ParseStores(text).ok()) << text;
  }
  EXPECT_EQ(MessageOf(ParseStores("1=a:1,1=b:1").status()), "\"1=a:1,1=b:1\" has store 1 twice");
  ServerConfig server;
  Config config;
  AddServerKeys(config, &server);
  EXPECT_FALSE(config.Find("cluster.stores")->set("127.0.0.1:20161").ok());
}

}  // namespace
}  // namespace tinykv
