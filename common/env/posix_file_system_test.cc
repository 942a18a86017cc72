// What is particular to real files. What every FileSystem must do is tested by
// graders/sim/file_system_conformance_test.cc, on this one and on the simulated one alike.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "common/env/file_system.h"
#include "common/env/temporary_directory.h"
#include "common/status.h"

namespace tinykv {
namespace {

class PosixFileSystemTest : public testing::Test {
 protected:
  std::string Path(std::string_view name) const { return JoinPath(directory_.path(), name); }

  TemporaryDirectory directory_;
  FileSystem& fs_ = PosixFileSystem();
};

TEST_F(PosixFileSystemTest, NamesPathAndOperationInItsErrors) {
  const absl::Status status = fs_.Open(Path("none")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(MessageOf(status), Path("none") + ": open: No such file or directory");
}

TEST_F(PosixFileSystemTest, TellsAFullDisk) {
  auto file = fs_.Create("/dev/full");
  ASSERT_TRUE(file.ok()) << file.status();
  const absl::Status status = (*file)->Append("x");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(MessageOf(status), "/dev/full: write: No space left on device");
}

TEST_F(PosixFileSystemTest, DoesNotLeakDescriptorsIntoChildren) {
  auto writable = *fs_.Create(Path("f"));
  auto readable = *fs_.Open(Path("f"));
  auto lock = *fs_.Lock(Path("LOCK"));
  int ours = 0;
  for (int fd = 0; fd < 256; ++fd) {
    struct stat of_fd, of_file, of_lock;
    ASSERT_EQ(stat(Path("f").c_str(), &of_file), 0);
    ASSERT_EQ(stat(Path("LOCK").c_str(), &of_lock), 0);
    if (fstat(fd, &of_fd) != 0) continue;
    if (of_fd.st_ino != of_file.st_ino && of_fd.st_ino != of_lock.st_ino) continue;
    EXPECT_TRUE((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    ++ours;
  }
  EXPECT_EQ(ours, 3);
}

TEST_F(PosixFileSystemTest, LocksAcrossProcessesAndReleasesWithTheProcess) {
  int to_parent[2], to_child[2];
  ASSERT_EQ(pipe(to_parent), 0);
  ASSERT_EQ(pipe(to_child), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto lock = fs_.Lock(Path("LOCK"));
    const char result = lock.ok() ? 'y' : 'n';
    char wait;
    const bool done = write(to_parent[1], &result, 1) == 1 && read(to_child[0], &wait, 1) == 1;
    _exit(done ? 0 : 1);  // without running destructors
  }
  char result = 0;
  ASSERT_EQ(read(to_parent[0], &result, 1), 1);
  EXPECT_EQ(result, 'y');
  EXPECT_EQ(fs_.Lock(Path("LOCK")).status().code(), absl::StatusCode::kUnavailable);
  ASSERT_EQ(write(to_child[1], "x", 1), 1);
  int exit_status = 0;
  ASSERT_EQ(waitpid(child, &exit_status, 0), child);
  EXPECT_EQ(exit_status, 0);
  EXPECT_TRUE(fs_.Lock(Path("LOCK")).ok());
}

TEST_F(PosixFileSystemTest, KeepsZerosAheadOfAppendsThatAreSynced) {
  auto file = *fs_.Create(Path("f"));
  file->KeepZerosAhead(10000);
  EXPECT_EQ(*fs_.FileSize(Path("f")), 0u);
  ASSERT_TRUE(file->Sync().ok());
  const uint64_t size = *fs_.FileSize(Path("f"));
  EXPECT_GE(size, 10000u);
  ASSERT_TRUE(file->Append(std::string(size - 1, 'x')).ok());
  EXPECT_EQ(*fs_.FileSize(Path("f")), size);  // the appended bytes have taken the zeros' place
  ASSERT_TRUE(file->Append("y").ok());
  EXPECT_EQ(*fs_.FileSize(Path("f")), size);
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_GE(*fs_.FileSize(Path("f")), size + 10000);
  const std::string seen = *ReadFile(fs_, Path("f"));
  EXPECT_EQ(seen.substr(0, size), std::string(size - 1, 'x') + "y");
  EXPECT_EQ(seen.find_first_not_of('\0', size), std::string::npos);
}

TEST_F(PosixFileSystemTest, AppendsMoreThanOneWriteTakes) {
  const std::string large(64 << 20, 'x');
  auto file = *fs_.Create(Path("large"));
  ASSERT_TRUE(file->Append(large).ok());
  ASSERT_TRUE(file->Close().ok());
  EXPECT_EQ(*ReadFile(fs_, Path("large")), large);
}

TEST(Paths, JoinAndSplit) {
  EXPECT_EQ(JoinPath("a/b", "c"), "a/b/c");
  EXPECT_EQ(JoinPath("/", "c"), "/c");
  EXPECT_EQ(JoinPath("", "c"), "c");
  EXPECT_EQ(DirectoryOf("a/b/c"), "a/b");
  EXPECT_EQ(DirectoryOf("a//b"), "a");
  EXPECT_EQ(DirectoryOf("a/b/"), "a");
  EXPECT_EQ(DirectoryOf("c"), ".");
  EXPECT_EQ(DirectoryOf("/c"), "/");
  EXPECT_EQ(DirectoryOf("/"), "/");
}

}  // namespace
}  // namespace tinykv
