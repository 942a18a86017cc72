// AdminHandlers: the commands that change a region and not its data, one handler for each type.
//
// Stage 2 installs CompactLog through it (compact_log.h), stage 3 the others. What a handler does
// at apply depends on nothing but the command and the region, so every peer does the same.
//
// Thread-safety: compatible; filled before the store starts.
#pragma once

#include <functional>
#include <map>

#include "absl/status/status.h"
#include "lsm/write_batch.h"
#include "proto/raft_cmdpb.pb.h"
#include "proto/raft_serverpb.pb.h"
#include "stage2-raftkv/raft/raft_node.h"

namespace tinykv::raftstore {

// A region as it stands after the entries applied so far.
struct AppliedRegion {
  metapb::Region region = {};
  raft_serverpb::RaftApplyState state = {};
  raft::Term applied_term = 0;  // of the entry state.applied_index()
};

struct AdminHandler {
  // The leader is asked for the command. An error refuses it; else it is proposed as an entry.
  std::function<absl::Status(const raft::RaftCore& core, const raft_cmdpb::AdminRequest& request)>
      propose;

  // The command is applied, as part of entry `id`. Changes `region`; what else is to be written
  // goes into `batch`, which gets the apply state itself from the caller. An error: the command has
  // no effect, and is over.
  std::function<absl::Status(const raft::EntryId& id, const raft_cmdpb::AdminRequest& request,
                             AppliedRegion& region, lsm::WriteBatch& batch)>
      apply;
};

using AdminHandlers = std::map<raft_cmdpb::AdminCmdType, AdminHandler>;

}  // namespace tinykv::raftstore
