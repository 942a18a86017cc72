#include "stage2-raftkv/raftstore/region.h"

#include <gtest/gtest.h>

#include <string>

#include "common/status.h"
#include "common/storage/region_error.h"

namespace tinykv::raftstore {
namespace {

using namespace std::string_literals;

metapb::Region RegionOf(const std::string& start, const std::string& end) {
  metapb::Region region;
  region.set_id(7);
  region.set_start_key(start);
  region.set_end_key(end);
  region.mutable_region_epoch()->set_version(4);
  region.mutable_region_epoch()->set_conf_ver(2);
  for (const uint64_t id : {11, 12}) {
    metapb::Peer& peer = *region.add_peers();
    peer.set_id(id);
    peer.set_store_id(id - 10);
  }
  return region;
}

// The error that `status` carries; one that says nothing if it carries none.
errorpb::Error ErrorOf(const absl::Status& status) {
  const auto error = RegionErrorOf(status);
  EXPECT_TRUE(error) << status;
  return error.value_or(errorpb::Error());
}

TEST(Region, HasItsFirstKeyAndNotItsEnd) {
  const metapb::Region region = RegionOf("b", "d");
  EXPECT_FALSE(Contains(region, "a\xff"));
  EXPECT_TRUE(Contains(region, "b"));
  EXPECT_TRUE(Contains(region, "b\0"s));
  EXPECT_TRUE(Contains(region, "c\xff\xff"));
  EXPECT_FALSE(Contains(region, "d"));
  EXPECT_FALSE(Contains(region, "d\0"s));
  EXPECT_FALSE(Contains(region, ""));
}

TEST(Region, WithoutAnEndHasEveryLargeKey) {
  const metapb::Region region = RegionOf("b", "");
  EXPECT_FALSE(Contains(region, "a"));
  EXPECT_TRUE(Contains(region, "\xff\xff\xff"));
  EXPECT_EQ(EndOf(region), std::nullopt);
  EXPECT_EQ(EndOf(RegionOf("b", "d")), "d");
  EXPECT_TRUE(Contains(RegionOf("", ""), ""));
}

TEST(Region, ComparesKeysAsUnsignedBytes) {
  const metapb::Region region = RegionOf("a", "\x80");
  EXPECT_TRUE(Contains(region, "z"));
  EXPECT_FALSE(Contains(region, "\x80"));
}

TEST(Region, KnowsItsPeers) {
  const metapb::Region region = RegionOf("", "");
  ASSERT_NE(FindPeer(region, 12), nullptr);
  EXPECT_EQ(FindPeer(region, 12)->store_id(), 2u);
  ASSERT_NE(FindPeerOnStore(region, 1), nullptr);
  EXPECT_EQ(FindPeerOnStore(region, 1)->id(), 11u);
  EXPECT_EQ(FindPeer(region, 1), nullptr);
  EXPECT_EQ(FindPeerOnStore(region, 11), nullptr);
  EXPECT_EQ(MembersOf(region), (raft::Membership{11, 12}));
  EXPECT_EQ(NameOf(region.id()), "region 7");
}

TEST(RegionError, RegionNotFoundSaysWhichRegionAndWhichStore) {
  const errorpb::Error error = ErrorOf(RegionNotFound(7, 3));
  EXPECT_EQ(error.region_not_found().region_id(), 7u);
  EXPECT_EQ(error.message(), "store 3 has no peer of region 7");
}

TEST(RegionError, StoreNotMatchSaysBothStores) {
  const errorpb::Error error = ErrorOf(StoreNotMatch(3, 4));
  EXPECT_EQ(error.store_not_match().request_store_id(), 3u);
  EXPECT_EQ(error.store_not_match().actual_store_id(), 4u);
}

TEST(RegionError, NotLeaderSaysWhoLeadsIfThatIsKnown) {
  const metapb::Region region = RegionOf("", "");
  const errorpb::Error known = ErrorOf(NotLeader(7, FindPeer(region, 12)));
  EXPECT_EQ(known.not_leader().region_id(), 7u);
  EXPECT_EQ(known.not_leader().leader().id(), 12u);
  EXPECT_EQ(known.not_leader().leader().store_id(), 2u);
  const errorpb::Error unknown = ErrorOf(NotLeader(7, nullptr));
  EXPECT_TRUE(unknown.has_not_leader());
  EXPECT_FALSE(unknown.not_leader().has_leader());
}

TEST(RegionError, StaleCommandSaysWhy) {
  const errorpb::Error error = ErrorOf(StaleCommand("no luck"));
  EXPECT_TRUE(error.has_stale_command());
  EXPECT_EQ(error.message(), "stale command: no luck");
}

TEST(RegionError, EpochNotMatchHasTheRegionAsItIs) {
  const metapb::Region region = RegionOf("b", "d");
  const errorpb::Error error = ErrorOf(EpochNotMatch(region));
  ASSERT_EQ(error.epoch_not_match().current_regions_size(), 1);
  EXPECT_EQ(error.epoch_not_match().current_regions(0).SerializeAsString(),
            region.SerializeAsString());
}

TEST(RegionError, KeyNotInRegionSaysKeyAndBounds) {
  EXPECT_TRUE(CheckKey("b", RegionOf("b", "d")).ok());
  const errorpb::Error error = ErrorOf(CheckKey("d", RegionOf("b", "d")));
  EXPECT_EQ(error.key_not_in_region().key(), "d");
  EXPECT_EQ(error.key_not_in_region().region_id(), 7u);
  EXPECT_EQ(error.key_not_in_region().start_key(), "b");
  EXPECT_EQ(error.key_not_in_region().end_key(), "d");
}

TEST(CheckKeys, LooksAtEveryKeyOfTheCommand) {
  const metapb::Region region = RegionOf("b", "d");
  raft_cmdpb::RaftCmdRequest command;
  EXPECT_TRUE(CheckKeys(command, region).ok());
  raft_cmdpb::Request& put = *command.add_requests();
  put.set_cmd_type(raft_cmdpb::Put);
  put.mutable_put()->set_key("b");
  raft_cmdpb::Request& deletion = *command.add_requests();
  deletion.set_cmd_type(raft_cmdpb::Delete);
  deletion.mutable_delete_()->set_key("c");
  EXPECT_TRUE(CheckKeys(command, region).ok());
  deletion.mutable_delete_()->set_key("d");
  EXPECT_EQ(ErrorOf(CheckKeys(command, region)).key_not_in_region().key(), "d");
  put.mutable_put()->set_key("a");
  EXPECT_EQ(ErrorOf(CheckKeys(command, region)).key_not_in_region().key(), "a");
}

// The region is at version 4, conf_ver 2.
TEST(CheckEpoch, AsksForWhatTheCommandDependsOn) {
  struct Case {
    raft_cmdpb::AdminCmdType admin;
    uint64_t version;
    uint64_t conf_ver;
    bool fits;
  };
  const Case cases[] = {
      {raft_cmdpb::InvalidAdmin, 4, 2, true},    {raft_cmdpb::InvalidAdmin, 4, 1, true},
      {raft_cmdpb::InvalidAdmin, 3, 2, false},   {raft_cmdpb::InvalidAdmin, 5, 2, false},
      {raft_cmdpb::ChangePeer, 4, 2, true},      {raft_cmdpb::ChangePeer, 4, 1, false},
      {raft_cmdpb::ChangePeer, 3, 2, false},     {raft_cmdpb::Split, 4, 2, true},
      {raft_cmdpb::Split, 4, 3, false},          {raft_cmdpb::Split, 5, 2, false},
      {raft_cmdpb::TransferLeader, 4, 2, true},  {raft_cmdpb::TransferLeader, 4, 1, false},
      {raft_cmdpb::TransferLeader, 3, 2, false}, {raft_cmdpb::CompactLog, 1, 1, true},
      {raft_cmdpb::CompactLog, 4, 2, true},
  };
  const metapb::Region region = RegionOf("", "");
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << "admin " << c.admin << ", version " << c.version
                                    << ", conf_ver " << c.conf_ver);
    raft_cmdpb::RaftCmdRequest command;
    command.mutable_header()->mutable_region_epoch()->set_version(c.version);
    command.mutable_header()->mutable_region_epoch()->set_conf_ver(c.conf_ver);
    if (c.admin != raft_cmdpb::InvalidAdmin) {
      command.mutable_admin_request()->set_cmd_type(c.admin);
    }
    const absl::Status status = CheckEpoch(command, region);
    EXPECT_EQ(status.ok(), c.fits) << status;
    if (!c.fits) {
      EXPECT_TRUE(ErrorOf(status).has_epoch_not_match());
    }
  }
}

TEST(CheckEpoch, WhoDoesNotRouteFits) {
  raft_cmdpb::RaftCmdRequest command;
  EXPECT_TRUE(CheckEpoch(command, RegionOf("", "")).ok());
  command.mutable_admin_request()->set_cmd_type(raft_cmdpb::Split);
  EXPECT_TRUE(CheckEpoch(command, RegionOf("", "")).ok());
}

TEST(CheckVersion, AsksForTheBoundariesAndNotTheMembers) {
  const metapb::Region region = RegionOf("", "");
  raft_cmdpb::RaftRequestHeader header;
  EXPECT_TRUE(CheckVersion(header, region).ok());
  header.mutable_region_epoch()->set_version(4);
  header.mutable_region_epoch()->set_conf_ver(99);
  EXPECT_TRUE(CheckVersion(header, region).ok());
  for (const uint64_t other : {0, 3, 5}) {
    header.mutable_region_epoch()->set_version(other);
    EXPECT_TRUE(ErrorOf(CheckVersion(header, region)).has_epoch_not_match()) << other;
  }
}

}  // namespace
}  // namespace tinykv::raftstore
