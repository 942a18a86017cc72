// Engines: the two databases of a store.
//
//   raft   the logs of all its peers, synced before anybody is told of anything in them;
//   kv     the data of all regions, and what was applied: never synced on the way, since whatever
//          is lost there is still in the logs.
//
// A batch is atomic within one of them and never across both; peer_storage.h and applier.h say in
// which order they are written. docs/formats/store.md has their keys and values.
#pragma once

#include <cstdint>
#include <string>

#include "common/storage/column_family.h"
#include "lsm/db.h"
#include "stage1-standalone/engine_access.h"
#include "stage2-raftkv/raft/types.h"

namespace tinykv::raftstore {

using RegionId = uint64_t;

struct Engines {
  lsm::DB& raft;
  lsm::DB& kv;
};

// The raft engine has one column family. The kv engine has those of Storage, in their order, and
// one for what the store knows about its regions.
inline constexpr lsm::ColumnFamilyId kLogFamily = 0;
inline constexpr lsm::ColumnFamilyId kMetaFamily = kColumnFamilyNames.size();

// That of a new cluster.
inline constexpr RegionId kFirstRegion = 1;

// Options::column_families of each.
std::vector<std::string> RaftColumnFamilies();
std::vector<std::string> KvColumnFamilies();

// ---- keys ----

// Of either engine: which store this is.
std::string StoreIdentKey();

// Of the raft engine. The entries of a region are in the order of their indexes.
std::string LogKey(RegionId region, raft::Index index);
std::string RaftStateKey(RegionId region);
std::string RejoinStateKey(RegionId region);

// Of the kv engine, in kMetaFamily. Region states of all regions stand together.
std::string ApplyStateKey(RegionId region);
std::string RegionStateKey(RegionId region);
std::string FirstRegionStateKey();  // region states are in [first, end)
std::string EndRegionStateKey();

}  // namespace tinykv::raftstore
