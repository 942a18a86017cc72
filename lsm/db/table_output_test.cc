#include "lsm/db/table_output.h"

#include <gtest/gtest.h>

#include "common/strings.h"
#include "graders/sim/sim_file_system.h"
#include "lsm/version/version.h"
#include "lsm/version/version_test_util.h"

namespace tinykv::lsm {
namespace {

class TableOutputTest : public testing::Test {
 protected:
  TableOutputTest() : context_({.file_system = &disk_, .block_bytes = 64}, "db") {
    EXPECT_TRUE(disk_.CreateDirectories("db").ok());
  }

  absl::Status Add(TableOutput& output, std::string_view user_key, SequenceNumber sequence) {
    return output.Add(EncodeInternalKey({user_key, sequence}), std::string(100, 'v'));
  }

  sim::SimFileSystem disk_;
  Context context_;
};

TEST_F(TableOutputTest, WithoutEntriesThereIsNoTable) {
  TableOutput output(context_, 1000);
  const auto tables = output.Finish();
  ASSERT_TRUE(tables.ok());
  EXPECT_TRUE(tables->empty());
  EXPECT_TRUE(disk_.files().empty());
}

TEST_F(TableOutputTest, NeverPutsVersionsOfOneUserKeyIntoTwoTables) {
  TableOutput output(context_, 1);
  for (int key = 0; key < 5; ++key) {
    for (SequenceNumber sequence = 20; sequence > 0; --sequence) {
      ASSERT_TRUE(Add(output, Concat("key", key), sequence).ok());
    }
  }
  const auto tables = output.Finish();
  ASSERT_TRUE(tables.ok()) << tables.status();
  ASSERT_EQ(tables->size(), 5u);
  for (int key = 0; key < 5; ++key) {
    EXPECT_EQ((*tables)[key]->smallest_user_key(), Concat("key", key));
    EXPECT_EQ(UserKeyOf((*tables)[key]->meta().largest), Concat("key", key));
    EXPECT_EQ((*tables)[key]->table().properties().entries, 20u);
  }
  EXPECT_EQ(output.bytes(), TotalBytes(*tables));
}

// Ranges, as "[a, c)"; "|" between tables.
std::string TombstonesOf(const TableList& tables) {
  std::string text;
  for (const auto& table : tables) {
    if (table->tombstones() != nullptr) {
      for (const RangeTombstone& tombstone : table->tombstones()->ToTombstones()) {
        text += Concat("[", tombstone.begin, ", ", tombstone.end, ")", tombstone.sequence, " ");
      }
    }
    text += "| ";
  }
  return text;
}

TEST_F(TableOutputTest, CutsRangeTombstonesWhereTheNextTableBegins) {
  TableOutput output(context_, 1);
  output.SetTombstones({{"b", "e", 9}, {"b", "e", 7}, {"f", "", 8}});
  for (const char* key : {"a", "c", "d", "h"}) ASSERT_TRUE(Add(output, key, 1).ok());
  const auto tables = output.Finish();
  ASSERT_TRUE(tables.ok()) << tables.status();
  EXPECT_EQ(TombstonesOf(*tables),
            "[b, c)9 [b, c)7 | [c, d)9 [c, d)7 | [d, e)9 [d, e)7 [f, h)8 | [h, )8 | ");
  Levels levels(2);
  levels[1] = *tables;
  EXPECT_TRUE(Version::Create({levels}).ok());  // they do not overlap
  EXPECT_TRUE((*tables)[0]->EndsBeforeKey("c"));
  EXPECT_FALSE((*tables)[3]->EndsBeforeKey("\xff"));
}

TEST_F(TableOutputTest, MakesATableOfTombstonesAlone) {
  TableOutput output(context_, 1);
  output.SetTombstones({{"b", "e", 9}, {"g", "h", 8}});
  const auto tables = output.Finish();
  ASSERT_TRUE(tables.ok()) << tables.status();
  EXPECT_EQ(TombstonesOf(*tables), "[b, e)9 [g, h)8 | ");
  EXPECT_EQ((*tables)[0]->smallest_user_key(), "b");
  EXPECT_TRUE((*tables)[0]->EndsBeforeKey("h"));
  EXPECT_FALSE((*tables)[0]->EndsBeforeKey("gg"));
}

TEST_F(TableOutputTest, LeavesNoFileWhenItIsGivenUp) {
  {
    TableOutput output(context_, 1);
    for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(Add(output, key, 1).ok());
    EXPECT_EQ(disk_.files().size(), 3u);  // two whole tables, one begun
  }
  EXPECT_TRUE(disk_.files().empty());
}

TEST_F(TableOutputTest, LeavesNoFileAfterAnyError) {
  for (uint64_t at = 1;; ++at) {
    disk_.SetFaults({.failed_change = sim::FaultPlan::Failure{.at = at}});
    bool failed = false;
    {
      TableOutput output(context_, 1);
      for (const char* key : {"a", "b", "c"}) failed = failed || !Add(output, key, 1).ok();
      failed = failed || !output.Finish().ok();
      if (!failed) break;
    }
    EXPECT_TRUE(disk_.files().empty()) << "error at change " << at;
  }
  EXPECT_EQ(disk_.files().size(), 3u);
}

}  // namespace
}  // namespace tinykv::lsm
