#include "stage2-raftkv/raftstore/backup.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "stage2-raftkv/raftstore/peer_storage.h"
#include "stage2-raftkv/raftstore/raftstore_test_util.h"

namespace tinykv::raftstore {
namespace {

using absl::StatusCode;
using Content = std::map<std::string, std::string>;

constexpr char kBackups[] = "backups";
constexpr char kMonday[] = "backups/monday";
constexpr uint64_t kNewCluster = 10;

// A store with some data, of which the last was not synced, and a new one, on the same disk, that
// begins with a backup.
class BackupTest : public StartedStoreTest {
 protected:
  void SetUp() override {
    StartedStoreTest::SetUp();
    Fill();
  }

  void Fill() {
    for (int i = 0; i < 200; ++i) {
      Put(machine_.kv(), i % 3, Concat("k", i), std::string(100, static_cast<char>('a' + i % 26)));
      if (i == 50 || i == 120) {
        ASSERT_TRUE(machine_.kv().Flush().ok());
      }
    }
    Apply(37, "last");
  }
  // As the applier does.
  void Apply(raft::Index index, std::string_view value) {
    raft_serverpb::RaftApplyState state;
    state.set_applied_index(index);
    state.mutable_truncated_state()->set_index(20);
    state.mutable_truncated_state()->set_term(7);
    lsm::WriteBatch batch;
    batch.Put(0, "key", value);
    batch.Put(kMetaFamily, ApplyStateKey(1), state.SerializeAsString());
    ASSERT_TRUE(machine_.kv().Write({.sync = false}, batch).ok());
  }

  std::vector<Content> Data(lsm::DB& kv) { return {Scan(kv, 0), Scan(kv, 1), Scan(kv, 2)}; }
  absl::StatusOr<Backup> Make(const std::string& name) {
    Backups backups(machine_.kv(), machine_.KvOptions(), kBackups);
    return backups.Make(name);
  }
  absl::Status Restore(uint64_t cluster = kNewCluster) {
    return RestoreBackup(machine_.KvOptions(), kMonday, "new/kv", cluster);
  }

  // A new store as a server begins it, all over again after a crash.
  absl::Status BeginNew() {
    if (!machine_.disk().Exists("new/kv")) TKV_RETURN_IF_ERROR(Restore());
    lsm::Options options = machine_.KvOptions();
    TKV_ASSIGN_OR_RETURN(const auto kv, lsm::DB::Open(options, "new/kv"));
    options.column_families = RaftColumnFamilies();
    TKV_ASSIGN_OR_RETURN(const auto raft, lsm::DB::Open(options, "new/raft"));
    const Engines engines{*raft, *kv};
    const absl::Status found = CheckStoreIdent(engines, IdentOf(kNewCluster, 4));
    if (absl::IsNotFound(found)) {
      EXPECT_TRUE(*IsRestored(engines));
      TKV_RETURN_IF_ERROR(
          InitializeStore(engines, IdentOf(kNewCluster, 4), FirstRegion({4, 5, 6})));
    } else {
      TKV_RETURN_IF_ERROR(found);
    }
    TKV_RETURN_IF_ERROR(CheckStoreIdent(engines, IdentOf(kNewCluster, 4)));
    ExpectBegun(engines);
    return absl::OkStatus();
  }
  void ExpectBegun(Engines engines) {
    const auto loaded = PeerStorage::Load(engines, 1);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_EQ(loaded->raft.members, (raft::Membership{4, 5, 6}));
    EXPECT_EQ(loaded->raft.boundary, (raft::EntryId{.index = 37, .term = 5}));
    EXPECT_EQ(loaded->raft.hard_state, (raft::HardState{.term = 5, .commit = 37}));
    EXPECT_EQ(loaded->raft.applied, 37u);
    EXPECT_TRUE(Data(engines.kv) == expected_);
  }

