#include "stage2-raftkv/raftstore/bootstrap.h"

#include <gtest/gtest.h>

#include "stage2-raftkv/raftstore/peer_storage.h"
#include "stage2-raftkv/raftstore/raftstore_test_util.h"

namespace tinykv::raftstore {
namespace {

using absl::StatusCode;

const metapb::Region& TheRegion() {
  static const auto& region = *new metapb::Region(FirstRegion({1, 2, 3}));
  return region;
}

// Opens the engines and starts the store, as a server does that may begin.
absl::Status Start(TestEngines& machine) {
  TKV_RETURN_IF_ERROR(machine.Open());
  absl::Status status = CheckStoreIdent(machine.engines(), IdentOf(9, 1));
  if (status.code() != StatusCode::kNotFound) return status;
  return InitializeStore(machine.engines(), IdentOf(9, 1), TheRegion());
}

absl::Status Check(TestEngines& machine, uint64_t cluster = 9, uint64_t store = 1) {
  return CheckStoreIdent(machine.engines(), IdentOf(cluster, store));
}

// The peer has voted since.
void MakePromise(TestEngines& machine) {
  auto loaded = PeerStorage::Load(machine.engines(), 1);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  PeerStorage storage(1, *loaded);
  lsm::WriteBatch batch;
  storage.SaveReady(
      {.hard_state = raft::HardState{.term = 6, .vote = 2, .commit = 5}, .must_sync = true}, batch);
  ASSERT_TRUE(machine.raft().Write({.sync = true}, batch).ok());
}

void ExpectFresh(TestEngines& machine) {
  const auto loaded = PeerStorage::Load(machine.engines(), 1);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->region.SerializeAsString(), TheRegion().SerializeAsString());
  EXPECT_EQ(loaded->raft.hard_state, (raft::HardState{.term = 5, .commit = 5}));
  EXPECT_EQ(loaded->raft.boundary, raft::kBootstrapEntry);
  EXPECT_EQ(loaded->raft.members, (raft::Membership{1, 2, 3}));
  EXPECT_EQ(loaded->raft.applied, 5u);
  EXPECT_EQ(loaded->applied_term, 5u);
  EXPECT_TRUE(loaded->raft.entries.empty());
}

TEST(Bootstrap, TheFirstRegionHasAllKeysAndAPeerOnEachStore) {
  const metapb::Region region = FirstRegion({3, 8});
  EXPECT_EQ(region.id(), 1u);
  EXPECT_EQ(region.start_key() + region.end_key(), "");
  EXPECT_EQ(region.region_epoch().version(), 1u);
  EXPECT_EQ(region.region_epoch().conf_ver(), 1u);
  ASSERT_EQ(region.peers_size(), 2);
  EXPECT_EQ(region.peers(1).id(), 8u);
  EXPECT_EQ(region.peers(1).store_id(), 8u);
}

TEST(Bootstrap, EmptyEnginesAreNotFoundUntilTheyAreInitialized) {
  TestEngines machine;
  ASSERT_TRUE(machine.Open().ok());
  EXPECT_EQ(Check(machine).code(), StatusCode::kNotFound);
  EXPECT_TRUE(Start(machine).ok());
  EXPECT_TRUE(Check(machine).ok());
  ExpectFresh(machine);
  machine.LosePower();
  EXPECT_TRUE(machine.Open().ok());
  EXPECT_TRUE(Check(machine).ok());
  ExpectFresh(machine);
}

TEST(Bootstrap, InterruptedAtEveryFileOperationIsDoneAgain) {
  for (uint64_t change = 1;; ++change) {
    SCOPED_TRACE(testing::Message() << "change " << change);
    TestEngines machine(change);
    machine.disk().SetFaults({.halt_at_change = change});
    const absl::Status first = Start(machine);
    const bool was_interrupted = machine.disk().halted();
    EXPECT_TRUE(was_interrupted || first.ok()) << first;
    machine.LosePower();
    machine.disk().SetFaults({});
    if (first.ok()) {
      ASSERT_TRUE(machine.Open().ok());
      ASSERT_TRUE(Check(machine).ok());
    }
    const absl::Status second = Start(machine);
    ASSERT_TRUE(second.ok()) << second;
    EXPECT_TRUE(Check(machine).ok());
    ExpectFresh(machine);
    if (!was_interrupted) {
      EXPECT_GT(change, 10u);
      return;
    }
  }
}

TEST(Bootstrap, AStoreThatIsInUseIsNotInitializedAgain) {
  TestEngines machine;
  ASSERT_TRUE(Start(machine).ok());
  for (const bool has_promised : {false, true}) {
    if (has_promised) MakePromise(machine);
    const absl::Status status = InitializeStore(machine.engines(), IdentOf(8, 2), TheRegion());
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
    EXPECT_TRUE(Says(status, "store 1 of cluster 9")) << status;
  }
  EXPECT_TRUE(Check(machine).ok());
}

TEST(Bootstrap, AStoreThatLostItsDiskBeginsWithAMarkThatNothingTakesAway) {
  TestEngines machine;
  ASSERT_TRUE(machine.Open().ok());
  ASSERT_TRUE(
      InitializeStore(machine.engines(), IdentOf(9, 1), TheRegion(), Beginning::kRejoin).ok());
  const auto is_marked = [&] {
    return PeerStorage::Load(machine.engines(), 1)->rejoin.has_value();
  };
  EXPECT_TRUE(is_marked());
  // As if a crash had come before the kv engine was written, and the operator said "new" then.
  machine.Close();
  machine.Wipe("kv");
  ASSERT_TRUE(Start(machine).ok());
  EXPECT_TRUE(is_marked());
}

TEST(Bootstrap, TwoStoresAreTooFewToRejoin) {
  TestEngines machine;
  ASSERT_TRUE(machine.Open().ok());
  const absl::Status status =
      InitializeStore(machine.engines(), IdentOf(9, 1), FirstRegion({1, 2}), Beginning::kRejoin);
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Says(status, "2 stores")) << status;
  EXPECT_EQ(Check(machine).code(), StatusCode::kNotFound);
}

