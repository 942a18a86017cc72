#include "stage2-raftkv/raftstore/applier.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/storage/region_error.h"
#include "common/storage/write_set.h"
#include "lsm/table_writer.h"
#include "stage2-raftkv/raftstore/compact_log.h"
#include "stage2-raftkv/raftstore/raftstore_test_util.h"
#include "stage2-raftkv/raftstore/region.h"
#include "stage2-raftkv/raftstore/write_command.h"

namespace tinykv::raftstore {
namespace {

using Command = raft_cmdpb::RaftCmdRequest;
using Content = std::map<std::string, std::string>;
using Strings = std::vector<std::string>;
constexpr raft::Term kTerm = 6;

// Region `id` with keys [b, y), at version 4; entry 5 of term 5 is applied, and the log begins
// there.
AppliedRegion RegionBy(RegionId id) {
  AppliedRegion applied{.applied_term = 5};
  applied.region.set_id(id);
  applied.region.set_start_key("b");
  applied.region.set_end_key("y");
  applied.region.mutable_region_epoch()->set_version(4);
  applied.region.mutable_region_epoch()->set_conf_ver(1);
  applied.state.set_applied_index(5);
  applied.state.mutable_truncated_state()->set_index(5);
  applied.state.mutable_truncated_state()->set_term(5);
  return applied;
}

Command Puts(const Strings& keys, ColumnFamily family = ColumnFamily::kDefault) {
  WriteSet writes;
  for (const std::string& key : keys) writes.Put(family, key, "v");
  Command command;
  AddRequests(writes, command);
  return command;
}

Command AtVersion(Command command, uint64_t version) {
  command.mutable_header()->mutable_region_epoch()->set_version(version);
  command.mutable_header()->mutable_region_epoch()->set_conf_ver(1);
  return command;
}

Command Admin(raft_cmdpb::AdminRequest request) {
  Command command;
  *command.mutable_admin_request() = std::move(request);
  return command;
}

// A command that makes the next version of the region, as a split does.
Command NextVersion() {
  raft_cmdpb::AdminRequest request;
  request.set_cmd_type(raft_cmdpb::Split);
  return Admin(request);
}

AdminHandlers Handlers() {
  AdminHandlers handlers;
  handlers[raft_cmdpb::CompactLog] = CompactLogHandler();
  handlers[raft_cmdpb::Split].apply = [](const raft::EntryId&, const raft_cmdpb::AdminRequest&,
                                         AppliedRegion& region, lsm::WriteBatch&) {
    metapb::RegionEpoch& epoch = *region.region.mutable_region_epoch();
    epoch.set_version(epoch.version() + 1);
    return absl::OkStatus();
  };
  return handlers;
}

class ApplierTest : public StartedStoreTest {
 protected:
  void SetUp() override {
    StartedStoreTest::SetUp();
    MakeApplier();
  }
  void TearDown() override { applier_.reset(); }

  void MakeApplier() {
    applier_.reset();
    applied_.clear();
    answers_.clear();
    failed_ = absl::OkStatus();
    next_ = {{1, 6}, {2, 6}};
    applier_ = std::make_unique<Applier>(
        machine_.kv(), handlers_, executor_,
        Applier::Listener{
            .applied = [this](Applied applied) { applied_.push_back(std::move(applied)); },
            .failed = [this](absl::Status status) { failed_ = std::move(status); }});
    applier_->Add(RegionBy(1));
    applier_->Add(RegionBy(2));
  }
  // Everything as when the store was new, on an empty disk.
  void StartAnew() {
    applier_.reset();
    machine_.Close();
    machine_.Wipe("raft");
    machine_.Wipe("kv");
    SetUp();
  }
  void LosePower() {
    applier_.reset();
    machine_.LosePower();
    machine_.disk().SetFaults({});
    Open();
  }

  // The next entries of the region are these.
  void Post(const std::vector<Command>& commands, RegionId region = 1) {
    ApplyEntries apply{.region = region};
    for (const Command& command : commands) {
      const raft::Index index = next_[region]++;
      apply.entries.push_back(
          {.entry = {.term = kTerm, .index = index, .data = command.SerializeAsString()},
           .done = [this, index](const absl::Status& status) {
             answers_.push_back(Concat(index, status.ok() ? " ok" : " refused"));
             last_error_ = status;
           }});
    }
    applier_->Apply(std::move(apply));
  }
  void Apply(const std::vector<Command>& commands, RegionId region = 1) {
    Post(commands, region);
    executor_.RunUntilIdle();
  }

