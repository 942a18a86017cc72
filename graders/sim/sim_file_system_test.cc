#include "graders/sim/sim_file_system.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>

#include "common/status.h"

namespace tinykv::sim {
namespace {

using Names = std::vector<std::string>;

constexpr CrashOptions kLoseEverything = {.survive_percent = 0, .tear_percent = 0};
constexpr CrashOptions kKeepEverything = {.survive_percent = 100, .tear_percent = 0};

class SimFileSystemTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(disk_.CreateDirectories("d").ok()); }

  // Makes `path` with durable content and a durable name.
  void WriteDurably(const std::string& path, std::string_view content) {
    auto file = *disk_.Create(path);
    ASSERT_TRUE(file->Append(content).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(disk_.SyncDirectory(DirectoryOf(path)).ok());
  }

  std::string Read(const std::string& path) {
    const auto content = ReadFile(disk_, path);
    return content.ok() ? *content : "missing";
  }

  SimFileSystem disk_;
  Random random_{1};
};

// What each of many crashes leaves, when `prepare` made the state before it. `observe` tells what
// is there.
template <typename Prepare, typename Observe>
std::set<std::string> Outcomes(const CrashOptions& options, Prepare prepare, Observe observe) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 500; ++seed) {
    SimFileSystem disk;
    disk.CreateDirectories("d").IgnoreError();
    prepare(disk);
    Random random(seed);
    disk.Crash(options, random);
    seen.insert(observe(disk));
  }
  return seen;
}

std::string ContentOf(SimFileSystem& disk, const std::string& path) {
  const auto content = ReadFile(disk, path);
  return content.ok() ? *content : "missing";
}

std::string ListOf(SimFileSystem& disk) {
  std::string text;
  const auto names = disk.List("d");
  for (const std::string& name : *names) text += name;
  return text;
}

TEST_F(SimFileSystemTest, LosesWhatWasNeverSynced) {
  WriteDurably("d/f", "synced ");
  auto file = *disk_.Create("d/unnamed");
  ASSERT_TRUE(file->Append("synced, but its name is not").ok());
  ASSERT_TRUE(file->Sync().ok());
  disk_.Crash(kLoseEverything, random_);
  EXPECT_EQ(disk_.files(), Names{"d/f"});
  EXPECT_EQ(Read("d/f"), "synced ");
}

TEST_F(SimFileSystemTest, KeepsWhatWasSynced) {
  auto file = *disk_.Create("d/f");
  ASSERT_TRUE(disk_.SyncDirectory("d").ok());
  ASSERT_TRUE(file->Append("one").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->Append("two").ok());
  disk_.Crash(kLoseEverything, random_);
  EXPECT_EQ(Read("d/f"), "one");
  disk_.Crash(kLoseEverything, random_);  // what is left is durable
  EXPECT_EQ(Read("d/f"), "one");
}

TEST_F(SimFileSystemTest, UnsyncedBytesSurviveAsAnyPrefix) {
  const auto prepare = [](SimFileSystem& disk) {
    auto file = *disk.Create("d/f");
    disk.SyncDirectory("d").IgnoreError();
    file->Append("ab").IgnoreError();
    file->Sync().IgnoreError();
    file->Append("cd").IgnoreError();
    file->Append("e").IgnoreError();
  };
  const auto observe = [](SimFileSystem& disk) { return ContentOf(disk, "d/f"); };
  EXPECT_EQ(Outcomes({.survive_percent = 50, .tear_percent = 0}, prepare, observe),
            (std::set<std::string>{"ab", "abc", "abcd", "abcde"}));
}

TEST_F(SimFileSystemTest, TearsOnlyUnsyncedBytes) {
  const auto prepare = [](SimFileSystem& disk) {
    auto file = *disk.Create("d/f");
    disk.SyncDirectory("d").IgnoreError();
    file->Append("synced").IgnoreError();
    file->Sync().IgnoreError();
    file->Append("abc").IgnoreError();
  };
  const auto observe = [](SimFileSystem& disk) { return ContentOf(disk, "d/f"); };
  const auto seen = Outcomes({.survive_percent = 100, .tear_percent = 100}, prepare, observe);
  for (const std::string& content : seen) EXPECT_EQ(content.substr(0, 6), "synced");
  EXPECT_TRUE(seen.contains(std::string("synceda\0c", 9)));    // a hole
  EXPECT_TRUE(seen.contains(std::string("synceda\0\0", 9)));   // a torn end
  EXPECT_TRUE(seen.contains(std::string("synced\0\0\0", 9)));  // only the size got there
  EXPECT_GT(seen.size(), 50u);                                 // and garbage
}