TEST(Bootstrap, DataOfAnotherClusterOrStoreIsRefusedAndBothAreNamed) {
  TestEngines machine;
  ASSERT_TRUE(Start(machine).ok());
  const absl::Status cluster = Check(machine, 8, 1);
  EXPECT_EQ(cluster.code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Says(cluster, "store 1 of cluster 9")) << cluster;
  EXPECT_TRUE(Says(cluster, "store 1 of cluster 8")) << cluster;
  const absl::Status store = Check(machine, 9, 2);
  EXPECT_EQ(store.code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Says(store, "store 1 of cluster 9")) << store;
  EXPECT_TRUE(Says(store, "store 2 of cluster 9")) << store;
}

TEST(Bootstrap, EnginesOfTwoStoresAreNoStore) {
  TestEngines machine;
  ASSERT_TRUE(Start(machine).ok());
  lsm::WriteBatch batch;
  batch.Put(kLogFamily, StoreIdentKey(), IdentOf(9, 2).SerializeAsString());
  ASSERT_TRUE(machine.raft().Write({.sync = true}, batch).ok());
  EXPECT_EQ(Check(machine, 9, 1).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(Check(machine, 9, 2).code(), StatusCode::kFailedPrecondition);
}

TEST(Bootstrap, ADamagedIdentityIsDataLoss) {
  TestEngines machine;
  ASSERT_TRUE(Start(machine).ok());
  lsm::WriteBatch batch;
  batch.Put(kMetaFamily, StoreIdentKey(), "\xff");
  ASSERT_TRUE(machine.kv().Write({.sync = true}, batch).ok());
  const absl::Status status = Check(machine);
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_TRUE(Says(status, "kv engine")) << status;
}

TEST(Bootstrap, AStoreWithoutItsLogMustNotStart) {
  TestEngines machine;
  ASSERT_TRUE(Start(machine).ok());
  MakePromise(machine);
  machine.Close();
  machine.Wipe("raft");
  ASSERT_TRUE(machine.Open().ok());
  const absl::Status status = Check(machine);
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_TRUE(Says(status, "the raft engine of store 1 of cluster 9 is empty")) << status;
  EXPECT_EQ(InitializeStore(machine.engines(), IdentOf(9, 1), TheRegion()).code(),
            StatusCode::kFailedPrecondition);
}

TEST(Bootstrap, AStoreWithoutItsDataMustNotStart) {
  TestEngines machine;
  ASSERT_TRUE(Start(machine).ok());
  MakePromise(machine);
  machine.Close();
  machine.Wipe("kv");
  ASSERT_TRUE(machine.Open().ok());
  const absl::Status status = Check(machine);
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_TRUE(Says(status, "the kv engine of store 1 of cluster 9 is empty")) << status;
  EXPECT_EQ(InitializeStore(machine.engines(), IdentOf(9, 1), TheRegion()).code(),
            StatusCode::kFailedPrecondition);
}

TEST(Bootstrap, ALogThatHasNothingOfTheFirstRegionIsNoInterruptedStart) {
  TestEngines machine;
  ASSERT_TRUE(Start(machine).ok());
  lsm::WriteBatch batch;
  batch.Delete(kLogFamily, RaftStateKey(1));  // its peer has moved to another store
  ASSERT_TRUE(machine.raft().Write({.sync = true}, batch).ok());
  machine.Close();
  machine.Wipe("kv");
  ASSERT_TRUE(machine.Open().ok());
  EXPECT_EQ(Check(machine).code(), StatusCode::kDataLoss);
  EXPECT_EQ(InitializeStore(machine.engines(), IdentOf(9, 1), TheRegion()).code(),
            StatusCode::kFailedPrecondition);
}

TEST(Bootstrap, AStoreThatLostEverythingLooksLikeANewOne) {
  TestEngines machine;
  ASSERT_TRUE(Start(machine).ok());
  MakePromise(machine);
  machine.Close();
  machine.Wipe("raft");
  machine.Wipe("kv");
  ASSERT_TRUE(machine.Open().ok());
  EXPECT_EQ(Check(machine).code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace tinykv::raftstore
