#include "lsm/version/manifest.h"

#include <gtest/gtest.h>

#include "graders/sim/sim_file_system.h"
#include "lsm/log/log_format.h"
#include "lsm/version/file_names.h"

namespace tinykv::lsm {
namespace {

AddedTable TableAt(int level, FileNumber number) {
  return {0, level, {number, 10, EncodeInternalKey({"a", 2}), EncodeInternalKey({"b", 1})}};
}

class ManifestTest : public testing::Test {
 protected:
  ManifestTest() {
    EXPECT_TRUE(disk_.CreateDirectories("db").ok());
    state_.column_families = {"default"};
    state_.next_file_number = 7;
    state_.oldest_log_number = 5;
    state_.last_sequence = 100;
    state_.tables.emplace(3, TableAt(1, 3));
  }

  std::unique_ptr<Manifest> Start(FileNumber number) {
    auto manifest = std::make_unique<Manifest>(disk_, "db", state_);
    const absl::Status status = manifest->Rewrite(number);
    EXPECT_TRUE(status.ok()) << status;
    return manifest;
  }

  VersionEdit Read() {
    const auto state = ReadManifest(disk_, "db");
    EXPECT_TRUE(state.ok()) << state.status();
    EXPECT_TRUE(!state.ok() || *state);
    return state.ok() && *state ? (*state)->Snapshot() : VersionEdit();
  }

