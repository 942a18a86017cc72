#include "stage2-raftkv/raftstore/write_command.h"

#include <string>

#include "common/status.h"
#include "stage2-raftkv/raftstore/engines.h"

namespace tinykv::raftstore {
namespace {

void AddRequest(const Modify& modify, raft_cmdpb::Request& request) {
  const std::string family(NameOf(modify.column_family));
  switch (modify.type) {
    case Modify::Type::kPut:
      request.set_cmd_type(raft_cmdpb::Put);
      request.mutable_put()->set_cf(family);
      request.mutable_put()->set_key(modify.key);
      request.mutable_put()->set_value(modify.value);
      return;
    case Modify::Type::kDelete:
      request.set_cmd_type(raft_cmdpb::Delete);
      request.mutable_delete_()->set_cf(family);
      request.mutable_delete_()->set_key(modify.key);
      return;
  }
}

absl::Status AddWrite(const raft_cmdpb::Request& request, lsm::WriteBatch& batch) {
  if (request.cmd_type() == raft_cmdpb::Put) {
    TKV_ASSIGN_OR_RETURN(const ColumnFamily family, ParseColumnFamily(request.put().cf()));
    batch.Put(EngineId(family), request.put().key(), request.put().value());
    return absl::OkStatus();
  }
  if (request.cmd_type() == raft_cmdpb::Delete) {
    TKV_ASSIGN_OR_RETURN(const ColumnFamily family, ParseColumnFamily(request.delete_().cf()));
    batch.Delete(EngineId(family), request.delete_().key());
    return absl::OkStatus();
  }
  return InvalidArgument("a request of type ", request.cmd_type(), " is no write");
}

}  // namespace

void AddRequests(const WriteSet& writes, raft_cmdpb::RaftCmdRequest& command) {
  for (const Modify& modify : writes.modifies()) AddRequest(modify, *command.add_requests());
}

absl::Status AddWrites(const raft_cmdpb::RaftCmdRequest& command, lsm::WriteBatch& batch) {
  for (const raft_cmdpb::Request& request : command.requests()) {
    TKV_RETURN_IF_ERROR(AddWrite(request, batch));
  }
  return absl::OkStatus();
}

}  // namespace tinykv::raftstore