TEST_F(SimFileSystemTest, ARenameSurvivesWholeOrNotAtAll) {
  const auto prepare = [](SimFileSystem& disk) {
    for (const std::string name : {"a", "b"}) {
      auto file = *disk.Create("d/" + name);
      file->Append(name).IgnoreError();
      file->Sync().IgnoreError();
    }
    disk.SyncDirectory("d").IgnoreError();
    disk.Rename("d/a", "d/b").IgnoreError();
  };
  const auto observe = [](SimFileSystem& disk) { return ListOf(disk) + ContentOf(disk, "d/b"); };
  EXPECT_EQ(Outcomes({}, prepare, observe), (std::set<std::string>{"abb", "ba"}));
}

TEST_F(SimFileSystemTest, DirectoryChangesSurviveInOrderOrEachForItself) {
  const auto prepare = [](SimFileSystem& disk) {
    for (const std::string name : {"x", "y"}) disk.Create("d/" + name).IgnoreError();
    disk.SyncDirectory("d").IgnoreError();
    disk.Create("d/a").IgnoreError();
    disk.Remove("d/x").IgnoreError();
    disk.Link("d/y", "d/z").IgnoreError();
  };
  EXPECT_EQ(Outcomes({.directories_in_order = true}, prepare, ListOf),
            (std::set<std::string>{"xy", "axy", "ay", "ayz"}));
  EXPECT_EQ(Outcomes({}, prepare, ListOf),
            (std::set<std::string>{"xy", "axy", "y", "ay", "xyz", "axyz", "yz", "ayz"}));
}

TEST_F(SimFileSystemTest, EmptyingAFileIsDurableOnlyAfterItsSync) {
  WriteDurably("d/f", "old");
  auto file = *disk_.Create("d/f");
  ASSERT_TRUE(file->Append("new").ok());
  disk_.Crash(kLoseEverything, random_);
  EXPECT_EQ(Read("d/f"), "old");
  file = *disk_.Create("d/f");
  ASSERT_TRUE(file->Sync().ok());
  disk_.Crash(kLoseEverything, random_);
  EXPECT_EQ(Read("d/f"), "");
}

TEST_F(SimFileSystemTest, ARemovedFileComesBackIfItsRemovalIsLost) {
  WriteDurably("d/f", "x");
  ASSERT_TRUE(disk_.Remove("d/f").ok());
  EXPECT_EQ(Read("d/f"), "missing");
  disk_.Crash(kLoseEverything, random_);
  EXPECT_EQ(Read("d/f"), "x");
}

// The bytes of a file whose sync has failed may never become durable, even if it is emptied first.
TEST_F(SimFileSystemTest, WriteFileAtomicallyDoesNotGoOnWithAFileWhoseSyncFailed) {
  SimFileSystem disk;
  ASSERT_TRUE(disk.CreateDirectories("d").ok());
  disk.SetFaults({.failed_change = FaultPlan::Failure{.at = 4, .sticky = true}});
  ASSERT_FALSE(WriteFileAtomically(disk, "d/f", "first").ok());
  ASSERT_TRUE(disk.Exists("d/f.tmp"));  // nor could it be removed
  disk.SetFaults({});
  ASSERT_TRUE(WriteFileAtomically(disk, "d/f", "second").ok());
  Random random(1);
  disk.Crash({.survive_percent = 0}, random);
  EXPECT_EQ(*ReadFile(disk, "d/f"), "second");
}