  sim::SimFileSystem disk_;
  ManifestState state_;
};

TEST_F(ManifestTest, FolderWithoutCurrentHasNone) {
  const auto state = ReadManifest(disk_, "db");
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_FALSE(*state);
}

TEST_F(ManifestTest, SnapshotAndEditsAddUp) {
  const auto manifest = Start(4);
  EXPECT_EQ(Read(), state_.Snapshot());
  VersionEdit edit;
  edit.removed = {{0, 1, 3}};
  edit.added = {TableAt(2, 3), TableAt(0, 8)};  // table 3 moves
  edit.next_file_number = 9;
  ASSERT_TRUE(manifest->Append(edit).ok());
  const VersionEdit read = Read();
  EXPECT_EQ(read, manifest->state().Snapshot());
  EXPECT_EQ(read.added, edit.added);
  EXPECT_EQ(read.next_file_number, 9);
  EXPECT_EQ(read.last_sequence, 100);
}

TEST_F(ManifestTest, EditSurvivesPowerLossOnceAppended) {
  const auto manifest = Start(4);
  VersionEdit edit;
  edit.added = {TableAt(0, 8)};
  ASSERT_TRUE(manifest->Append(edit).ok());
  const VersionEdit expected = manifest->state().Snapshot();
  Random random(1);
  disk_.Crash({.survive_percent = 0}, random);
  EXPECT_EQ(Read(), expected);
}

TEST_F(ManifestTest, RewriteReplacesTheFile) {
  const auto manifest = Start(4);
  VersionEdit edit;
  edit.added = {TableAt(0, 8)};
  ASSERT_TRUE(manifest->Append(edit).ok());
  EXPECT_GT(manifest->edit_bytes(), 0u);
  ASSERT_TRUE(manifest->Rewrite(9).ok());
  EXPECT_EQ(manifest->edit_bytes(), 0u);
  EXPECT_FALSE(disk_.Exists(ManifestPath("db", 4)));
  EXPECT_EQ(Read(), manifest->state().Snapshot());
  EXPECT_EQ(Read().added.size(), 2u);
}

// Whatever change power loss hits, the state is the one before or the one after.
TEST_F(ManifestTest, PowerLossAtAnyChangeLeavesTheOldStateOrTheNew) {
  for (uint64_t at = 1; at < 25; ++at) {
    sim::SimFileSystem disk;
    ASSERT_TRUE(disk.CreateDirectories("db").ok());
    Manifest manifest(disk, "db", state_);
    ASSERT_TRUE(manifest.Rewrite(4).ok());
    VersionEdit edit;
    edit.added = {TableAt(0, 8)};
    disk.SetFaults({.halt_at_change = at});
    const bool appended = manifest.Append(edit).ok();
    const bool rewritten = manifest.Rewrite(9).ok();
    Random random(at);
    disk.Crash(random);
    const auto read = ReadManifest(disk, "db");
    ASSERT_TRUE(read.ok()) << read.status() << " at change " << at;
    ASSERT_TRUE(*read);
    if (appended || rewritten) {
      EXPECT_TRUE((*read)->tables.contains(8)) << at;
    }
    EXPECT_TRUE((*read)->tables.contains(3)) << at;
  }
}

TEST_F(ManifestTest, FirstErrorStays) {
  const auto manifest = Start(4);
  disk_.SetFaults({.failed_change = sim::FaultPlan::Failure{.at = 2}});  // the sync
  VersionEdit edit;
  edit.added = {TableAt(0, 8)};
  const absl::Status first = manifest->Append(edit);
  EXPECT_EQ(first.code(), absl::StatusCode::kInternal);
  EXPECT_FALSE(manifest->state().tables.contains(8)) << "applied before it was durable";
  EXPECT_EQ(manifest->Append(edit), first);
  EXPECT_EQ(manifest->Rewrite(9), first);
  EXPECT_EQ(manifest->Close(5), first);
}

// CURRENT may name the old file or the new one: an edit to either could be missed.
TEST_F(ManifestTest, FailedRewriteEndsAppends) {
  for (uint64_t at = 1; at <= 9; ++at) {
    const auto manifest = Start(100 + at);
    disk_.SetFaults({.failed_change = sim::FaultPlan::Failure{.at = at}});
    const absl::Status first = manifest->Rewrite(200 + at);
    EXPECT_EQ(first.code(), absl::StatusCode::kInternal) << at;
    EXPECT_EQ(manifest->Append({}), first) << at;
    EXPECT_EQ(Read(), state_.Snapshot()) << at;
  }
}

TEST_F(ManifestTest, DamageIsFoundAndNamed) {
  ASSERT_TRUE(Start(4)->Close(5).ok());
  const std::string path = ManifestPath("db", 4);
  // All but the end mark, without which the end looks torn: that is allowed.
  const uint64_t size = *disk_.FileSize(path) - kFrameHeaderBytes;
  for (uint64_t offset = 0; offset < size; ++offset) {
    ASSERT_TRUE(disk_.FlipBit(path, offset, 3).ok());
    const auto read = ReadManifest(disk_, "db");
    EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss) << offset;
    EXPECT_NE(read.status().ToString().find(path), std::string::npos) << read.status();
    ASSERT_TRUE(disk_.FlipBit(path, offset, 3).ok());
  }
  EXPECT_EQ(Read(), state_.Snapshot());
}

TEST_F(ManifestTest, MissingFileAndGarbageInCurrentAreDataLoss) {
  Start(4);
  ASSERT_TRUE(disk_.Remove(ManifestPath("db", 4)).ok());
  EXPECT_EQ(ReadManifest(disk_, "db").status().code(), absl::StatusCode::kDataLoss);
  for (const char* content : {"", "MANIFEST-000004", "000004.sst\n", "nonsense\n"}) {
    ASSERT_TRUE(WriteFileAtomically(disk_, CurrentPath("db"), content).ok());
    EXPECT_EQ(ReadManifest(disk_, "db").status().code(), absl::StatusCode::kDataLoss) << content;
  }
}

TEST_F(ManifestTest, EditsThatContradictTheStateAreDataLoss) {
  VersionEdit removes_unknown;
  removes_unknown.removed = {{0, 1, 99}};
  VersionEdit removes_from_other_level;
  removes_from_other_level.removed = {{0, 2, 3}};
  VersionEdit adds_twice;
  adds_twice.added = {TableAt(0, 3)};
  VersionEdit adds_to_unknown_family;
  adds_to_unknown_family.added = {{1, 0, TableAt(0, 8).table}};
  for (const VersionEdit& edit :
       {removes_unknown, removes_from_other_level, adds_twice, adds_to_unknown_family}) {
    ManifestState state = state_;
    EXPECT_EQ(state.Apply(edit).code(), absl::StatusCode::kDataLoss);
  }
}

}  // namespace
}  // namespace tinykv::lsm
