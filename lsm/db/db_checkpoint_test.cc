// Checkpoint(): what is in it, what it leaves alone, and what a bad disk makes of it.
#include <functional>

#include "common/strings.h"
#include "lsm/db/db_test_util.h"

namespace tinykv::lsm {
namespace {

using sim::FaultPlan;

std::string Key(int i) { return Concat("key", 1000 + i); }

// A disk that does something else before each link.
class DiskWithALinkHook final : public FileSystem {
 public:
  explicit DiskWithALinkHook(FileSystem& disk) : disk_(disk) {}

  void set_hook(std::function<void()> hook) { hook_ = std::move(hook); }

  absl::Status Link(const std::string& from, const std::string& to) override {
    // A copy: the hook may set another one.
    if (const auto hook = hook_) hook();
    return disk_.Link(from, to);
  }

  absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    return disk_.Create(path);
  }
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> Open(const std::string& path) override {
    return disk_.Open(path);
  }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    return disk_.Rename(from, to);
  }
  absl::Status Remove(const std::string& path) override { return disk_.Remove(path); }
  absl::Status Truncate(const std::string& path, uint64_t size) override {
    return disk_.Truncate(path, size);
  }
  absl::Status CreateDirectories(const std::string& path) override {
    return disk_.CreateDirectories(path);
  }
  absl::Status RemoveDirectory(const std::string& path) override {
    return disk_.RemoveDirectory(path);
  }
  absl::Status SyncDirectory(const std::string& path) override { return disk_.SyncDirectory(path); }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    return disk_.List(path);
  }
  absl::StatusOr<uint64_t> FileSize(const std::string& path) override {
    return disk_.FileSize(path);
  }
  bool Exists(const std::string& path) override { return disk_.Exists(path); }
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    return disk_.Lock(path);
  }

 private:
  FileSystem& disk_;
  std::function<void()> hook_;
};

class DBCheckpointTest : public DBTest {
 protected:
  ~DBCheckpointTest() override { Close(); }

  absl::StatusOr<std::unique_ptr<DB>> OpenCopy(const std::string& directory = "copy") {
    Options options = options_;
    options.create_if_missing = false;
    return DB::Open(options, directory);
  }

  // Everything in a column family of a checkpoint.
  KeyValues ContentOf(DB& db, ColumnFamilyId column_family = 0) {
    KeyValues result;
    const auto it = db.NewIterator({}, column_family);
    for (it->SeekToFirst(); it->Valid(); it->Next()) result.emplace_back(it->key(), it->value());
    EXPECT_TRUE(it->status().ok()) << it->status();
    return result;
  }
  KeyValues ContentOf(const std::string& directory, ColumnFamilyId column_family = 0) {
    const auto copy = OpenCopy(directory);
    EXPECT_TRUE(copy.ok()) << copy.status();
    return copy.ok() ? ContentOf(**copy, column_family) : KeyValues();
  }

  // Tables in several levels, and something in the memtable.
  void Fill(int keys) {
    for (int i = 0; i < keys; ++i) Put(Key(i), Concat(i, std::string(50, 'v')), i % 2);
    Delete(Key(0));
    Put("unflushed", "v");
  }

  DiskWithALinkHook hooked_disk_{disk_};
};

TEST_F(DBCheckpointTest, HoldsEveryWriteAndOpensAsADatabase) {
  Open();
  Fill(600);
  Put("not synced", "v");
  ASSERT_EQ(db_->Checkpoint("backup/of today"), absl::OkStatus());
  const auto copy = OpenCopy("backup/of today");
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_GT((*copy)->GetStatistics().levels[0][1].tables, 0);
  for (ColumnFamilyId id : {0, 1}) EXPECT_EQ(ContentOf(**copy, id), ScanForward({}, id));
  EXPECT_FALSE(disk_.Exists("backup/of today.tmp"));
}

