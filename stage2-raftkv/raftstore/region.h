// What is asked of a region's description, and what a request may be refused for.
//
// Thread-safety: safe, nothing is shared.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/env/transport.h"
#include "lsm/db.h"
#include "proto/errorpb.pb.h"
#include "proto/metapb.pb.h"
#include "proto/raft_cmdpb.pb.h"
#include "proto/raft_serverpb.pb.h"
#include "stage2-raftkv/raft/types.h"
#include "stage2-raftkv/raftstore/engines.h"

namespace tinykv::raftstore {

// Null if there is none.
const metapb::Peer* FindPeer(const metapb::Region& region, raft::PeerId id);
const metapb::Peer* FindPeerOnStore(const metapb::Region& region, StoreId store);
raft::Membership MembersOf(const metapb::Region& region);

// Where the region ends; nothing if no key is too large for it.
std::optional<std::string> EndOf(const metapb::Region& region);

bool Contains(const metapb::Region& region, std::string_view key);

// "region 7".
std::string NameOf(RegionId region);

// Of every region that the store knows, in the order of their ids. Errors: those of the engine, and
// kDataLoss.
absl::StatusOr<std::vector<raft_serverpb::RegionLocalState>> ReadRegionStates(lsm::DB& kv);

// ---- region errors (errorpb.proto says how clients react) ----

absl::Status RegionNotFound(RegionId region, StoreId store);
absl::Status StoreNotMatch(StoreId wanted, StoreId actual);
// `leader` may be null: not known.
absl::Status NotLeader(RegionId region, const metapb::Peer* leader);
absl::Status StaleCommand(std::string_view why);
absl::Status EpochNotMatch(const metapb::Region& region);

// Whether all keys of the command are in the region. Errors: key not in region.
absl::Status CheckKeys(const raft_cmdpb::RaftCmdRequest& command, const metapb::Region& region);
absl::Status CheckKey(std::string_view key, const metapb::Region& region);

// Whether the request was made for the region as it is now. What reads or writes data wants the
// boundaries to be the same (version), and commands that change the region also its members
// (conf_ver). CompactLog concerns neither. A request without an epoch, from somebody who does not
// route, fits. Errors: epoch not match.
absl::Status CheckVersion(const raft_cmdpb::RaftRequestHeader& header,
                          const metapb::Region& region);
absl::Status CheckEpoch(const raft_cmdpb::RaftCmdRequest& command, const metapb::Region& region);

}  // namespace tinykv::raftstore
