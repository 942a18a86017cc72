#include "stage2-raftkv/raftstore/write_command.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/status.h"

namespace tinykv::raftstore {
namespace {

using namespace std::string_literals;
using Strings = std::vector<std::string>;

// "put 0 key=value", "delete 2 key".
Strings Records(const lsm::WriteBatch& batch) {
  Strings records;
  batch.ForEach([&](const lsm::WriteBatch::Record& record) {
    const bool is_put = record.type == lsm::ValueType::kPut;
    std::string text = Concat(is_put ? "put " : "delete ", record.column_family, ' ', record.key);
    if (is_put) text += Concat('=', record.value);
    records.push_back(std::move(text));
  });
  return records;
}

TEST(WriteCommand, GoesThereAndBackInOrder) {
  WriteSet writes;
  writes.Put(ColumnFamily::kDefault, "k", "1");
  writes.Delete(ColumnFamily::kWrite, "k");
  writes.Put(ColumnFamily::kLock, "", "\0\xff"s);
  writes.Delete(ColumnFamily::kDefault, "k");
  raft_cmdpb::RaftCmdRequest command;
  AddRequests(writes, command);
  raft_cmdpb::RaftCmdRequest arrived;
  ASSERT_TRUE(arrived.ParseFromString(command.SerializeAsString()));
  lsm::WriteBatch batch;
  ASSERT_TRUE(AddWrites(arrived, batch).ok());
  EXPECT_EQ(Records(batch), (Strings{"put 0 k=1", "delete 2 k", "put 1 =\0\xff"s, "delete 0 k"}));
}

TEST(WriteCommand, OfNothingWritesNothing) {
  raft_cmdpb::RaftCmdRequest command;
  AddRequests({}, command);
  EXPECT_EQ(command.requests_size(), 0);
  lsm::WriteBatch batch;
  EXPECT_TRUE(AddWrites(command, batch).ok());
  EXPECT_TRUE(batch.empty());
}

TEST(WriteCommand, WithoutAColumnFamilyMeansDefault) {
  raft_cmdpb::RaftCmdRequest command;
  command.add_requests()->set_cmd_type(raft_cmdpb::Put);
  command.mutable_requests(0)->mutable_put()->set_key("k");
  lsm::WriteBatch batch;
  ASSERT_TRUE(AddWrites(command, batch).ok());
  EXPECT_EQ(Records(batch), Strings{"put 0 k="});
}

TEST(WriteCommand, RefusesAnUnknownColumnFamilyByName) {
  for (const raft_cmdpb::CmdType type : {raft_cmdpb::Put, raft_cmdpb::Delete}) {
    raft_cmdpb::RaftCmdRequest command;
    raft_cmdpb::Request& request = *command.add_requests();
    request.set_cmd_type(type);
    request.mutable_put()->set_cf("nowhere");
    if (type == raft_cmdpb::Delete) request.mutable_delete_()->set_cf("nowhere");
    lsm::WriteBatch batch;
    const absl::Status status = AddWrites(command, batch);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(MessageOf(status).find("nowhere"), std::string_view::npos) << status;
  }
}

TEST(WriteCommand, RefusesWhatIsNoWrite) {
  for (const raft_cmdpb::CmdType type :
       {raft_cmdpb::Invalid, raft_cmdpb::Get, raft_cmdpb::Snap, raft_cmdpb::CmdType(77)}) {
    raft_cmdpb::RaftCmdRequest command;
    command.add_requests()->set_cmd_type(type);
    lsm::WriteBatch batch;
    EXPECT_EQ(AddWrites(command, batch).code(), absl::StatusCode::kInvalidArgument) << type;
  }
}

}  // namespace
}  // namespace tinykv::raftstore