TEST_F(SimFileSystemTest, WriteFileAtomicallyIsAtomic) {
  std::set<std::string> seen;
  for (uint64_t at = 1; at < 20; ++at) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      SimFileSystem disk;
      ASSERT_TRUE(disk.CreateDirectories("d").ok());
      ASSERT_TRUE(WriteFileAtomically(disk, "d/f", "old").ok());
      disk.SetFaults({.halt_at_change = at});
      const bool acknowledged = WriteFileAtomically(disk, "d/f", "new").ok();
      disk.Halt();
      Random random(seed);
      disk.Crash(random);
      const std::string content = ContentOf(disk, "d/f");
      EXPECT_TRUE(content == "new" || (!acknowledged && content == "old")) << content;
      seen.insert(content);
    }
  }
  EXPECT_EQ(seen.size(), 2u);
}

TEST_F(SimFileSystemTest, KillLosesNothingButHandlesAndLocks) {
  auto file = *disk_.Create("d/f");
  const auto reader = *disk_.Open("d/f");
  auto lock = *disk_.Lock("d/LOCK");
  ASSERT_TRUE(file->Append("x").ok());
  disk_.KillProcess();
  EXPECT_EQ(Read("d/f"), "x");
  EXPECT_EQ(MessageOf(file->Append("y")), "d/f: write: this handle died in a crash");
  EXPECT_FALSE(file->Sync().ok());
  char buffer[4];
  EXPECT_FALSE(reader->Read(0, 1, buffer).ok());
  auto second_lock = *disk_.Lock("d/LOCK");
  lock.reset();  // of the dead: must not release the new one
  EXPECT_FALSE(disk_.Lock("d/LOCK").ok());
  disk_.Crash(kKeepEverything, random_);
  EXPECT_EQ(Read("d/f"), "x");
}

TEST_F(SimFileSystemTest, KillLeavesTheZerosThatAFileKeptAhead) {
  auto file = *disk_.Create("d/f");
  file->KeepZerosAhead(3);
  ASSERT_TRUE(file->Append("x").ok());
  disk_.KillProcess();
  EXPECT_EQ(Read("d/f"), std::string("x\0\0\0", 4));
}