  // Expected of what is restored.
  std::vector<Content> expected_;
};

TEST(BackupName, IsOneOfAFileThatNobodyTakesForAnother) {
  for (const char* name : {"monday", "2026-11-22", "a.b_c-D", "7"}) {
    EXPECT_TRUE(CheckBackupName(name).ok()) << name;
  }
  for (const std::string name :
       {"", ".", "..", "a/b", "/etc", ".hidden", "-r", "a.tmp", "a b", "ä", "a\n"}) {
    EXPECT_EQ(CheckBackupName(name).code(), StatusCode::kInvalidArgument) << name;
  }
  EXPECT_TRUE(CheckBackupName(std::string(100, 'x')).ok());
  EXPECT_FALSE(CheckBackupName(std::string(101, 'x')).ok());
}

TEST_F(BackupTest, HasAllOfItsMomentAndSaysWhichThatWas) {
  expected_ = Data(machine_.kv());
  const auto made = Make("monday");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->directory, kMonday);
  EXPECT_EQ(made->manifest.applied_index(), 37u);
  EXPECT_EQ(made->manifest.cluster_id(), 9u);
  EXPECT_EQ(made->manifest.store_id(), 1u);
  EXPECT_EQ(made->manifest.region().peers_size(), 3);
  EXPECT_GT(made->bytes, 1000u);
  Apply(38, "later");
  machine_.LosePower();
  const absl::Status begun = BeginNew();
  EXPECT_TRUE(begun.ok()) << begun;
}

TEST_F(BackupTest, IsNotMadeTwiceUnderOneName) {
  ASSERT_TRUE(Make("monday").ok());
  const absl::Status again = Make("monday").status();
  EXPECT_EQ(again.code(), StatusCode::kAlreadyExists);
  EXPECT_TRUE(Says(again, kMonday)) << again;
  EXPECT_TRUE(Make("tuesday").ok());
  EXPECT_EQ(Make("../kv").status().code(), StatusCode::kInvalidArgument);
}

TEST_F(BackupTest, IsThereWholeOrNotAtAllWhereverThePowerFails) {
  expected_ = Data(machine_.kv());
  for (uint64_t change = 1;; ++change) {
    SCOPED_TRACE(testing::Message() << "change " << change);
    machine_.disk().SetFaults({.halt_at_change = change});
    const auto made = Make("monday");
    const bool was_interrupted = machine_.disk().halted();
    EXPECT_TRUE(was_interrupted || made.ok()) << made.status();
    machine_.LosePower();
    machine_.disk().SetFaults({});
    const bool is_there = machine_.disk().Exists(kMonday);
    EXPECT_TRUE(is_there || !made.ok());
    if (is_there) {
      const absl::Status begun = BeginNew();
      EXPECT_TRUE(begun.ok()) << begun;
      ASSERT_TRUE(RemoveTree(machine_.disk(), "new").ok());
      ASSERT_TRUE(RemoveTree(machine_.disk(), kMonday).ok());
    }
    Open();
    Apply(37, "last");  // the crash may have taken it
    Backups backups(machine_.kv(), machine_.KvOptions(), kBackups);
    ASSERT_TRUE(backups.Open().ok());
    if (machine_.disk().Exists(kBackups)) {
      EXPECT_EQ(machine_.disk().List(kBackups).value(), std::vector<std::string>{});
    }
    if (!was_interrupted) {
      EXPECT_GT(change, 10u);
      return;
    }
  }
}

TEST_F(BackupTest, AFailureOfTheDiskLeavesNothingBehind) {
  for (uint64_t change = 1;; ++change) {
    SCOPED_TRACE(testing::Message() << "change " << change);
    machine_.disk().SetFaults({.failed_change = sim::FaultPlan::Failure{.at = change}});
    const auto made = Make("monday");
    machine_.disk().SetFaults({});
    if (made.ok()) break;
    // But for the very last sync, after which it is known to be there.
    ASSERT_TRUE(RemoveTree(machine_.disk(), kMonday).ok());
    if (machine_.disk().Exists(kBackups)) {
      EXPECT_EQ(machine_.disk().List(kBackups).value(), std::vector<std::string>{});
    }
    Open();  // the failure may have been one of the engine
  }
}

TEST_F(BackupTest, RestoreIsDoneAgainWhereverThePowerFails) {
  expected_ = Data(machine_.kv());
  ASSERT_TRUE(Make("monday").ok());
  for (uint64_t change = 1;; ++change) {
    SCOPED_TRACE(testing::Message() << "change " << change);
    machine_.disk().SetFaults({.halt_at_change = change});
    const absl::Status first = BeginNew();
    const bool was_interrupted = machine_.disk().halted();
    EXPECT_TRUE(was_interrupted || first.ok()) << first;
    machine_.LosePower();
    machine_.disk().SetFaults({});
    const absl::Status second = BeginNew();
    ASSERT_TRUE(second.ok()) << second;
    ASSERT_TRUE(RemoveTree(machine_.disk(), "new").ok());
    if (!was_interrupted) {
      EXPECT_GT(change, 20u);
      return;
    }
  }
}

TEST_F(BackupTest, WhatIsDamagedIsNotRestored) {
  ASSERT_TRUE(Make("monday").ok());
  for (const std::string& path : machine_.disk().files()) {
    const bool is_data = path.ends_with(".sst") || path.find("MANIFEST") != std::string::npos ||
                         path.ends_with("BACKUP");
    if (!path.starts_with(kMonday) || !is_data) continue;
    SCOPED_TRACE(path);
    const uint64_t middle = machine_.disk().FileSize(path).value() / 2;
    ASSERT_TRUE(machine_.disk().FlipBit(path, middle, 4).ok());
    const absl::Status status = Restore();
    EXPECT_FALSE(status.ok());
    EXPECT_TRUE(Says(status, kMonday)) << status;
    EXPECT_FALSE(machine_.disk().Exists("new/kv"));
    EXPECT_FALSE(machine_.disk().Exists("new/kv.restoring"));
    ASSERT_TRUE(machine_.disk().FlipBit(path, middle, 4).ok());
  }
  EXPECT_TRUE(Restore().ok());
}

TEST_F(BackupTest, IsRestoredOnlyAsANewClusterFromAWholeBackup) {
  EXPECT_EQ(Restore().code(), StatusCode::kNotFound);
  ASSERT_TRUE(Make("monday").ok());
  const absl::Status same = Restore(9);
  EXPECT_EQ(same.code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Says(same, "another cluster.id")) << same;
  ASSERT_TRUE(machine_.disk().Remove("backups/monday/BACKUP").ok());
  EXPECT_EQ(Restore().code(), StatusCode::kNotFound);
  ASSERT_TRUE(WriteFileAtomically(machine_.disk(), "backups/monday/BACKUP", "{\"format\":2}").ok());
  EXPECT_TRUE(Says(Restore(), "format 2"));
}

}  // namespace
}  // namespace tinykv::raftstore
