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

raft_serverpb::RaftLocalState FirstRaftState() {
  raft_serverpb::RaftLocalState state;
  state.mutable_hard_state()->set_term(raft::kBootstrapEntry.term);
  state.mutable_hard_state()->set_commit(raft::kBootstrapEntry.index);
  state.set_last_index(raft::kBootstrapEntry.index);
  state.set_last_term(raft::kBootstrapEntry.term);
  return state;
}

raft_serverpb::RaftApplyState FirstApplyState() {
  raft_serverpb::RaftApplyState state;
  state.set_applied_index(raft::kBootstrapEntry.index);
  state.mutable_truncated_state()->set_index(raft::kBootstrapEntry.index);
  state.mutable_truncated_state()->set_term(raft::kBootstrapEntry.term);
  return state;
}

// Whether a raft engine with an identity is what an interrupted start leaves.
absl::StatusOr<bool> HasMadeNoPromise(lsm::DB& raft, RegionId region) {
  TKV_ASSIGN_OR_RETURN(const auto state, ReadStored<raft_serverpb::RaftLocalState>(
                                             raft, kLogFamily, RaftStateKey(region), "raft state"));
  return state && state->SerializeAsString() == FirstRaftState().SerializeAsString();
}

}  // namespace

metapb::Region FirstRegion(const std::vector<uint64_t>& stores) {
  metapb::Region region;
  region.set_id(1);
  region.mutable_region_epoch()->set_conf_ver(1);
  region.mutable_region_epoch()->set_version(1);
  for (const uint64_t store : stores) {
    metapb::Peer& peer = *region.add_peers();
    peer.set_id(store);
    peer.set_store_id(store);
  }
  return region;
}

absl::Status InitializeStore(Engines engines, const Ident& ident, const metapb::Region& region,
                             Beginning beginning) {
  TKV_ASSIGN_OR_RETURN(const auto of_kv, ReadIdent(engines.kv, kMetaFamily, "kv"));
  TKV_ASSIGN_OR_RETURN(const auto of_raft, ReadIdent(engines.raft, kLogFamily, "raft"));
  TKV_ASSIGN_OR_RETURN(const bool is_unused, HasMadeNoPromise(engines.raft, region.id()));
  if (of_kv || (of_raft && !is_unused)) {
    return FailedPrecondition("there is data of ", Describe(of_kv ? *of_kv : *of_raft),
                              " already; a new cluster begins with empty folders");
  }
  lsm::WriteBatch raft;
  raft.Put(kLogFamily, StoreIdentKey(), ident.SerializeAsString());
  raft.Put(kLogFamily, RaftStateKey(region.id()), FirstRaftState().SerializeAsString());
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
  kv.Put(kMetaFamily, ApplyStateKey(region.id()), FirstApplyState().SerializeAsString());
  kv.Put(kMetaFamily, StoreIdentKey(), ident.SerializeAsString());
  return engines.kv.Write({.sync = true}, kv);
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
  TKV_ASSIGN_OR_RETURN(const bool is_unused, HasMadeNoPromise(engines.raft, 1));
  if (is_unused) return NotFound("there is no store yet");
  return DataLoss("the kv engine of ", Describe(ident), " is empty and the raft engine is not");
}

}  // namespace tinykv::raftstore