  raft_serverpb::RaftApplyState StoredState(RegionId region = 1) {
    raft_serverpb::RaftApplyState state;
    const auto bytes = machine_.kv().Get({}, kMetaFamily, ApplyStateKey(region));
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    EXPECT_TRUE(!bytes.ok() || !*bytes || state.ParseFromString(**bytes));
    return state;
  }
  std::string Keys(ColumnFamily family = ColumnFamily::kDefault) {
    std::string keys;
    for (const auto& [key, value] : Scan(machine_.kv(), EngineId(family))) {
      keys += Concat(keys.empty() ? "" : " ", key);
    }
    return keys;
  }

  const AdminHandlers handlers_ = Handlers();
  sim::SimExecutor executor_{machine_.clock()};
  std::unique_ptr<Applier> applier_;
  std::map<RegionId, raft::Index> next_;
  std::vector<Applied> applied_;
  Strings answers_;
  absl::Status last_error_;
  absl::Status failed_;
};

TEST_F(ApplierTest, WhoIsAnsweredCanReadWhatHeWrote) {
  ApplyEntries apply{.region = 1};
  bool answered = false;
  apply.entries.push_back(
      {.entry = {.term = kTerm, .index = 6, .data = Puts({"c"}).SerializeAsString()},
       .done = [&](const absl::Status& status) {
         answered = true;
         EXPECT_TRUE(status.ok()) << status;
         EXPECT_EQ(Keys(), "c");
         EXPECT_EQ(StoredState().applied_index(), 6u);
         EXPECT_TRUE(applied_.empty());
       }});
  applier_->Apply(std::move(apply));
  EXPECT_FALSE(answered);
  executor_.RunUntilIdle();
  EXPECT_TRUE(answered);
  ASSERT_EQ(applied_.size(), 1u);
  EXPECT_EQ(applied_[0].last, (raft::EntryId{6, kTerm}));
  EXPECT_FALSE(applied_[0].truncated || applied_[0].description || applied_[0].snapshot);
}

TEST_F(ApplierTest, ACommandWithOneKeyOutsideOfTheRegionHasNoEffectAtAll) {
  for (const std::string outside : {"a", "y"}) {
    Apply({Puts({"c", outside, "d"}), Puts({"e"})});
    EXPECT_TRUE(last_error_.ok()) << last_error_;
  }
  EXPECT_EQ(answers_, (Strings{"6 refused", "7 ok", "8 refused", "9 ok"}));
  EXPECT_EQ(Keys(), "e");
  Apply({Puts({"c", "y"})});
  ASSERT_TRUE(RegionErrorOf(last_error_));
  EXPECT_EQ(RegionErrorOf(last_error_)->key_not_in_region().key(), "y");
  EXPECT_EQ(Keys(), "e");
  EXPECT_EQ(StoredState().applied_index(), 10u);
}

TEST_F(ApplierTest, ACommandWithAnUnknownColumnFamilyHasNoEffectAtAll) {
  Command command = Puts({"c", "d"});
  command.mutable_requests(1)->mutable_put()->set_cf("nowhere");
  Apply({command, Puts({"e"})});
  EXPECT_EQ(answers_, (Strings{"6 refused", "7 ok"}));
  EXPECT_EQ(Keys(), "e");
  EXPECT_EQ(StoredState().applied_index(), 7u);
}

TEST_F(ApplierTest, ACommandOfAnEpochThatHasPassedMeanwhileIsRefused) {
  Apply({AtVersion(Puts({"c"}), 4), NextVersion(), AtVersion(Puts({"d"}), 4),
         AtVersion(Puts({"e"}), 5), Puts({"f"})});
  EXPECT_EQ(answers_, (Strings{"6 ok", "7 ok", "8 refused", "9 ok", "10 ok"}));
  EXPECT_EQ(Keys(), "c e f");
  ASSERT_EQ(applied_.size(), 1u);
  ASSERT_TRUE(applied_[0].description);
  EXPECT_EQ(applied_[0].description->region_epoch().version(), 5u);
  Apply({AtVersion(Puts({"g"}), 4)});
  ASSERT_TRUE(RegionErrorOf(last_error_));
  EXPECT_TRUE(RegionErrorOf(last_error_)->has_epoch_not_match());
  EXPECT_FALSE(applied_[1].description);
}

TEST_F(ApplierTest, AnUnknownAdminCommandIsRefusedAndOver) {
  raft_cmdpb::AdminRequest request;
  request.set_cmd_type(raft_cmdpb::ChangePeer);
  Apply({Admin(request), Puts({"c"})});
  EXPECT_EQ(answers_, (Strings{"6 refused", "7 ok"}));
  EXPECT_EQ(StoredState().applied_index(), 7u);
}

TEST_F(ApplierTest, ANoOpCountsAndDoesNothing) {
  ApplyEntries apply{.region = 1};
  apply.entries.push_back({.entry = {.term = kTerm, .index = 6}, .done = nullptr});
  applier_->Apply(std::move(apply));
  executor_.RunUntilIdle();
  EXPECT_EQ(StoredState().applied_index(), 6u);
  ASSERT_EQ(applied_.size(), 1u);
  EXPECT_EQ(applied_[0].last, (raft::EntryId{6, kTerm}));
}

TEST_F(ApplierTest, EntriesAreAppliedInOrderOrNotAtAll) {
  next_[1] = 7;
  EXPECT_DEATH(Apply({Puts({"c"})}), "in order");
}

TEST_F(ApplierTest, WhateverWaitsBecomesOneBatchWithoutASync) {
  executor_.RunUntilIdle();
  const lsm::Statistics before = machine_.kv().GetStatistics();
  Post({Puts({"c"}), Puts({"d"})});
  Post({Puts({"e"})}, 2);
  Post({Puts({"f"})});
  executor_.RunUntilIdle();
  const lsm::Statistics after = machine_.kv().GetStatistics();
  EXPECT_EQ(after.writes, before.writes + 1);
  EXPECT_EQ(after.wal_syncs, before.wal_syncs);
  EXPECT_EQ(answers_, (Strings{"6 ok", "7 ok", "6 ok", "8 ok"}));
  ASSERT_EQ(applied_.size(), 2u);  // each region once
  EXPECT_EQ(applied_[0].last.index, 8u);
  EXPECT_EQ(applied_[1].region, 2u);
  EXPECT_EQ(StoredState(2).applied_index(), 6u);
}

TEST_F(ApplierTest, ACompactionIsReportedWhenItIsDurable) {
  executor_.RunUntilIdle();
  const uint64_t syncs = machine_.kv().GetStatistics().wal_syncs;
  Apply({Puts({"c"}), Admin(CompactLogRequest({6, kTerm}))});
  EXPECT_EQ(machine_.kv().GetStatistics().wal_syncs, syncs + 1);
  ASSERT_EQ(applied_.size(), 1u);
  EXPECT_EQ(applied_[0].truncated, (raft::EntryId{6, kTerm}));
  Apply({Admin(CompactLogRequest({6, kTerm}))});  // late: nothing to report
  EXPECT_FALSE(applied_[1].truncated);
  LosePower();
  EXPECT_EQ(StoredState().truncated_state().index(), 6u);
  EXPECT_GE(StoredState().applied_index(), 7u);
  EXPECT_EQ(Keys(), "c");
}

// Entry 6 puts c6, 7 puts c7, 8 compacts up to 7, 9 puts c9; each comes alone.
TEST_F(ApplierTest, AfterPowerLossAtAnyFileOperationDataAndIndexAgree) {
  const std::string keys_at[] = {"", "c6", "c6 c7", "c6 c7", "c6 c7 c9"};  // from entry 5 on
  bool was_interrupted = true;
  for (uint64_t change = 1; was_interrupted; ++change) {
    SCOPED_TRACE(testing::Message() << "change " << change);
    StartAnew();
    executor_.RunUntilIdle();
    machine_.disk().SetFaults({.halt_at_change = change});
    Apply({Puts({"c6"})});
    Apply({Puts({"c7"})});
    Apply({Admin(CompactLogRequest({7, kTerm}))});
    Apply({Puts({"c9"})});
    was_interrupted = machine_.disk().halted();
    const size_t reported = applied_.size();
    EXPECT_EQ(failed_.ok(), !was_interrupted);
    EXPECT_EQ(answers_.size(), 4u);  // each is told, one way or the other
    LosePower();
    const uint64_t index = StoredState().applied_index();
    ASSERT_GE(index, reported >= 3 ? 8u : 5u);
    ASSERT_LE(index, 9u);
    EXPECT_EQ(Keys(), keys_at[index - 5]);
    EXPECT_EQ(StoredState().truncated_state().index(), index >= 8 ? 7u : 5u);
  }
}

TEST_F(ApplierTest, AfterAFailureNothingIsAppliedAndEverybodyIsTold) {
  executor_.RunUntilIdle();
  machine_.disk().SetFaults({.failed_change = sim::FaultPlan::Failure{.at = 1}});
  Post({Puts({"c"})});
  Post({Puts({"d"})}, 2);
  executor_.RunUntilIdle();
  EXPECT_EQ(answers_, (Strings{"6 refused", "6 refused"}));
  EXPECT_FALSE(failed_.ok());
  EXPECT_EQ(last_error_, failed_);
  Apply({Puts({"e"})});
  EXPECT_EQ(answers_.back(), "7 refused");
  EXPECT_EQ(last_error_, failed_);
  EXPECT_TRUE(applied_.empty());
  EXPECT_EQ(Keys(), "");
}

TEST_F(ApplierTest, ACaptureIsTheRegionAsOfWhatWasAskedForBefore) {
  Post({Puts({"c"})});
  std::unique_ptr<const lsm::Snapshot> moment;
  raft::Index index = 0;
  applier_->Capture(
      {.region = 1,
       .take = [&](const AppliedRegion& region, std::unique_ptr<const lsm::Snapshot> snapshot) {
         index = region.state.applied_index();
         moment = std::move(snapshot);
       }});
  Post({Puts({"d"})});
  executor_.RunUntilIdle();
  EXPECT_EQ(index, 6u);
  ASSERT_NE(moment, nullptr);
  EXPECT_EQ(machine_.kv().Get({.snapshot = moment.get()}, 0, "c").value(), "v");
  EXPECT_EQ(machine_.kv().Get({.snapshot = moment.get()}, 0, "d").value(), std::nullopt);
}

TEST_F(ApplierTest, CloseReturnsWhenAllThatWasAskedForIsDone) {
  Post({Puts({"c"})});
  applier_->Close();
  EXPECT_EQ(answers_, Strings{"6 ok"});
  EXPECT_EQ(Keys(), "c");
}

// ---- snapshots ----

class ApplySnapshotTest : public ApplierTest {
 protected:
  void SetUp() override {
    ApplierTest::SetUp();
    for (const ColumnFamily family : kFamilies) {
      for (const char* key : {"a", "b", "c", "xx", "y"}) {
        StartedStoreTest::Put(machine_.kv(), EngineId(family), key, "old");
      }
    }
    executor_.RunUntilIdle();
    ASSERT_TRUE(machine_.disk().CreateDirectories("snap").ok());
  }

