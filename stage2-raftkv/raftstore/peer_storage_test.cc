#include "stage2-raftkv/raftstore/peer_storage.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "stage2-raftkv/raft/wire.h"
#include "stage2-raftkv/raftstore/raftstore_test_util.h"

namespace tinykv::raftstore {
namespace {

using raft::EntryId;
using raft::HardState;
using raft::Index;
using raft::Ready;
using raft::Term;

std::vector<raft::Entry> Entries(Index first, const std::vector<Term>& terms) {
  std::vector<raft::Entry> entries;
  for (const Term term : terms) {
    const Index index = first + entries.size();
    entries.push_back({.term = term, .index = index, .data = Concat(index, " of ", term)});
  }
  return entries;
}

// "5/5: 6/6 7/6; term 6 vote 1 commit 5 applied 5/5": the boundary, the entries and the rest.
std::string Describe(const LoadedPeer& loaded) {
  const raft::StoredState& raft = loaded.raft;
  std::string text = Concat(raft.boundary.index, '/', raft.boundary.term, ':');
  for (const raft::Entry& entry : raft.entries) {
    text += Concat(' ', entry.index, '/', entry.term);
    EXPECT_EQ(entry.data.view(), Concat(entry.index, " of ", entry.term));
  }
  EXPECT_EQ(raft.applied, loaded.apply_state.applied_index());
  return Concat(text, "; term ", raft.hard_state.term, " vote ", raft.hard_state.vote, " commit ",
                raft.hard_state.commit, " applied ", raft.applied, '/', loaded.applied_term);
}

class PeerStorageTest : public StartedStoreTest {
 protected:
  void SetUp() override {
    StartedStoreTest::SetUp();
    EXPECT_EQ(Load(), "5/5:; term 5 vote 0 commit 5 applied 5/5");
  }

  // Loads the peer, and goes on with it. What was found, or the error.
  std::string Load() {
    auto loaded = PeerStorage::Load(machine_.engines(), 1);
    if (!loaded.ok()) return loaded.status().ToString();
    storage_ = std::make_unique<PeerStorage>(1, *loaded);
    return Describe(*loaded);
  }
  std::string LoadAfterPowerLoss() {
    LosePowerAndOpen();
    return Load();
  }
  void ExpectDataLoss(std::string_view what) {
    const absl::Status status = PeerStorage::Load(machine_.engines(), 1).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_TRUE(Says(status, "region 1")) << status;
    EXPECT_TRUE(Says(status, what)) << status;
  }

  absl::Status TrySave(Ready ready) {
    ready.must_sync = true;
    lsm::WriteBatch batch;
    storage_->SaveReady(ready, batch);
    return machine_.raft().Write({.sync = true}, batch);
  }
  void Save(Ready ready) { ASSERT_TRUE(TrySave(std::move(ready)).ok()); }
  void SaveEntries(Index first, const std::vector<Term>& terms) {
    Save({.hard_state = HardState{.term = terms.back(), .vote = 1, .commit = 5},
          .entries = Entries(first, terms)});
  }

  // What the applier says in the kv engine.
  void SetApplied(Index applied, const EntryId& boundary = raft::kBootstrapEntry) {
    raft_serverpb::RaftApplyState state;
    state.set_applied_index(applied);
    state.mutable_truncated_state()->set_index(boundary.index);
    state.mutable_truncated_state()->set_term(boundary.term);
    Put(machine_.kv(), kMetaFamily, ApplyStateKey(1), state.SerializeAsString());
  }
  void SetSnapshotApplied(const EntryId& last) { SetApplied(last.index, last); }

  static Ready SnapshotReady(const EntryId& last, const HardState& hard_state) {
    return {.hard_state = hard_state, .snapshot = raft::Snapshot{.last = last}};
  }

