// For tests of a whole store, in a simulation: one thread, a clock that is moved by hand.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "stage2-raftkv/raftstore/compact_log.h"
#include "stage2-raftkv/raftstore/raftstore_test_util.h"
#include "stage2-raftkv/raftstore/store.h"

namespace tinykv::raftstore {

// Store 1 of cluster 9, with its engines and actors. What its network does, the test says.
class WholeStoreTest : public testing::Test {
 protected:
  // The region's members are on `members`; `network` must outlive the test.
  void Start(const std::vector<uint64_t>& members, Transport& network, AdminHandlers handlers) {
    ASSERT_TRUE(machine_.Open().ok());
    ASSERT_TRUE(InitializeStore(machine_.engines(), IdentOf(9, 1), FirstRegion(members)).ok());
    snapshots_.emplace(machine_.kv(), machine_.KvOptions(), "snap", rate_);
    ASSERT_TRUE(snapshots_->Open().ok());
    StoreOptions options{.cluster_id = 9, .store_id = 1};
    options.raft.pre_vote = options.raft.check_quorum = false;
    options.log.entries_max = 10;
    const StoreDoors doors{.engines = machine_.engines(),
                           .clock = machine_.clock(),
                           .transport = network,
                           .snapshots = *snapshots_,
                           .raft = actor_,
                           .apply = actor_,
                           .snapshot = actor_,
                           .room = {.directory = "data", .reserve_bytes = 1000, .free_bytes = [&] {
                                      return free_bytes_;
                                    }}};
    auto store = Store::Open(options, doors, std::move(handlers));
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  void TearDown() override {
    if (store_ != nullptr) store_->Close();
  }

  const raft::RaftCore& core() const { return store_->peer(1)->core(); }

  TestEngines machine_;
  RateLimit rate_{0, machine_.clock()};
  std::optional<Snapshots> snapshots_;
  sim::SimExecutor actor_{machine_.clock()};
  uint64_t free_bytes_ = 1000;
  std::unique_ptr<Store> store_;
};

}  // namespace tinykv::raftstore
