#include "lsm/table_writer.h"

#include <gtest/gtest.h>

#include "graders/sim/sim_file_system.h"
#include "lsm/db.h"

namespace tinykv::lsm {
namespace {

class TableWriterTest : public testing::Test {
 protected:
  TableWriterTest() {
    options_.file_system = &disk_;
    options_.block_bytes = 64;
  }

  std::unique_ptr<TableWriter> Create() {
    auto writer = TableWriter::Create(options_, "table");
    EXPECT_TRUE(writer.ok()) << writer.status();
    return *std::move(writer);
  }

  sim::SimFileSystem disk_;
  Options options_;
};

TEST_F(TableWriterTest, SaysWhatIsInTheTable) {
  const auto writer = Create();
  for (const char* key : {"", "a", "b"}) ASSERT_TRUE(writer->Add(key, "v").ok());
  const auto summary = writer->Finish();
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->entries, 3u);
  EXPECT_EQ(summary->smallest, "");
  EXPECT_EQ(summary->largest, "b");
  EXPECT_EQ(summary->file_bytes, *disk_.FileSize("table"));
}

TEST_F(TableWriterTest, RefusesAKeyOutOfOrderAndGoesOn) {
  const auto writer = Create();
  ASSERT_TRUE(writer->Add("b", "v").ok());
  for (const char* key : {"b", "a", ""}) {
    const absl::Status status = writer->Add(key, "v");
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(status.ToString().find("does not come after"), std::string::npos) << status;
  }
  EXPECT_EQ(writer->Add(std::string(kKeyBytesMax + 1, 'k'), "v").code(),
            absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(writer->Add("c", "v").ok());
  EXPECT_EQ(writer->Finish()->entries, 2u);
}

TEST_F(TableWriterTest, RefusesATableWithoutEntries) {
  EXPECT_EQ(Create()->Finish().status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(disk_.files().empty());
  EXPECT_EQ(TableWriter::Create({}, "table").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(TableWriterTest, LeavesNoFileUnlessItIsFinished) {
  ASSERT_TRUE(Create()->Add("a", "v").ok());
  EXPECT_TRUE(disk_.files().empty());
  for (uint64_t at = 1;; ++at) {
    disk_.SetFaults({.failed_change = sim::FaultPlan::Failure{.at = at}});
    bool failed = false;
    {
      auto writer = TableWriter::Create(options_, "table");
      failed = !writer.ok();
      if (!failed) failed = !(*writer)->Add("a", std::string(100, 'v')).ok();
      if (!failed) failed = !(*writer)->Finish().ok();
    }
    if (!failed) break;
    EXPECT_TRUE(disk_.files().empty()) << "error at change " << at;
  }
  EXPECT_EQ(disk_.files().size(), 1u);
}

// The old bytes may be those of a database.
TEST_F(TableWriterTest, DoesNotTouchTheBytesOfAFileThatIsThere) {
  const auto first = Create();
  ASSERT_TRUE(first->Add("a", "v").ok());
  ASSERT_TRUE(first->Finish().ok());
  ASSERT_TRUE(disk_.Link("table", "ingested").ok());
  const std::string before = *ReadFile(disk_, "ingested");
  const auto second = Create();
  ASSERT_TRUE(second->Add("b", std::string(100, 'w')).ok());
  ASSERT_TRUE(second->Finish().ok());
  EXPECT_EQ(*ReadFile(disk_, "ingested"), before);
}

}  // namespace
}  // namespace tinykv::lsm
