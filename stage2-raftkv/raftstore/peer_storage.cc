#include "stage2-raftkv/raftstore/peer_storage.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "common/status.h"
#include "common/your_code_here.h"
#include "stage2-raftkv/raft/wire.h"
#include "stage2-raftkv/raftstore/region.h"
#include "stage2-raftkv/raftstore/rejoin.h"
#include "stage2-raftkv/raftstore/stored_message.h"

namespace tinykv::raftstore {
namespace {

raft::EntryId BoundaryOf(const raft_serverpb::RaftApplyState& state) {
  return {.index = state.truncated_state().index(), .term = state.truncated_state().term()};
}

// Deletes all entries up to `last`.
void DeleteLog(RegionId region, raft::Index last, lsm::WriteBatch& batch) {
  batch.DeleteRange(kLogFamily, LogKey(region, 0), LogKey(region, last + 1));
}

// Also what is left behind the log's end, of a tail that was replaced by fewer entries: an old
// entry where a snapshot ends would look like a log of before it (LogIsOfBeforeSnapshot()).
void DeleteWholeLog(RegionId region, lsm::WriteBatch& batch) {
  batch.DeleteRange(kLogFamily, LogKey(region, 0), RaftStateKey(region));
}

absl::Status Gap(RegionId region, raft::Index index) {
  return DataLoss("the raft log of ", NameOf(region), " has no entry ", index,
                  "; a peer without it may have made promises that it does not know");
}

// The entry at `index`, if it is there.
absl::StatusOr<std::optional<raft::Entry>> ReadEntry(lsm::DB& db, RegionId region,
                                                     raft::Index index) {
  TKV_ASSIGN_OR_RETURN(const auto stored,
                       ReadStored<eraftpb::Entry>(db, kLogFamily, LogKey(region, index),
                                                  Concat("entry ", index, " of ", NameOf(region))));
  if (!stored) return std::nullopt;
  return raft::FromWire(*stored);
}

// Entries (after, last]. Errors: kDataLoss if one is missing.
absl::StatusOr<std::vector<raft::Entry>> ReadEntries(lsm::DB& db, RegionId region,
                                                     raft::Index after, raft::Index last) {
  std::vector<raft::Entry> entries;
  const auto iterator = db.NewIterator({.lower_bound = LogKey(region, after + 1),
                                        .upper_bound = LogKey(region, last + 1),
                                        .fill_cache = false},
                                       kLogFamily);
  raft::Index expected = after + 1;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next(), ++expected) {
    TKV_ASSIGN_OR_RETURN(const auto stored, ParseStored<eraftpb::Entry>(
                                                iterator->value(), Concat("entry ", expected,
                                                                          " of ", NameOf(region))));
    if (stored.index() != expected) return Gap(region, expected);
    entries.push_back(raft::FromWire(stored));
  }
  TKV_RETURN_IF_ERROR(iterator->status());
  if (expected != last + 1) return Gap(region, expected);
  return entries;
}

// A crash came after a snapshot's data was in place, and before the log was replaced: then the log
// is one that does not lead to the snapshot, and counts no more. A log that does have the entry
// with which the snapshot ends, or has deleted it since, goes on.
absl::StatusOr<bool> LogIsOfBeforeSnapshot(lsm::DB& db, RegionId region,
                                           const raft_serverpb::RaftLocalState& state,
                                           const raft::EntryId& boundary) {
  if (boundary.index > state.last_index()) return true;
  TKV_ASSIGN_OR_RETURN(const auto entry, ReadEntry(db, region, boundary.index));
  return entry.has_value() && entry->term != boundary.term;
}

// Makes `state`, and what is on disk, that of a log which begins behind `boundary`.
absl::Status ReplaceLog(lsm::DB& db, RegionId region, const raft::EntryId& boundary,
                        raft_serverpb::RaftLocalState* state) {
  lsm::WriteBatch batch;
  DeleteWholeLog(region, batch);
  state->set_last_index(boundary.index);
  state->set_last_term(boundary.term);
  if (state->hard_state().term() < boundary.term) {
    state->mutable_hard_state()->set_term(boundary.term);  // in which it voted for nobody yet
    state->mutable_hard_state()->set_vote(raft::kNone);
  }
  batch.Put(kLogFamily, RaftStateKey(region), state->SerializeAsString());
  return db.Write({.sync = true}, batch);
}

}  // namespace

