// What every FileSystem must do: the same assertions on the real one, in a temporary folder, and on
// the simulated one. Whatever else the simulation does, without faults it must not differ.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "common/env/file_system.h"
#include "common/env/temporary_directory.h"
#include "common/status.h"
#include "graders/sim/sim_file_system.h"

namespace tinykv {
namespace {

using Names = std::vector<std::string>;

class FileSystemTest : public testing::TestWithParam<bool> {
 protected:
  FileSystem& fs() { return GetParam() ? PosixFileSystem() : sim_; }

  std::string Path(std::string_view name) const { return JoinPath(directory_.path(), name); }

  void SetUp() override { ASSERT_TRUE(fs().CreateDirectories(directory_.path()).ok()); }

  void Write(const std::string& path, std::string_view content) {
    auto file = fs().Create(path);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE((*file)->Append(content).ok());
    EXPECT_TRUE((*file)->Close().ok());
  }

  std::string Read(const std::string& path) {
    const auto content = ReadFile(fs(), path);
    return content.ok() ? *content : content.status().ToString();
  }

 private:
  TemporaryDirectory directory_;
  sim::SimFileSystem sim_;
};

std::string NameOf(const testing::TestParamInfo<bool>& real) {
  return real.param ? "Posix" : "Sim";
}
INSTANTIATE_TEST_SUITE_P(Both, FileSystemTest, testing::Values(true, false), NameOf);

TEST_P(FileSystemTest, ReadsWhatWasAppended) {
  auto file = *fs().Create(Path("f"));
  EXPECT_EQ(Read(Path("f")), "");
  EXPECT_TRUE(file->Append("one ").ok());
  EXPECT_TRUE(file->Append("").ok());
  EXPECT_TRUE(file->Append(std::string_view("t\0o", 3)).ok());
  EXPECT_EQ(Read(Path("f")), std::string("one t\0o", 7));  // before any sync
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(file->Close().ok());
  EXPECT_EQ(*fs().FileSize(Path("f")), 7u);
}

TEST_P(FileSystemTest, CutsTheZerosOffThatItKeptAhead) {
  std::string wanted = "a";
  {
    auto file = *fs().Create(Path("f"));
    EXPECT_TRUE(file->Append("a").ok());
    file->KeepZerosAhead(5000);
    for (const size_t bytes : {1, 4999, 5000, 20000}) {
      const std::string more(bytes, 'm');
      EXPECT_TRUE(file->Append(more).ok());
      EXPECT_TRUE(file->Sync().ok());
      wanted += more;
      const std::string seen = Read(Path("f"));
      EXPECT_EQ(seen.substr(0, wanted.size()), wanted);
      EXPECT_EQ(seen.find_first_not_of('\0', wanted.size()), std::string::npos);
    }
    EXPECT_TRUE(file->Close().ok());
  }
  EXPECT_EQ(Read(Path("f")), wanted);
  {
    auto file = *fs().Create(Path("f"));
    file->KeepZerosAhead(5000);
    EXPECT_TRUE(file->Sync().ok());  // closed by its destructor
  }
  EXPECT_EQ(Read(Path("f")), "");
}

TEST_P(FileSystemTest, AppendToAClosedFileIsAnError) {
  auto file = *fs().Create(Path("f"));
  EXPECT_TRUE(file->Close().ok());
  EXPECT_EQ(file->Append("x").code(), absl::StatusCode::kInternal);
  EXPECT_EQ(file->Sync().code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(file->Close().ok());
}

TEST_P(FileSystemTest, ReadsAnyRangeAndLessAtTheEnd) {
  Write(Path("f"), "0123456789");
  const auto file = *fs().Open(Path("f"));
  char buffer[16];
  EXPECT_EQ(*file->Read(3, 4, buffer), "3456");
  EXPECT_EQ(*file->Read(8, 16, buffer), "89");
  EXPECT_EQ(*file->Read(10, 16, buffer), "");
  EXPECT_EQ(*file->Read(1000, 16, buffer), "");
  EXPECT_EQ(*file->Read(5, 0, buffer), "");
  EXPECT_EQ(*file->Size(), 10u);
}

TEST_P(FileSystemTest, AReaderSeesLaterAppends) {
  auto writer = *fs().Create(Path("f"));
  const auto reader = *fs().Open(Path("f"));
  EXPECT_TRUE(writer->Append("late").ok());
  char buffer[16];
  EXPECT_EQ(*reader->Read(0, 16, buffer), "late");
  EXPECT_EQ(*reader->Size(), 4u);
}

TEST_P(FileSystemTest, CreateEmptiesAFileThatIsThere) {
  Write(Path("f"), "old");
  Write(Path("f"), "n");
  EXPECT_EQ(Read(Path("f")), "n");
}

TEST_P(FileSystemTest, RenameReplacesAtomically) {
  Write(Path("a"), "new");
  Write(Path("b"), "old");
  EXPECT_TRUE(fs().Rename(Path("a"), Path("b")).ok());
  EXPECT_EQ(Read(Path("b")), "new");
  EXPECT_FALSE(fs().Exists(Path("a")));
  EXPECT_TRUE(fs().Rename(Path("b"), Path("b")).ok());
  EXPECT_EQ(Read(Path("b")), "new");
}

TEST_P(FileSystemTest, RenameMovesAFolderWithWhatIsInIt) {
  EXPECT_TRUE(fs().CreateDirectories(Path("d")).ok());
  Write(Path("d/f"), "x");
  EXPECT_TRUE(fs().Rename(Path("d"), Path("e")).ok());
  EXPECT_EQ(Read(Path("e/f")), "x");
  EXPECT_FALSE(fs().Exists(Path("d")));
}

TEST_P(FileSystemTest, LinkGivesASecondName) {
  Write(Path("a"), "x");
  EXPECT_TRUE(fs().Link(Path("a"), Path("b")).ok());
  EXPECT_TRUE(fs().Remove(Path("a")).ok());
  EXPECT_EQ(Read(Path("b")), "x");
  Write(Path("c"), "y");
  EXPECT_EQ(fs().Link(Path("c"), Path("b")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Read(Path("b")), "x");
}

TEST_P(FileSystemTest, ARemovedFileCanBeReadByWhoHasItOpen) {
  Write(Path("f"), "still here");
  const auto file = *fs().Open(Path("f"));
  EXPECT_TRUE(fs().Remove(Path("f")).ok());
  char buffer[16];
  EXPECT_EQ(*file->Read(0, 16, buffer), "still here");
  EXPECT_FALSE(fs().Exists(Path("f")));
}

TEST_P(FileSystemTest, TruncateCutsOrFillsUp) {
  Write(Path("f"), "0123");
  EXPECT_TRUE(fs().Truncate(Path("f"), 2).ok());
  EXPECT_EQ(Read(Path("f")), "01");
  EXPECT_TRUE(fs().Truncate(Path("f"), 4).ok());
  EXPECT_EQ(Read(Path("f")), std::string("01\0\0", 4));
}

TEST_P(FileSystemTest, ListsNamesInOrder) {
  EXPECT_TRUE(fs().CreateDirectories(Path("d/sub")).ok());
  EXPECT_EQ(*fs().List(Path("d/sub")), Names());
  for (const char* name : {"d/b", "d/a", "d/B"}) Write(Path(name), "");
  EXPECT_EQ(*fs().List(Path("d")), (Names{"B", "a", "b", "sub"}));
}

TEST_P(FileSystemTest, CreatesFoldersWithTheirParents) {
  EXPECT_TRUE(fs().CreateDirectories(Path("a/b/c")).ok());
  EXPECT_TRUE(fs().CreateDirectories(Path("a/b/c")).ok());  // there already
  EXPECT_TRUE(fs().CreateDirectories(Path("a/b/d/")).ok());
  EXPECT_EQ(*fs().List(Path("a/b")), (Names{"c", "d"}));
  EXPECT_TRUE(fs().SyncDirectory(Path("a/b")).ok());
  Write(Path("f"), "");
  EXPECT_FALSE(fs().CreateDirectories(Path("f")).ok());
  EXPECT_FALSE(fs().CreateDirectories(Path("f/g")).ok());
}

TEST_P(FileSystemTest, RemovesOnlyEmptyFolders) {
  EXPECT_TRUE(fs().CreateDirectories(Path("d")).ok());
  Write(Path("d/f"), "");
  EXPECT_EQ(fs().RemoveDirectory(Path("d")).code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(fs().Remove(Path("d/f")).ok());
  EXPECT_TRUE(fs().RemoveDirectory(Path("d")).ok());
  EXPECT_FALSE(fs().Exists(Path("d")));
}

TEST_P(FileSystemTest, TellsWhatIsNotThere) {
  constexpr auto kNotFound = absl::StatusCode::kNotFound;
  EXPECT_EQ(fs().Open(Path("none")).status().code(), kNotFound);
  EXPECT_EQ(fs().Create(Path("none/f")).status().code(), kNotFound);
  EXPECT_EQ(fs().Rename(Path("none"), Path("x")).code(), kNotFound);
  EXPECT_EQ(fs().Link(Path("none"), Path("x")).code(), kNotFound);
  EXPECT_EQ(fs().Remove(Path("none")).code(), kNotFound);
  EXPECT_EQ(fs().Truncate(Path("none"), 0).code(), kNotFound);
  EXPECT_EQ(fs().RemoveDirectory(Path("none")).code(), kNotFound);
  EXPECT_EQ(fs().SyncDirectory(Path("none")).code(), kNotFound);
  EXPECT_EQ(fs().List(Path("none")).status().code(), kNotFound);
  EXPECT_EQ(fs().FileSize(Path("none")).status().code(), kNotFound);
  EXPECT_FALSE(fs().Exists(Path("none")));
  EXPECT_EQ(MessageOf(fs().Open(Path("none")).status()),
            Path("none") + ": open: No such file or directory");
}

TEST_P(FileSystemTest, KeepsFilesAndFoldersApart) {
  EXPECT_TRUE(fs().CreateDirectories(Path("d")).ok());
  Write(Path("f"), "");
  EXPECT_FALSE(fs().Create(Path("d")).ok());
  EXPECT_FALSE(fs().Remove(Path("d")).ok());
  EXPECT_FALSE(fs().RemoveDirectory(Path("f")).ok());
  EXPECT_FALSE(fs().List(Path("f")).ok());
  EXPECT_FALSE(fs().Open(Path("f/g")).ok());
  EXPECT_TRUE(fs().Exists(Path("d")));
}

TEST_P(FileSystemTest, GivesALockToOneAtATime) {
  auto lock = fs().Lock(Path("LOCK"));
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_TRUE(fs().Exists(Path("LOCK")));
  const absl::Status refused = fs().Lock(Path("LOCK")).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(MessageOf(refused), Path("LOCK") + ": lock: held by somebody else");
  lock->reset();
  EXPECT_TRUE(fs().Lock(Path("LOCK")).ok());
  EXPECT_EQ(*fs().List(Path("")), Names{"LOCK"});  // it stays
}

TEST_P(FileSystemTest, WritesAFileAtomically) {
  EXPECT_TRUE(WriteFileAtomically(fs(), Path("f"), "one").ok());
  EXPECT_TRUE(WriteFileAtomically(fs(), Path("f"), "two").ok());
  EXPECT_EQ(Read(Path("f")), "two");
  EXPECT_EQ(*fs().List(Path("")), Names{"f"});
  EXPECT_EQ(WriteFileAtomically(fs(), Path("none/f"), "x").code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace tinykv