TEST_F(SimFileSystemTest, PowerLossTurnsUnsyncedBytesIntoZerosWhereTheyWereKeptAhead) {
  std::set<std::string> seen;
  for (const std::string synced : {"ab", "abc"}) {
    auto file = *disk_.Create("d/f");
    file->KeepZerosAhead(3);
    ASSERT_TRUE(file->Append(synced).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(disk_.SyncDirectory("d").ok());
    ASSERT_TRUE(file->Append("lost").ok());
    disk_.Crash(kLoseEverything, random_);
    seen.insert(Read("d/f"));
  }
  EXPECT_EQ(seen, (std::set<std::string>{std::string("ab\0\0\0\0\0\0\0", 9), "abc"}));
}

TEST_F(SimFileSystemTest, FailsAtTheNthChangeOnce) {
  disk_.SetFaults({.failed_change = FaultPlan::Failure{.at = 2}});
  auto file = *disk_.Create("d/f");
  const absl::Status status = file->Append("abcd");
  EXPECT_EQ(MessageOf(status), "d/f: write: Input/output error");
  EXPECT_EQ(Read("d/f"), "ab");  // a part was written
  EXPECT_TRUE(file->Append("e").ok());
  EXPECT_EQ(disk_.changes(), 3u);
}

TEST_F(SimFileSystemTest, FailsStickily) {
  WriteDurably("d/f", "x");
  disk_.SetFaults({.failed_change = FaultPlan::Failure{.at = 1, .sticky = true},
                   .failed_read = FaultPlan::Failure{.at = 2, .error_number = EACCES}});
  EXPECT_FALSE(disk_.Create("d/g").ok());
  EXPECT_FALSE(disk_.Remove("d/f").ok());
  EXPECT_TRUE(disk_.Open("d/f").ok());
  EXPECT_EQ(disk_.List("d").status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(disk_.List("d").ok());
  EXPECT_EQ(disk_.reads(), 3u);
}

TEST_F(SimFileSystemTest, AFailedSyncIsNeverMadeGoodByALaterOne) {
  WriteDurably("d/f", "");
  auto file = *disk_.Create("d/f");
  ASSERT_TRUE(file->Sync().ok());
  disk_.SetFaults({.failed_change = FaultPlan::Failure{.at = 2}});
  ASSERT_TRUE(file->Append("x").ok());
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_TRUE(file->Sync().ok());  // a lie, as on real kernels
  EXPECT_EQ(Read("d/f"), "x");
  disk_.Crash(kLoseEverything, random_);
  EXPECT_EQ(Read("d/f"), "");
}

TEST_F(SimFileSystemTest, FillsUp) {
  disk_.SetFaults({.capacity_bytes = 5});
  auto file = *disk_.Create("d/f");
  ASSERT_TRUE(file->Append("abc").ok());
  EXPECT_EQ(file->Append("defg").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Read("d/f"), "abcde");
  EXPECT_EQ(disk_.Create("d/g").status().code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(disk_.Remove("d/f").ok());
  EXPECT_EQ(disk_.used_bytes(), 0u);
  EXPECT_TRUE(disk_.Create("d/g").ok());
}

TEST_F(SimFileSystemTest, HaltsAtTheNthChange) {
  disk_.SetFaults({.halt_at_change = 2});
  auto file = *disk_.Create("d/f");
  EXPECT_EQ(MessageOf(file->Append("x")), "d/f: write: the machine has crashed");
  EXPECT_FALSE(disk_.SyncDirectory("d").ok());
  EXPECT_FALSE(disk_.Open("d/f").ok());
  EXPECT_FALSE(disk_.Exists("d/f"));
  EXPECT_TRUE(disk_.halted());
  disk_.KillProcess();
  EXPECT_EQ(Read("d/f"), "");
}

TEST_F(SimFileSystemTest, FlipsABit) {
  WriteDurably("d/f", "a");
  EXPECT_TRUE(disk_.FlipBit("d/f", 0, 1).ok());
  EXPECT_EQ(Read("d/f"), "c");
  EXPECT_EQ(MessageOf(disk_.FlipBit("d/f", 1, 0)), "d/f: has no byte 1, it ends at 1");
}

TEST_F(SimFileSystemTest, ChargesTimeForOperations) {
  Duration charged{};
  disk_.SetDelayHook([&](Duration delay) { charged += delay; });
  disk_.SetFaults({.operation_delay = Duration(1), .sync_delay = Duration(100)});
  auto file = *disk_.Create("d/f");
  ASSERT_TRUE(file->Append("x").ok());
  EXPECT_EQ(charged, Duration(2));
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(charged, Duration(103));
}

TEST_F(SimFileSystemTest, EqualRunsHaveEqualTraces) {
  const auto run = [](uint64_t seed, std::string_view text) {
    SimFileSystem disk;
    disk.CreateDirectories("d").IgnoreError();
    auto file = *disk.Create("d/f");
    file->Append(text).IgnoreError();
    Random random(seed);
    disk.Crash({}, random);
    disk.FileSize("d/f").IgnoreError();
    return disk.trace_hash();
  };
  EXPECT_EQ(run(1, "text"), run(1, "text"));
  EXPECT_NE(run(1, "text"), run(1, "texx"));
  std::set<uint64_t> hashes;
  for (uint64_t seed = 0; seed < 20; ++seed) hashes.insert(run(seed, "text"));
  EXPECT_EQ(hashes.size(), 2u);  // found, not found
}

TEST_F(SimFileSystemTest, TellsItsLastOperations) {
  auto file = *disk_.Create("d/f");
  ASSERT_TRUE(file->Append("a\n").ok());
  EXPECT_TRUE(disk_.Rename("d/f", "d/h").ok());
  EXPECT_FALSE(disk_.Remove("d/g").ok());
  EXPECT_EQ(disk_.recent_operations(),
            (Names{"create directory d", "create d/f", "write d/f \"a\\x0a\"", "rename d/f to d/h",
                   "remove d/g -> d/g: remove: No such file or directory"}));
}

TEST(FaultPlan, TellsWhatItDoes) {
  EXPECT_EQ(ToString(FaultPlan()), "no faults");
  EXPECT_EQ(ToString(FaultPlan{.failed_change = FaultPlan::Failure{.at = 3, .sticky = true},
                               .halt_at_change = 9,
                               .capacity_bytes = 100}),
            "change 3 and all later ones fail: Input/output error; crash at change 9; capacity 100 "
            "bytes");
}

}  // namespace
}  // namespace tinykv::sim