  std::unique_ptr<PeerStorage> storage_;
};

TEST_F(PeerStorageTest, LoadsWhatWasSaved) {
  Save({.hard_state = HardState{.term = 7, .vote = 2, .commit = 6},
        .entries = Entries(6, {6, 6, 7})});
  EXPECT_EQ(LoadAfterPowerLoss(), "5/5: 6/6 7/6 8/7; term 7 vote 2 commit 6 applied 5/5");
}

TEST_F(PeerStorageTest, WhatIsNotInAReadyStaysAsItWas) {
  SaveEntries(6, {6, 6});
  Save({.hard_state = HardState{.term = 7, .vote = 3, .commit = 6}});
  EXPECT_EQ(Load(), "5/5: 6/6 7/6; term 7 vote 3 commit 6 applied 5/5");
  Save({.entries = Entries(8, {7})});
  EXPECT_EQ(Load(), "5/5: 6/6 7/6 8/7; term 7 vote 3 commit 6 applied 5/5");
}

TEST_F(PeerStorageTest, AReadyOfMessagesOnlyWritesNothing) {
  lsm::WriteBatch batch;
  storage_->SaveReady({.messages = {{.type = raft::MessageType::kHeartbeat}}}, batch);
  EXPECT_TRUE(batch.empty());
}

TEST_F(PeerStorageTest, ACommitIndexThatComesAloneIsStoredWithWhatComesNext) {
  SaveEntries(6, {6, 6});
  lsm::WriteBatch batch;
  storage_->SaveReady({.hard_state = HardState{.term = 6, .vote = 1, .commit = 7}}, batch);
  EXPECT_TRUE(batch.empty());
  Save({.entries = Entries(8, {6})});
  EXPECT_EQ(Load(), "5/5: 6/6 7/6 8/6; term 6 vote 1 commit 7 applied 5/5");
}

TEST_F(PeerStorageTest, EntriesReplaceTheTailFromTheFirstOfThemOn) {
  SaveEntries(6, {6, 6, 6, 6, 6});
  SaveEntries(8, {7});
  EXPECT_EQ(Load(), "5/5: 6/6 7/6 8/7; term 7 vote 1 commit 5 applied 5/5");
  SaveEntries(9, {7});
  EXPECT_EQ(LoadAfterPowerLoss(), "5/5: 6/6 7/6 8/7 9/7; term 7 vote 1 commit 5 applied 5/5");
}

TEST_F(PeerStorageTest, PowerLossAtEveryFileOperationLeavesWholeReadys) {
  const std::string states[] = {
      "5/5:; term 5 vote 0 commit 5 applied 5/5",
      "5/5: 6/6 7/6 8/6; term 6 vote 1 commit 5 applied 5/5",
      "5/5: 6/6 7/7; term 7 vote 1 commit 5 applied 5/5",
      "5/5: 6/6 7/7; term 8 vote 1 commit 5 applied 5/5",
  };
  const Ready readies[] = {
      {.hard_state = HardState{.term = 6, .vote = 1, .commit = 5},
       .entries = Entries(6, {6, 6, 6})},
      {.hard_state = HardState{.term = 7, .vote = 1, .commit = 5}, .entries = Entries(7, {7})},
      {.hard_state = HardState{.term = 8, .vote = 1, .commit = 5}},
  };
  bool was_interrupted = true;
  for (uint64_t change = 1; was_interrupted; ++change) {
    SCOPED_TRACE(testing::Message() << "change " << change);
    BeginAnew();
    ASSERT_EQ(Load(), states[0]);
    machine_.disk().SetFaults({.halt_at_change = change});
    size_t saved = 0;
    while (saved < std::size(readies) && TrySave(readies[saved]).ok()) ++saved;
    was_interrupted = machine_.disk().halted();
    EXPECT_EQ(saved == std::size(readies), !was_interrupted);
    machine_.LosePower();
    machine_.disk().SetFaults({});
    Open();
    const std::string found = Load();
    EXPECT_TRUE(found == states[saved] || (was_interrupted && found == states[saved + 1]))
        << found << " after " << saved;
  }
}

TEST_F(PeerStorageTest, WhatIsAppliedWasCommitted) {
  SaveEntries(6, {6, 7, 7});
  SetApplied(7);
  EXPECT_EQ(Load(), "5/5: 6/6 7/7 8/7; term 7 vote 1 commit 7 applied 7/7");
}

TEST_F(PeerStorageTest, TheLogBeginsWhereTheApplyStateSaysWhateverIsStillThere) {
  SaveEntries(6, {6, 6, 7, 7});
  SetApplied(8, {7, 6});
  const std::string expected = "7/6: 8/7 9/7; term 7 vote 1 commit 8 applied 8/7";
  EXPECT_EQ(Load(), expected);
  Put(machine_.raft(), kLogFamily, LogKey(2, 6), "another region's");
  lsm::WriteBatch batch;
  storage_->DeleteLogTo(7, batch);
  ASSERT_TRUE(machine_.raft().Write({.sync = true}, batch).ok());
  EXPECT_EQ(LoadAfterPowerLoss(), expected);
  const auto left = Scan(machine_.raft(), kLogFamily);
  EXPECT_FALSE(left.contains(LogKey(1, 6)));
  EXPECT_FALSE(left.contains(LogKey(1, 7)));
  EXPECT_TRUE(left.contains(LogKey(1, 8)));
  EXPECT_TRUE(left.contains(LogKey(2, 6)));
}

TEST_F(PeerStorageTest, ALogWithAGapIsDataLoss) {
  SaveEntries(6, {6, 6, 6, 6});
  for (const Index missing : {6, 7, 9}) {
    const auto bytes = machine_.raft().Get({}, kLogFamily, LogKey(1, missing));
    ASSERT_TRUE(bytes.ok() && *bytes);
    Delete(machine_.raft(), kLogFamily, LogKey(1, missing));
    ExpectDataLoss(Concat("no entry ", missing));
    Put(machine_.raft(), kLogFamily, LogKey(1, missing), **bytes);
  }
  EXPECT_EQ(Load(), "5/5: 6/6 7/6 8/6 9/6; term 6 vote 1 commit 5 applied 5/5");
}

TEST_F(PeerStorageTest, ALogThatEndsBeforeWhatIsAppliedIsDataLoss) {
  SaveEntries(6, {6, 6});
  SetApplied(8);
  ExpectDataLoss("no entry 8");
}

TEST_F(PeerStorageTest, AnApplyStateThatIsBehindItsOwnLogIsDataLoss) {
  SaveEntries(6, {6, 6, 6});
  SetApplied(6, {7, 6});
  ExpectDataLoss("apply state");
}

TEST_F(PeerStorageTest, AMissingStateIsDataLoss) {
  SaveEntries(6, {6});
  Delete(machine_.raft(), kLogFamily, RaftStateKey(1));
  ExpectDataLoss("the raft engine has no state");
}

TEST_F(PeerStorageTest, ARegionOfWhichThereIsNothingIsDataLoss) {
  Delete(machine_.kv(), kMetaFamily, ApplyStateKey(1));
  ExpectDataLoss("the kv engine has no state");
}

TEST_F(PeerStorageTest, DamagedMessagesAreDataLossAndNamed) {
  SaveEntries(6, {6, 6});
  Put(machine_.raft(), kLogFamily, LogKey(1, 7), "\xff");
  ExpectDataLoss("entry 7 of region 1");
  Put(machine_.raft(), kLogFamily, RaftStateKey(1), "\xff");
  ExpectDataLoss("raft state of region 1");
  Put(machine_.kv(), kMetaFamily, ApplyStateKey(1), "\xff");
  ExpectDataLoss("apply state of region 1");
  Put(machine_.kv(), kMetaFamily, RegionStateKey(1), "\xff");
  ExpectDataLoss("state of region 1");
}

// ---- snapshots ----

TEST_F(PeerStorageTest, ASnapshotReplacesTheWholeLog) {
  SaveEntries(6, {6, 6, 6});
  SetSnapshotApplied({20, 8});
  Save(SnapshotReady({20, 8}, {.term = 9, .vote = 3, .commit = 20}));
  EXPECT_EQ(LoadAfterPowerLoss(), "20/8:; term 9 vote 3 commit 20 applied 20/8");
  EXPECT_FALSE(Scan(machine_.raft(), kLogFamily).contains(LogKey(1, 8)));
  Save({.entries = Entries(21, {9})});
  EXPECT_EQ(LoadAfterPowerLoss(), "20/8: 21/9; term 9 vote 3 commit 20 applied 20/8");
}

// The crash comes between the ingestion and the log's end: nobody was told of the snapshot yet.
TEST_F(PeerStorageTest, ALogOfBeforeTheSnapshotIsReplacedOnceAndForAll) {
  SaveEntries(6, {6, 6, 6});
  SetSnapshotApplied({20, 8});
  const std::string replaced = "20/8:; term 8 vote 0 commit 20 applied 20/8";
  const uint64_t syncs = machine_.raft().GetStatistics().wal_syncs;
  EXPECT_EQ(Load(), replaced);
  EXPECT_EQ(machine_.raft().GetStatistics().wal_syncs, syncs + 1);
  EXPECT_EQ(LoadAfterPowerLoss(), replaced);
  EXPECT_FALSE(Scan(machine_.raft(), kLogFamily).contains(LogKey(1, 8)));
  // What it promises from now on is not lost with a second crash.
  Save({.hard_state = HardState{.term = 9, .vote = 2, .commit = 20},
        .entries = Entries(21, {8, 9})});
  EXPECT_EQ(LoadAfterPowerLoss(), "20/8: 21/8 22/9; term 9 vote 2 commit 20 applied 20/8");
}

TEST_F(PeerStorageTest, AVoteInTheSnapshotsTermOrALaterOneIsKept) {
  Save({.hard_state = HardState{.term = 8, .vote = 3, .commit = 5}});
  SetSnapshotApplied({20, 8});
  EXPECT_EQ(LoadAfterPowerLoss(), "20/8:; term 8 vote 3 commit 20 applied 20/8");
}

TEST_F(PeerStorageTest, ALongerLogThatDoesNotLeadToTheSnapshotIsReplaced) {
  SaveEntries(6, {6, 6, 6, 6, 6});
  SetSnapshotApplied({8, 7});
  EXPECT_EQ(Load(), "8/7:; term 7 vote 0 commit 8 applied 8/7");
  SaveEntries(9, {8});
  EXPECT_EQ(LoadAfterPowerLoss(), "8/7: 9/8; term 8 vote 1 commit 8 applied 8/7");
}

TEST_F(PeerStorageTest, ALogThatLeadsToTheSnapshotGoesOn) {
  SaveEntries(6, {6, 6, 7, 7});
  SetSnapshotApplied({8, 7});
  EXPECT_EQ(LoadAfterPowerLoss(), "8/7: 9/7; term 7 vote 1 commit 8 applied 8/7");
}

TEST_F(PeerStorageTest, InterruptedWhileItReplacesTheLogItDoesSoAgain) {
  bool was_interrupted = true;
  for (uint64_t change = 1; was_interrupted; ++change) {
    SCOPED_TRACE(testing::Message() << "change " << change);
    BeginAnew();
    Load();
    SaveEntries(6, {6, 6, 6});
    SetSnapshotApplied({20, 8});
    machine_.disk().SetFaults({.halt_at_change = change});
    Load();
    was_interrupted = machine_.disk().halted();
    machine_.LosePower();
    machine_.disk().SetFaults({});
    Open();
    EXPECT_EQ(Load(), "20/8:; term 8 vote 0 commit 20 applied 20/8");
  }
}

// A tail that was replaced by fewer entries is still on the disk, behind the log's end.
TEST_F(PeerStorageTest, WhatIsLeftOfAReplacedTailIsNotMistakenForTheLogOfBeforeASnapshot) {
  for (const bool crashes_before_the_log : {false, true}) {
    SCOPED_TRACE(crashes_before_the_log);
    BeginAnew();
    Load();
    SaveEntries(6, {6, 6, 6, 6, 6, 6});  // 11 is of term 6
    SaveEntries(7, {7});                 // now it ends with 7
    SetSnapshotApplied({11, 7});
    if (crashes_before_the_log) {
      LoadAfterPowerLoss();
    } else {
      Save(SnapshotReady({11, 7}, {.term = 7, .vote = 1, .commit = 11}));
    }
    Save({.entries = Entries(12, {7, 7})});
    EXPECT_EQ(LoadAfterPowerLoss(), "11/7: 12/7 13/7; term 7 vote 1 commit 11 applied 11/7");
  }
}

}  // namespace
}  // namespace tinykv::raftstore
