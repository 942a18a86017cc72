#include "lsm/version/file_names.h"

#include <gtest/gtest.h>

namespace tinykv::lsm {
namespace {

TEST(FileNames, AreParsedBack) {
  for (const FileNumber number :
       {FileNumber{1}, FileNumber{999'999}, FileNumber{1'000'000}, ~FileNumber{0}}) {
    const auto table = ParseFileName(TablePath("", number));
    ASSERT_TRUE(table);
    EXPECT_EQ(table->type, FileType::kTable);
    EXPECT_EQ(table->number, number);
    const auto log = ParseFileName(LogPath("", number));
    ASSERT_TRUE(log);
    EXPECT_EQ(log->type, FileType::kLog);
    EXPECT_EQ(log->number, number);
    const auto manifest = ParseFileName(ManifestName(number));
    ASSERT_TRUE(manifest);
    EXPECT_EQ(manifest->type, FileType::kManifest);
    EXPECT_EQ(manifest->number, number);
  }
  EXPECT_EQ(ParseFileName("CURRENT")->type, FileType::kCurrent);
  EXPECT_EQ(ParseFileName("LOCK")->type, FileType::kLock);
  EXPECT_EQ(ParseFileName("CURRENT.tmp")->type, FileType::kTemporary);
}

TEST(FileNames, StandInTheFolder) {
  EXPECT_EQ(TablePath("a/b", 12), "a/b/000012.sst");
  EXPECT_EQ(LogPath("a/b", 1234567), "a/b/1234567.log");
  EXPECT_EQ(ManifestPath("a/b", 3), "a/b/MANIFEST-000003");
  EXPECT_EQ(CurrentPath("a/b"), "a/b/CURRENT");
  EXPECT_EQ(LockPath("a/b"), "a/b/LOCK");
}

TEST(FileNames, OfOthersAreNotOurs) {
  for (const char* name : {"", "x", "sst", ".sst", "1.sst", "0000012.sst", "00001x.sst",
                           "-00001.sst", "000001.sst.bak", "MANIFEST-", "MANIFEST-1", "current",
                           "99999999999999999999.log", "notes.tmp"}) {
    EXPECT_FALSE(ParseFileName(name)) << name;
  }
}

}  // namespace
}  // namespace tinykv::lsm
