// A leader whose disk is nearly full, and a member that needs all its data.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "stage2-raftkv/raft/wire.h"
#include "stage2-raftkv/raftstore/raftstore_test_util.h"
#include "stage2-raftkv/raftstore/store.h"

namespace tinykv::raftstore {
namespace {

using raft::MessageType;
using std::chrono::seconds;

// The network of store 1, at whose other end a peer 2 votes as it is asked, and has nothing.
class EmptyMember final : public Transport {
 public:
  absl::Status Send(StoreId, std::string bytes) override {
    raft_serverpb::RaftMessage message;
    EXPECT_TRUE(message.ParseFromString(bytes));
    const raft::Message asked = raft::FromWire(message.message());
    raft::Message answer{.to = 1, .from = 2, .term = asked.term};
    if (asked.type == MessageType::kRequestVote) {
      answer.type = MessageType::kRequestVoteResponse;
    } else if (asked.type == MessageType::kAppend) {
      answer.type = MessageType::kAppendResponse;
      answer.reject = true;
      answer.rejected_index = asked.index;
    } else {
      return absl::OkStatus();
    }
    *message.mutable_message() = raft::ToWire(answer);
    message.mutable_from_peer()->Swap(message.mutable_to_peer());
    receiver_(2, message.SerializeAsString());
    return absl::OkStatus();
  }
  void Transfer(StoreId, std::unique_ptr<ChunkSource>, TransferDone) override { ++transfers_; }
  void SetReceiver(Receiver receiver) override { receiver_ = std::move(receiver); }
  void SetAcceptor(Acceptor) override {}

  int transfers() const { return transfers_; }

 private:
  Receiver receiver_;
  int transfers_ = 0;
};

TEST(StoreRoom, ALeaderBuildsNoSnapshotUntilItsDiskHasRoom) {
  TestEngines machine;
  ASSERT_TRUE(machine.Open().ok());
  ASSERT_TRUE(InitializeStore(machine.engines(), IdentOf(9, 1), FirstRegion({1, 2})).ok());
  RateLimit rate(0, machine.clock());
  Snapshots snapshots(machine.kv(), machine.KvOptions(), "snap", rate);
  ASSERT_TRUE(snapshots.Open().ok());
  EmptyMember network;
  sim::SimExecutor actor(machine.clock());
  uint64_t free_bytes = 999;
  StoreOptions options{.cluster_id = 9, .store_id = 1};
  options.raft.pre_vote = options.raft.check_quorum = false;
  const StoreDoors doors{.engines = machine.engines(),
                         .clock = machine.clock(),
                         .transport = network,
                         .snapshots = snapshots,
                         .raft = actor,
                         .apply = actor,
                         .snapshot = actor,
                         .room = {.directory = "data", .reserve_bytes = 1000, .free_bytes = [&] {
                                    return free_bytes;
                                  }}};
  auto store = Store::Open(options, doors, {});
  ASSERT_TRUE(store.ok()) << store.status();

  actor.RunFor(seconds(20));
  EXPECT_EQ((*store)->peer(1)->core().role(), raft::Role::kLeader);
  EXPECT_EQ(machine.disk().List("snap").value(), std::vector<std::string>{});
  EXPECT_EQ(network.transfers(), 0);
  free_bytes = 1000;
  actor.RunFor(seconds(5));
  EXPECT_EQ(network.transfers(), 1);
  (*store)->Close();
}

}  // namespace
}  // namespace tinykv::raftstore
