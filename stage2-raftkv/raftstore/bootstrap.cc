#include "stage2-raftkv/raftstore/bootstrap.h"

#include <optional>

#include "common/status.h"
#include "stage2-raftkv/raft/bootstrap.h"
#include "stage2-raftkv/raftstore/region.h"
#include "stage2-raftkv/raftstore/rejoin.h"
#include "stage2-raftkv/raftstore/stored_message.h"

namespace tinykv::raftstore {
namespace {

using Ident = raft_serverpb::StoreIdent;

absl::StatusOr<std::optional<Ident>> ReadIdent(lsm::DB& db, lsm::ColumnFamilyId family,
                                               std::string_view engine) {
  return ReadStored<Ident>(db, family, StoreIdentKey(),
                           Concat("the store's identity in the ", engine, " engine"));
}

std::string Describe(const Ident& ident) {
  return Concat("store ", ident.store_id(), " of cluster ", ident.cluster_id());
}

absl::Status CheckIs(const Ident& found, const Ident& wanted) {
  if (found.cluster_id() == wanted.cluster_id() && found.store_id() == wanted.store_id()) {
    return absl::OkStatus();
  }
  return FailedPrecondition("the data is that of ", Describe(found), ", and not of ",
                            Describe(wanted));
}

raft_serverpb::RaftLocalState FirstRaftState(const raft::EntryId& first) {
  raft_serverpb::RaftLocalState state;
  state.mutable_hard_state()->set_term(first.term);
  state.mutable_hard_state()->set_commit(first.index);
  state.set_last_index(first.index);
  state.set_last_term(first.term);
  return state;
}

// Behind which entry the log begins of a store that has not begun. If its kv engine was restored
// from a backup, that says it (backup.h).
absl::StatusOr<raft::EntryId> FirstEntry(lsm::DB& kv, RegionId region) {
  TKV_ASSIGN_OR_RETURN(const auto restored,
                       ReadStored<raft_serverpb::RaftApplyState>(
                           kv, kMetaFamily, ApplyStateKey(region), "apply state"));
  if (!restored) return raft::kBootstrapEntry;
  return raft::EntryId{.index = restored->truncated_state().index(),
                       .term = restored->truncated_state().term()};
}

// Whether a raft engine with an identity is what an interrupted start leaves.
absl::StatusOr<bool> HasMadeNoPromise(Engines engines, RegionId region) {
  TKV_ASSIGN_OR_RETURN(const raft::EntryId first, FirstEntry(engines.kv, region));
  TKV_ASSIGN_OR_RETURN(const auto state,
                       ReadStored<raft_serverpb::RaftLocalState>(
                           engines.raft, kLogFamily, RaftStateKey(region), "raft state"));
  return state && state->SerializeAsString() == FirstRaftState(first).SerializeAsString();
}

}  // namespace

metapb::Region FirstRegion(const std::vector<uint64_t>& stores) {
  metapb::Region region;
  region.set_id(kFirstRegion);
  region.mutable_region_epoch()->set_conf_ver(1);
  region.mutable_region_epoch()->set_version(1);
  for (const uint64_t store : stores) {
    metapb::Peer& peer = *region.add_peers();
    peer.set_id(store);
    peer.set_store_id(store);
  }
  return region;
}

raft_serverpb::RaftApplyState ApplyStateBehind(const raft::EntryId& first) {
  raft_serverpb::RaftApplyState state;
  state.set_applied_index(first.index);
  state.mutable_truncated_state()->set_index(first.index);
  state.mutable_truncated_state()->set_term(first.term);
  return state;
}

absl::Status InitializeStore(Engines engines, const Ident& ident, const metapb::Region& region,
                             Beginning beginning) {
  TKV_ASSIGN_OR_RETURN(const auto of_kv, ReadIdent(engines.kv, kMetaFamily, "kv"));
  TKV_ASSIGN_OR_RETURN(const auto of_raft, ReadIdent(engines.raft, kLogFamily, "raft"));
  TKV_ASSIGN_OR_RETURN(const bool is_unused, HasMadeNoPromise(engines, region.id()));
  if (of_kv || (of_raft && !is_unused)) {
    return FailedPrecondition("there is data of ", Describe(of_kv ? *of_kv : *of_raft),
                              " already; a new cluster begins with empty folders");
  }
  TKV_ASSIGN_OR_RETURN(const raft::EntryId first, FirstEntry(engines.kv, region.id()));
  lsm::WriteBatch raft;
  raft.Put(kLogFamily, StoreIdentKey(), ident.SerializeAsString());
  raft.Put(kLogFamily, RaftStateKey(region.id()), FirstRaftState(first).SerializeAsString());
  if (beginning == Beginning::kRejoin) {
    TKV_RETURN_IF_ERROR(CheckMayRejoin(region));
    BeginRejoin(region.id(), raft);
  }
  TKV_RETURN_IF_ERROR(engines.raft.Write({.sync = true}, raft));

  // The kv engine last: a store that has its identity there has all the rest.
  raft_serverpb::RegionLocalState local;
  *local.mutable_region() = region;
  lsm::WriteBatch kv;
  kv.Put(kMetaFamily, RegionStateKey(region.id()), local.SerializeAsString());
  kv.Put(kMetaFamily, ApplyStateKey(region.id()), ApplyStateBehind(first).SerializeAsString());
  kv.Put(kMetaFamily, StoreIdentKey(), ident.SerializeAsString());
  return engines.kv.Write({.sync = true}, kv);
}

absl::StatusOr<bool> IsRestored(Engines engines) {
  TKV_ASSIGN_OR_RETURN(const auto state,
                       engines.kv.Get({}, kMetaFamily, ApplyStateKey(kFirstRegion)));
  return state.has_value();
}

absl::Status CheckStoreIdent(Engines engines, const Ident& ident) {
  TKV_ASSIGN_OR_RETURN(const auto of_kv, ReadIdent(engines.kv, kMetaFamily, "kv"));
  TKV_ASSIGN_OR_RETURN(const auto of_raft, ReadIdent(engines.raft, kLogFamily, "raft"));
  if (of_kv) TKV_RETURN_IF_ERROR(CheckIs(*of_kv, ident));
  if (of_raft) TKV_RETURN_IF_ERROR(CheckIs(*of_raft, ident));
  if (of_kv && of_raft) return absl::OkStatus();
  if (of_kv) {
    return DataLoss("the raft engine of ", Describe(ident),
                    " is empty and the kv engine is not; without its log the store does not know "
                    "what it has promised, and must not vote");
  }
  if (!of_raft) return NotFound("there is no store yet");
  TKV_ASSIGN_OR_RETURN(const bool is_unused, HasMadeNoPromise(engines, kFirstRegion));
  if (is_unused) return NotFound("there is no store yet");
  return DataLoss("the kv engine of ", Describe(ident), " is empty and the raft engine is not");
}

}  // namespace tinykv::raftstore
