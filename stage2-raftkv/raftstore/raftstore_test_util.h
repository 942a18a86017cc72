// What the tests of the store share: its two engines on one simulated disk.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "common/status.h"
#include "graders/sim/sim_clock.h"
#include "graders/sim/sim_executor.h"
#include "graders/sim/sim_file_system.h"
#include "lsm/db.h"
#include "stage2-raftkv/raftstore/bootstrap.h"
#include "stage2-raftkv/raftstore/engines.h"

namespace tinykv::raftstore {

inline raft_serverpb::StoreIdent IdentOf(uint64_t cluster, uint64_t store) {
  raft_serverpb::StoreIdent ident;
  ident.set_cluster_id(cluster);
  ident.set_store_id(store);
  return ident;
}

inline bool Says(const absl::Status& status, std::string_view text) {
  return MessageOf(status).find(text) != std::string_view::npos;
}

// One machine with a disk and, while it is open, both engines.
class TestEngines {
 public:
  explicit TestEngines(uint64_t seed = 1) : random_(seed) {}
  ~TestEngines() { Close(); }

  sim::SimFileSystem& disk() { return disk_; }
  sim::SimClock& clock() { return clock_; }
  Engines engines() { return {*raft_, *kv_}; }
  lsm::DB& raft() { return *raft_; }
  lsm::DB& kv() { return *kv_; }

  lsm::Options KvOptions() { return OptionsOf(KvColumnFamilies()); }

  absl::Status Open() {
    Close();
    TKV_ASSIGN_OR_RETURN(raft_, lsm::DB::Open(OptionsOf(RaftColumnFamilies()), "raft"));
    TKV_ASSIGN_OR_RETURN(kv_, lsm::DB::Open(KvOptions(), "kv"));
    return absl::OkStatus();
  }
  void Close() {
    raft_.reset();
    kv_.reset();
  }

  // The machine loses power: what was not synced may be gone.
  void LosePower() {
    disk_.Halt();
    Close();
    background_.Clear();
    disk_.Crash(random_);
  }

  // What was in the folder is lost. REQUIRES: the engines are closed.
  void Wipe(const std::string& directory) {
    const auto names = disk_.List(directory);
    ASSERT_TRUE(names.ok()) << names.status();
    for (const std::string& name : *names) {
      ASSERT_TRUE(disk_.Remove(JoinPath(directory, name)).ok());
    }
  }

 private:
  lsm::Options OptionsOf(std::vector<std::string> column_families) {
    return {.file_system = &disk_,
            .background = &background_,
            .column_families = std::move(column_families),
            .block_cache_bytes = 1 << 20};
  }

  Random random_;
  sim::SimFileSystem disk_;
  sim::SimClock clock_;
  sim::SimExecutor background_{clock_};
  std::unique_ptr<lsm::DB> raft_;
  std::unique_ptr<lsm::DB> kv_;
};

// A store that has begun: store 1 of cluster 9, with a peer of region 1, as others on 2 and 3.
class StartedStoreTest : public testing::Test {
 protected:
  void SetUp() override { Begin(); }
  // A store that has nothing yet; what there was is lost.
  void BeginAnew() {
    machine_.Close();
    machine_.Wipe("raft");
    machine_.Wipe("kv");
    Begin();
  }
  void Begin() {
    Open();
    ASSERT_TRUE(InitializeStore(machine_.engines(), IdentOf(9, 1), FirstRegion({1, 2, 3})).ok());
  }
  void Open() {
    const absl::Status status = machine_.Open();
    ASSERT_TRUE(status.ok()) << status;
  }
  void LosePowerAndOpen() {
    machine_.LosePower();
    Open();
  }

  static void Put(lsm::DB& db, lsm::ColumnFamilyId family, std::string_view key,
                  std::string_view value) {
    lsm::WriteBatch batch;
    batch.Put(family, key, value);
    ASSERT_TRUE(db.Write({.sync = true}, batch).ok());
  }
  static void Delete(lsm::DB& db, lsm::ColumnFamilyId family, std::string_view key) {
    lsm::WriteBatch batch;
    batch.Delete(family, key);
    ASSERT_TRUE(db.Write({.sync = true}, batch).ok());
  }
  // All that a column family has.
  static std::map<std::string, std::string> Scan(lsm::DB& db, lsm::ColumnFamilyId family) {
    std::map<std::string, std::string> content;
    const auto iterator = db.NewIterator({}, family);
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      content.emplace(iterator->key(), iterator->value());
    }
    EXPECT_TRUE(iterator->status().ok()) << iterator->status();
    return content;
  }

  TestEngines machine_;
};

}  // namespace tinykv::raftstore
