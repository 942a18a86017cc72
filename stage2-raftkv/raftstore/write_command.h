// Write sets as commands of a region, and back: what RaftStorage proposes, and what is applied.
#pragma once

#include "absl/status/status.h"
#include "common/storage/write_set.h"
#include "lsm/write_batch.h"
#include "proto/raft_cmdpb.pb.h"

namespace tinykv::raftstore {

// Adds a request for each put and delete, in order.
void AddRequests(const WriteSet& writes, raft_cmdpb::RaftCmdRequest& command);

// Adds to `batch` what the command's requests on data say, in order. Errors: kInvalidArgument for a
// column family or a type of request that does not exist; `batch` has a part of it then.
absl::Status AddWrites(const raft_cmdpb::RaftCmdRequest& command, lsm::WriteBatch& batch);

}  // namespace tinykv::raftstore
