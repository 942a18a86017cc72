// For tests of the DB: one on a simulated disk, with background work that runs when somebody waits.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/status.h"
#include "graders/sim/sim_clock.h"
#include "graders/sim/sim_executor.h"
#include "graders/sim/sim_file_system.h"
#include "lsm/db.h"

namespace tinykv::lsm {

using KeyValues = std::vector<std::pair<std::string, std::string>>;

class DBTest : public testing::Test {
 protected:
  DBTest() {
    // Small, so that a few hundred writes go through every part of the tree.
    options_.memtable_bytes = 8 << 10;
    options_.block_bytes = 512;
    options_.table_bytes = 4 << 10;
    options_.level_bytes_base = 16 << 10;
    options_.level_multiplier = 4;
    options_.block_cache_bytes = 64 << 10;
    options_.column_families = {"default", "lock"};
  }

  absl::Status TryOpen() {
    Close();
    options_.file_system = &disk_;
    options_.background = &background_;
    TKV_ASSIGN_OR_RETURN(db_, DB::Open(options_, kDirectory));
    return absl::OkStatus();
  }
  // Opens the database, or closes it and opens it again.
  void Open() {
    const absl::Status status = TryOpen();
    ASSERT_TRUE(status.ok()) << status;
  }
  void Close() { db_.reset(); }

  // The process dies, and the next one starts.
  void KillAndOpen() {
    disk_.Halt();
    Close();
    background_.Clear();
    disk_.KillProcess();
    Open();
  }

  absl::Status TryPut(std::string_view key, std::string_view value,
                      const WriteOptions& options = {}) {
    WriteBatch batch;
    batch.Put(0, key, value);
    return db_->Write(options, batch);
  }
  void Put(std::string_view key, std::string_view value, ColumnFamilyId column_family = 0) {
    WriteBatch batch;
    batch.Put(column_family, key, value);
    const absl::Status status = db_->Write({}, batch);
    ASSERT_TRUE(status.ok()) << status;
  }
  void Delete(std::string_view key, ColumnFamilyId column_family = 0) {
    WriteBatch batch;
    batch.Delete(column_family, key);
    const absl::Status status = db_->Write({}, batch);
    ASSERT_TRUE(status.ok()) << status;
  }
  void Flush() {
    const absl::Status status = db_->Flush();
    ASSERT_TRUE(status.ok()) << status;
  }
  void CompactAll(ColumnFamilyId column_family = 0) {
    const absl::Status status = db_->CompactAll(column_family);
    ASSERT_TRUE(status.ok()) << status;
  }

  // "value", "-" if there is none, or the error.
  std::string Get(std::string_view key, const Snapshot* snapshot = nullptr,
                  ColumnFamilyId column_family = 0) {
    const auto value = db_->Get({.snapshot = snapshot}, column_family, key);
    if (!value.ok()) return value.status().ToString();
    return value->value_or("-");
  }

  KeyValues ScanForward(const ReadOptions& options = {}, ColumnFamilyId column_family = 0) {
    KeyValues result;
    const auto it = db_->NewIterator(options, column_family);
    for (it->SeekToFirst(); it->Valid(); it->Next()) result.emplace_back(it->key(), it->value());
    EXPECT_TRUE(it->status().ok()) << it->status();
    return result;
  }
  KeyValues ScanBackward(const ReadOptions& options = {}, ColumnFamilyId column_family = 0) {
    KeyValues result;
    const auto it = db_->NewIterator(options, column_family);
    for (it->SeekToLast(); it->Valid(); it->Prev()) result.emplace_back(it->key(), it->value());
    EXPECT_TRUE(it->status().ok()) << it->status();
    return result;
  }

  // Numbers of tables by level, as "2 0 1"; levels behind the last that has any are left out.
  std::string Shape(ColumnFamilyId column_family = 0) {
    std::string shape;
    std::string zeros;
    const Statistics statistics = db_->GetStatistics();
    for (const LevelStatistics& level : statistics.levels[column_family]) {
      zeros += (shape.empty() && zeros.empty() ? "" : " ") + std::to_string(level.tables);
      if (level.tables > 0) shape += std::exchange(zeros, "");
    }
    return shape;
  }

  // Names in the database's folder that end in `suffix`.
  std::vector<std::string> Files(std::string_view suffix) {
    std::vector<std::string> result;
    const auto names = disk_.List(kDirectory);
    for (const std::string& name : *names) {
      if (name.ends_with(suffix)) result.push_back(name);
    }
    return result;
  }

  inline static const std::string kDirectory = "db";

  sim::SimFileSystem disk_;
  sim::SimClock clock_;
  sim::SimExecutor background_{clock_};
  Options options_;
  std::unique_ptr<DB> db_;
};

}  // namespace tinykv::lsm
