// PeerStorage: what one peer has on its disk, and how it gets there.
//
// Raft engine: the log, and RaftLocalState {hard state, where the log ends}. Kv engine:
// RegionLocalState {the region}, and RaftApplyState {how far the log is applied, where the log
// begins}, in one batch with the data that it speaks of.
//
// What must be durable before what:
//   1. Entries and hard state, before anybody is told of them (ready.h): SaveReady().
//   2. A snapshot's data and its apply state, in the kv engine, before the raft engine's state says
//      that the log begins behind it. A crash in between leaves a log of before the snapshot, which
//      Load() knows by the apply state.
//   3. The data of applied entries, in the kv engine, before those entries are deleted:
//      DeleteLogTo() may be called for what applier.h reports as truncated, which is durable.
//
// Thread-safety: none. It belongs to the peer's actor.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/raft_serverpb.pb.h"
#include "stage2-raftkv/raft/bootstrap.h"
#include "stage2-raftkv/raft/ready.h"
#include "stage2-raftkv/raftstore/engines.h"

namespace tinykv::raftstore {

// What a peer begins with.
struct LoadedPeer {
  metapb::Region region = {};
  raft_serverpb::RaftApplyState apply_state = {};
  raft::Term applied_term = 0;
  raft::StoredState raft = {};
  // Present if it has forgotten what it promised in an earlier life (rejoin.h).
  std::optional<raft_serverpb::RaftRejoinState> rejoin = {};
};

class PeerStorage {
 public:
  // Reads what the engines have of `region`. Errors: kDataLoss where that cannot be the whole: a
  // log that is missing or has a gap, or ends before what was applied. Such a peer must not start:
  // it might have promised what it does not know any more.
  static absl::StatusOr<LoadedPeer> Load(Engines engines, RegionId region);

  PeerStorage(RegionId region, const LoadedPeer& loaded);

  // Adds to `batch` all that Raft wants stored: the entries, and the state that says where the log
  // ends and what was promised. A snapshot's data is in the kv engine already. A commit index that
  // comes alone adds nothing: it is stored with what comes next.
  // REQUIRES: `batch` is written, and synced if ready.must_sync, before what the Ready's contract
  // says.
  void SaveReady(const raft::Ready& ready, lsm::WriteBatch& batch);

  // Adds to `batch` the deletion of all entries up to `index`. REQUIRES: that they are applied is
  // durable in the kv engine.
  void DeleteLogTo(raft::Index index, lsm::WriteBatch& batch);

 private:
  const RegionId region_;
  raft_serverpb::RaftLocalState state_;
};

}  // namespace tinykv::raftstore