TEST_F(DBCheckpointTest, OfAnEmptyDatabaseIsEmpty) {
  Open();
  ASSERT_EQ(db_->Checkpoint("copy"), absl::OkStatus());
  EXPECT_TRUE(ContentOf("copy").empty());
}

TEST_F(DBCheckpointTest, AndItsSourceGoOnIndependently) {
  Open();
  Fill(300);
  const KeyValues at_checkpoint = ScanForward();
  ASSERT_EQ(db_->Checkpoint("copy"), absl::OkStatus());
  for (int i = 0; i < 300; ++i) Put(Key(i), "new");
  CompactAll(0);
  CompactAll(1);
  const KeyValues now = ScanForward();
  {
    auto copy = *OpenCopy();
    EXPECT_EQ(ContentOf(*copy), at_checkpoint);
    WriteBatch batch;
    for (int i = 0; i < 300; ++i) batch.Put(0, Key(i), "of the copy");
    ASSERT_EQ(copy->Write({}, batch), absl::OkStatus());
    ASSERT_EQ(copy->CompactAll(0), absl::OkStatus());
  }
  EXPECT_EQ(ScanForward(), now);
  Open();
  EXPECT_EQ(ScanForward(), now);
  for (const auto& [key, value] : ContentOf("copy")) {
    EXPECT_EQ(value, key == "unflushed" ? "v" : "of the copy");
  }
}

TEST_F(DBCheckpointTest, CostsLinksAndNoCopies) {
  Open();
  Fill(600);
  Flush();
  background_.RunUntilIdle();
  const uint64_t before = disk_.used_bytes();
  ASSERT_EQ(db_->Checkpoint("copy"), absl::OkStatus());
  EXPECT_LT(disk_.used_bytes(), before + 4096);  // a manifest
}

