// A leader, and a member that needs all its data: when a snapshot is built for it.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "stage2-raftkv/raft/wire.h"
#include "stage2-raftkv/raftstore/store_test_util.h"
#include "stage2-raftkv/raftstore/write_command.h"

namespace tinykv::raftstore {
namespace {

using raft::MessageType;
using std::chrono::seconds;

// The network of store 1. Both others vote as they are asked; peer 3 takes all entries, and peer 2
// has nothing.
class Members final : public Transport {
 public:
  absl::Status Send(StoreId to, std::string bytes) override {
    raft_serverpb::RaftMessage message;
    EXPECT_TRUE(message.ParseFromString(bytes));
    const raft::Message asked = raft::FromWire(message.message());
    raft::Message answer{.to = 1, .from = to, .term = asked.term};
    if (asked.type == MessageType::kRequestVote) {
      answer.type = MessageType::kRequestVoteResponse;
    } else if (asked.type == MessageType::kAppend) {
      answer.type = MessageType::kAppendResponse;
      answer.reject = to == 2;
      answer.rejected_index = asked.index;
      answer.index = asked.index + asked.entries.size();
    } else if (asked.type == MessageType::kHeartbeat) {
      answer.type = MessageType::kHeartbeatResponse;
    } else {
      return absl::OkStatus();
    }
    *message.mutable_message() = raft::ToWire(answer);
    message.mutable_from_peer()->Swap(message.mutable_to_peer());
    receiver_(to, message.SerializeAsString());
    return absl::OkStatus();
  }
  void Transfer(StoreId, std::unique_ptr<ChunkSource>, TransferDone done) override {
    ++transfers_;
    under_way_.push_back(std::move(done));
  }
  void SetReceiver(Receiver receiver) override { receiver_ = std::move(receiver); }
  void SetAcceptor(Acceptor) override {}

  int transfers() const { return transfers_; }
  void BreakTransfers() {
    for (auto& done : std::exchange(under_way_, {})) done(Unavailable("the test breaks it off"));
  }

 private:
  Receiver receiver_;
  int transfers_ = 0;
  std::vector<TransferDone> under_way_;
};

class StoreSnapshot : public WholeStoreTest {
 protected:
  void Start(const std::vector<uint64_t>& members) {
    WholeStoreTest::Start(members, network_, {{raft_cmdpb::CompactLog, CompactLogHandler()}});
  }

  void Put(const std::string& key) {
    WriteSet writes;
    writes.Put(ColumnFamily::kDefault, key, "value");
    raft_cmdpb::RaftCmdRequest command;
    command.mutable_header()->set_region_id(1);
    AddRequests(writes, command);
    store_->Propose(std::move(command),
                    [](const absl::Status& status) { EXPECT_TRUE(status.ok()) << status; });
  }

  Members network_;
};

TEST_F(StoreSnapshot, NoneIsBuiltUntilTheDiskHasRoom) {
  free_bytes_ = 999;
  Start({1, 2});
  actor_.RunFor(seconds(20));
  EXPECT_EQ(core().role(), raft::Role::kLeader);
  EXPECT_EQ(machine_.disk().List("snap").value(), std::vector<std::string>{});
  EXPECT_EQ(network_.transfers(), 0);
  free_bytes_ = 1000;
  actor_.RunFor(seconds(5));
  EXPECT_EQ(network_.transfers(), 1);
}

TEST_F(StoreSnapshot, AnotherIsBuiltWhereTheLogNoLongerGoesOnFromTheLastOne) {
  Start({1, 2, 3});
  actor_.RunFor(seconds(5));
  ASSERT_EQ(core().role(), raft::Role::kLeader);
  ASSERT_EQ(network_.transfers(), 1);
  const raft::Index had = core().log().last_index();
  for (int i = 0; i < 40; ++i) {
    Put(Concat("key ", i));
    actor_.RunFor(std::chrono::milliseconds(10));
  }
  actor_.RunFor(seconds(1));
  ASSERT_GT(core().log().boundary().index, had);
  ASSERT_EQ(network_.transfers(), 1);

  network_.BreakTransfers();
  Put("one more");
  actor_.RunFor(seconds(1));  // less than the files of the old one are kept
  EXPECT_EQ(network_.transfers(), 2);
}

}  // namespace
}  // namespace tinykv::raftstore