  // A snapshot of region 1 as of entry 20 of term 8, with a key "d" in each of these families.
  ApplySnapshot Snapshot(const std::vector<ColumnFamily>& families) {
    auto files = std::make_shared<SnapshotFiles>(machine_.disk());
    for (const ColumnFamily family : families) {
      const std::string path = JoinPath("snap", Concat(++number_));
      auto writer = lsm::TableWriter::Create(machine_.KvOptions(), path);
      EXPECT_TRUE(writer.ok() && (*writer)->Add("d", "new").ok() && (*writer)->Finish().ok());
      files->Add({.column_family = EngineId(family), .path = path});
    }
    metapb::Region region = RegionBy(1).region;
    region.mutable_region_epoch()->set_version(9);
    return {.region = region, .last = {.index = 20, .term = 8}, .files = std::move(files)};
  }
  // "old" or "new" of the whole region and what is said of it; else what there is.
  std::string WhatIsThere() {
    std::string keys;
    for (const ColumnFamily family : kFamilies) keys += Keys(family) + "; ";
    const uint64_t index = StoredState().applied_index();
    const auto bytes = machine_.kv().Get({}, kMetaFamily, RegionStateKey(1));
    raft_serverpb::RegionLocalState local;
    EXPECT_TRUE(bytes.ok() && *bytes && local.ParseFromString(**bytes));
    const uint64_t version = local.region().region_epoch().version();
    if (keys == "a b c xx y; a b c xx y; a b c xx y; " && index == 5 && version == 1) return "old";
    if (keys == "a d y; a y; a d y; " && index == 20 && version == 9) return "new";
    return Concat(keys, "index ", index, " version ", version);
  }