absl::StatusOr<LoadedPeer> PeerStorage::Load(Engines engines, RegionId region) {
  const std::string name = NameOf(region);
  TKV_ASSIGN_OR_RETURN(const auto local,
                       ReadStored<raft_serverpb::RegionLocalState>(
                           engines.kv, kMetaFamily, RegionStateKey(region), "state of " + name));
  TKV_ASSIGN_OR_RETURN(const auto applied, ReadStored<raft_serverpb::RaftApplyState>(
                                               engines.kv, kMetaFamily, ApplyStateKey(region),
                                               "apply state of " + name));
  TKV_ASSIGN_OR_RETURN(const auto stored, ReadStored<raft_serverpb::RaftLocalState>(
                                              engines.raft, kLogFamily, RaftStateKey(region),
                                              "raft state of " + name));
  if (!local || !applied) return DataLoss("the kv engine has no state of ", name);
  if (!stored) {
    return DataLoss("the raft engine has no state of ", name,
                    ", of which there is data; a peer that does not know what it has promised "
                    "must not vote");
  }
  raft_serverpb::RaftLocalState state = *stored;
  LoadedPeer loaded{.region = local->region(), .apply_state = *applied};
  const raft::EntryId boundary = BoundaryOf(*applied);
  if (applied->applied_index() < boundary.index) {
    return DataLoss("the apply state of ", name, " is damaged: entry ", boundary.index,
                    " is compacted, and only ", applied->applied_index(), " is applied");
  }
  TKV_ASSIGN_OR_RETURN(const bool is_old,
                       LogIsOfBeforeSnapshot(engines.raft, region, state, boundary));
  if (is_old) TKV_RETURN_IF_ERROR(ReplaceLog(engines.raft, region, boundary, &state));
  const eraftpb::HardState& hard = state.hard_state();
  if (applied->applied_index() > state.last_index()) return Gap(region, state.last_index() + 1);

  loaded.raft = {.hard_state = {.term = hard.term(),
                                .vote = hard.vote(),
                                // What is applied was committed; that need not have been synced.
                                .commit = std::max(hard.commit(), applied->applied_index())},
                 .members = MembersOf(local->region()),
                 .boundary = boundary,
                 .applied = applied->applied_index()};
  TKV_ASSIGN_OR_RETURN(loaded.raft.entries,
                       ReadEntries(engines.raft, region, boundary.index, state.last_index()));
  loaded.applied_term =
      applied->applied_index() == boundary.index
          ? boundary.term
          : loaded.raft.entries[applied->applied_index() - boundary.index - 1].term;
  const raft::Term last_term =
      loaded.raft.entries.empty() ? boundary.term : loaded.raft.entries.back().term;
  TKV_ASSIGN_OR_RETURN(loaded.rejoin, LoadRejoin(engines.raft, region, last_term));
  return loaded;
}

PeerStorage::PeerStorage(RegionId region, const LoadedPeer& loaded) : region_(region) {
  const raft::StoredState& raft = loaded.raft;
  eraftpb::HardState& hard = *state_.mutable_hard_state();
  hard.set_term(raft.hard_state.term);
  hard.set_vote(raft.hard_state.vote);
  hard.set_commit(raft.hard_state.commit);
  const bool is_empty = raft.entries.empty();
  state_.set_last_index(is_empty ? raft.boundary.index : raft.entries.back().index);
  state_.set_last_term(is_empty ? raft.boundary.term : raft.entries.back().term);
}

void PeerStorage::SaveReady(const raft::Ready& ready, lsm::WriteBatch& batch) {
  if (!ready.must_sync) {
    // Only the commit index is new, if anything. It may get lost: so it waits for the next batch.
    if (ready.hard_state) state_.mutable_hard_state()->set_commit(ready.hard_state->commit);
    return;
  }
  // >>> SOLUTION 2B-save-ready: entries, hard state, and where the log ends now, in one batch
  if (ready.snapshot) {
    DeleteWholeLog(region_, batch);
    state_.set_last_index(ready.snapshot->last.index);
    state_.set_last_term(ready.snapshot->last.term);
  }
  for (const raft::Entry& entry : ready.entries) {
    batch.Put(kLogFamily, LogKey(region_, entry.index), raft::ToWire(entry).SerializeAsString());
  }
  if (!ready.entries.empty()) {
    state_.set_last_index(ready.entries.back().index);
    state_.set_last_term(ready.entries.back().term);
  }
  if (ready.hard_state) {
    eraftpb::HardState& hard = *state_.mutable_hard_state();
    hard.set_term(ready.hard_state->term);
    hard.set_vote(ready.hard_state->vote);
    hard.set_commit(ready.hard_state->commit);
  }
  batch.Put(kLogFamily, RaftStateKey(region_), state_.SerializeAsString());
  // <<< SOLUTION
}

void PeerStorage::DeleteLogTo(raft::Index index, lsm::WriteBatch& batch) {
  DeleteLog(region_, index, batch);
}

}  // namespace tinykv::raftstore