TEST_F(DBCheckpointTest, IsRefusedWhereSomethingIs) {
  Open();
  Put("k", "v");
  ASSERT_EQ(db_->Checkpoint("copy"), absl::OkStatus());
  EXPECT_EQ(db_->Checkpoint("copy").code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(db_->Checkpoint(kDirectory).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(db_->Checkpoint("").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(db_->Checkpoint("copy/").code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(db_->Close(), absl::OkStatus());
  EXPECT_EQ(db_->Checkpoint("other").code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(DBCheckpointTest, RemovesNothingThatNoCheckpointLeft) {
  Open();
  Put("k", "v");
  ASSERT_TRUE(disk_.CreateDirectories("copy.tmp").ok());
  ASSERT_TRUE(disk_.Create("copy.tmp/thesis.pdf").ok());
  EXPECT_EQ(db_->Checkpoint("copy").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(disk_.Exists("copy.tmp/thesis.pdf"));
  // A database that is open in the folder, be it the source itself.
  options_.file_system = &disk_;
  auto open = DB::Open(options_, "open.tmp");
  ASSERT_TRUE(open.ok()) << open.status();
  EXPECT_EQ((*open)->Checkpoint("open").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(db_->Checkpoint("open").code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(disk_.Exists("open.tmp/CURRENT"));
}

// While the checkpoint links its tables, a compaction replaces them.
TEST_F(DBCheckpointTest, KeepsTablesThatACompactionReplacesMeanwhile) {
  options_.file_system = &hooked_disk_;
  options_.background = &background_;
  db_ = *DB::Open(options_, kDirectory);
  Fill(600);
  Flush();
  background_.RunUntilIdle();
  for (int i = 0; i < 600; ++i) Put(Key(i), "new", i % 2);
  const KeyValues at_checkpoint = ScanForward();
  int hooks = 0;
  hooked_disk_.set_hook([&] {
    if (++hooks != 2) return;
    hooked_disk_.set_hook([] {});
    Put("later", "v");
    CompactAll(0);
    CompactAll(1);
  });
  ASSERT_EQ(db_->Checkpoint("copy"), absl::OkStatus());
  EXPECT_EQ(hooks, 2);
  EXPECT_EQ(ContentOf("copy"), at_checkpoint);
  // Nothing pins the old ones any more.
  const Statistics statistics = db_->GetStatistics();
  uint64_t tables = 0;
  for (const auto& levels : statistics.levels) {
    for (const LevelStatistics& level : levels) tables += level.tables;
  }
  EXPECT_EQ(Files(".sst").size(), tables);
}

// Whichever file operation fails: no checkpoint, or a whole one; the source goes on, and the next
// call cleans up.
TEST_F(DBCheckpointTest, ThatFailsIsNotThereAndHarmsNothing) {
  Open();
  Fill(100);
  Flush();
  background_.RunUntilIdle();
  const KeyValues expected = ScanForward();
  int whole = 0;
  bool done = false;
  for (uint64_t at = 1; !done; ++at) {
    const std::string copy = Concat("copy", at);
    disk_.SetFaults({.failed_change = FaultPlan::Failure{.at = at, .sticky = at % 2 == 0}});
    done = db_->Checkpoint(copy).ok();
    disk_.SetFaults({});
    if (disk_.Exists(copy)) {
      ++whole;
    } else {
      EXPECT_FALSE(done);
      ASSERT_EQ(db_->Checkpoint(copy), absl::OkStatus()) << "change " << at;
    }
    EXPECT_FALSE(disk_.Exists(copy + ".tmp")) << "change " << at;
    EXPECT_EQ(ContentOf(copy), expected) << "change " << at;
    ASSERT_EQ(db_->SyncLog(), absl::OkStatus());
  }
  EXPECT_EQ(whole, 2);  // the one that nothing failed for, and the one that lacked its last sync
}

// A flush that fails stops writes, as it always does; checkpoints are then refused, too.
TEST_F(DBCheckpointTest, OfAPoisonedEngineIsRefused) {
  Open();
  Put("k", "v");
  disk_.SetFaults({.failed_change = FaultPlan::Failure{.at = 1}});
  const absl::Status first = db_->Checkpoint("copy");
  EXPECT_EQ(first.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(TryPut("k", "w"), first);
  EXPECT_EQ(db_->Checkpoint("copy"), first);
  EXPECT_FALSE(disk_.Exists("copy"));
  EXPECT_FALSE(disk_.Exists("copy.tmp"));
}

TEST_F(DBCheckpointTest, SurvivesPowerLossOnceItReturned) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Open();
    Put(Key(static_cast<int>(seed)), "v");
    const std::string directory = Concat("copy", seed);
    ASSERT_EQ(db_->Checkpoint(directory), absl::OkStatus());
    const KeyValues expected = ScanForward();
    disk_.Halt();
    Close();
    background_.Clear();
    Random random(seed);
    disk_.Crash(random);
    EXPECT_EQ(ContentOf(directory), expected) << "seed " << seed;
    EXPECT_FALSE(disk_.Exists(directory + ".tmp"));
  }
}

// At each of its changes in turn the machine goes down.
TEST_F(DBCheckpointTest, CutShortByPowerLossIsNotThereOrWhole) {
  bool done = false;
  for (uint64_t at = 1; !done; ++at) {
    Open();
    Put("k", std::to_string(at));
    const KeyValues expected = ScanForward();
    disk_.SetFaults({.halt_at_change = at});
    const std::string directory = Concat("copy", at);
    done = db_->Checkpoint(directory).ok();
    disk_.Halt();
    Close();
    background_.Clear();
    Random random(at);
    disk_.Crash(random);
    disk_.SetFaults({});
    if (disk_.Exists(directory)) {
      EXPECT_EQ(ContentOf(directory), expected) << "change " << at;
    } else {
      EXPECT_FALSE(done);
      Open();
      ASSERT_EQ(db_->Checkpoint(directory), absl::OkStatus());
      EXPECT_EQ(ContentOf(directory), expected) << "change " << at;
    }
    EXPECT_FALSE(disk_.Exists(directory + ".tmp")) << "change " << at;
  }
}

}  // namespace
}  // namespace tinykv::lsm