  static constexpr ColumnFamily kFamilies[] = {ColumnFamily::kDefault, ColumnFamily::kLock,
                                               ColumnFamily::kWrite};
  int number_ = 0;
};

TEST_F(ApplySnapshotTest, ClearsAllColumnFamiliesOfTheRegionAndNothingElse) {
  EXPECT_EQ(WhatIsThere(), "old");
  applier_->Apply(Snapshot({ColumnFamily::kDefault, ColumnFamily::kWrite}));
  executor_.RunUntilIdle();
  ASSERT_EQ(applied_.size(), 1u);
  EXPECT_TRUE(applied_[0].snapshot);
  EXPECT_EQ(applied_[0].last, (raft::EntryId{20, 8}));
  ASSERT_TRUE(applied_[0].description);
  EXPECT_EQ(applied_[0].description->region_epoch().version(), 9u);
  EXPECT_EQ(WhatIsThere(), "new");
  EXPECT_EQ(StoredState().truncated_state().index(), 20u);
  EXPECT_EQ(StoredState().truncated_state().term(), 8u);
  EXPECT_TRUE(machine_.disk().List("snap")->empty());  // nobody holds the files any more
  LosePower();
  EXPECT_EQ(WhatIsThere(), "new");
}

TEST_F(ApplySnapshotTest, WithoutDataEmptiesTheRegion) {
  applier_->Apply(Snapshot({}));
  executor_.RunUntilIdle();
  for (const ColumnFamily family : kFamilies) EXPECT_EQ(Keys(family), "a y");
}

TEST_F(ApplySnapshotTest, ComesAfterWhatWasAskedForBeforeAndEntriesGoOnBehindIt) {
  Post({Puts({"e"})});
  applier_->Apply(Snapshot({ColumnFamily::kDefault}));
  next_[1] = 21;
  Post({AtVersion(Puts({"f"}), 9)});
  executor_.RunUntilIdle();
  EXPECT_EQ(answers_, (Strings{"6 ok", "21 ok"}));
  EXPECT_EQ(Keys(), "a d f y");
  EXPECT_EQ(StoredState().applied_index(), 21u);
}

TEST_F(ApplySnapshotTest, IsThereWholeOrNotAtAllAfterPowerLossAtAnyFileOperation) {
  bool was_interrupted = true;
  bool seen_old = false;
  for (uint64_t change = 1; was_interrupted; ++change) {
    SCOPED_TRACE(testing::Message() << "change " << change);
    StartAnew();
    ApplySnapshot snapshot = Snapshot({ColumnFamily::kDefault, ColumnFamily::kWrite});
    machine_.disk().SetFaults({.halt_at_change = change});
    applier_->Apply(std::move(snapshot));
    executor_.RunUntilIdle();
    const bool reported = !applied_.empty();
    was_interrupted = machine_.disk().halted();
    EXPECT_TRUE(reported || !failed_.ok());
    LosePower();
    const std::string found = WhatIsThere();
    EXPECT_TRUE(found == "new" || (!reported && found == "old")) << found;
    seen_old = seen_old || found == "old";
  }
  EXPECT_TRUE(seen_old);
}

TEST_F(ApplySnapshotTest, OfWhichAFileIsMissingFailsAndChangesNothing) {
  ApplySnapshot snapshot = Snapshot({ColumnFamily::kDefault});
  ASSERT_TRUE(machine_.disk().Remove(snapshot.files->files()[0].path).ok());
  applier_->Apply(std::move(snapshot));
  executor_.RunUntilIdle();
  EXPECT_FALSE(failed_.ok());
  EXPECT_TRUE(applied_.empty());
  EXPECT_EQ(WhatIsThere(), "old");
}

}  // namespace
}  // namespace tinykv::raftstore
