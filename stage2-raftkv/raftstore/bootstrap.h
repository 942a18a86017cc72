// How a store begins: a cluster of fixed stores with one region, which has a peer on each.
//
// A store that was wiped looks like a new one, but its peers have made promises: it has voted, and
// acknowledged entries. If it began anew, a write that it acknowledged could be lost (a vote with
// amnesia). So a store begins only where its operator says that the cluster is new, or that it has
// lost its disk: then it rejoins (rejoin.h). And what it finds on its disk must be whole.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/metapb.pb.h"
#include "proto/raft_serverpb.pb.h"
#include "stage2-raftkv/raft/types.h"
#include "stage2-raftkv/raftstore/engines.h"

namespace tinykv::raftstore {

// The region of a new cluster: all keys, with a peer on each store; a peer has its store's number.
metapb::Region FirstRegion(const std::vector<uint64_t>& stores);

enum class Beginning {
  kNew,     // with the whole cluster: its peer has made no promises
  kRejoin,  // it had a disk, and has lost it: its peer has forgotten what it promised
};

// What is applied, and compacted, of a log that begins behind `first`.
raft_serverpb::RaftApplyState ApplyStateBehind(const raft::EntryId& first);

// Makes the engines those of the store `ident`, with a peer of `region` that is empty, or, if a
// backup was restored (backup.h), has its data.
// Durable when OK; a start that a crash interrupted is done again.
// Errors: kFailedPrecondition if the engines are in use, or the other stores are too few to be
// rejoined.
absl::Status InitializeStore(Engines engines, const raft_serverpb::StoreIdent& ident,
                             const metapb::Region& region, Beginning beginning = Beginning::kNew);

// Whether a store that has not begun has the data of a backup.
absl::StatusOr<bool> IsRestored(Engines engines);

// Whether the engines are those of the store `ident`. Errors: kNotFound if they are empty;
// kFailedPrecondition if they belong to another cluster or store, naming both; kDataLoss if one of
// them is empty, or lost, and the other is not.
absl::Status CheckStoreIdent(Engines engines, const raft_serverpb::StoreIdent& ident);

}  // namespace tinykv::raftstore
