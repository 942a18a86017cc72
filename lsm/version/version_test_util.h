// For tests of versions: tables on a simulated disk, and tables that are nothing but their meta
// data.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graders/sim/sim_file_system.h"
#include "lsm/options.h"
#include "lsm/table/table_builder.h"
#include "lsm/version/file_names.h"
#include "lsm/version/table_file.h"

namespace tinykv::lsm {

struct TestEntry {
  std::string user_key;
  SequenceNumber sequence = 0;
  std::string value = {};
  ValueType type = ValueType::kPut;
};

// Writes table `number` into folder "db". REQUIRES: `entries` are in order.
inline TableMeta WriteTable(FileSystem& file_system, FileNumber number,
                            const std::vector<TestEntry>& entries) {
  const auto file = file_system.Create(TablePath("db", number));
  EXPECT_TRUE(file.ok()) << file.status();
  TableBuilder builder(Options{}, **file);
  for (const TestEntry& entry : entries) {
    const std::string key = EncodeInternalKey({entry.user_key, entry.sequence, entry.type});
    EXPECT_EQ(builder.Add(key, entry.value), absl::OkStatus());
  }
  EXPECT_EQ(builder.Finish(), absl::OkStatus());
  return {number, builder.file_bytes(), builder.smallest(), builder.largest()};
}

inline std::shared_ptr<const TableFile> MakeTable(FileSystem& file_system, FileNumber number,
                                                  const std::vector<TestEntry>& entries) {
  const TableMeta meta = WriteTable(file_system, number, entries);
  auto table = TableFile::Open(file_system, "db", meta, nullptr);
  EXPECT_TRUE(table.ok()) << table.status();
  return *table;
}

// A table that cannot be read, only picked.
inline std::shared_ptr<const TableFile> FakeTable(FileNumber number, std::string_view smallest,
                                                  std::string_view largest,
                                                  uint64_t file_bytes = 100) {
  const TableMeta meta{number, file_bytes, EncodeInternalKey({smallest, 2}),
                       EncodeInternalKey({largest, 1})};
  return std::make_shared<const TableFile>(PosixFileSystem(), "", meta, nullptr);
}

inline std::vector<FileNumber> NumbersOf(const TableList& tables) {
  std::vector<FileNumber> numbers;
  for (const auto& table : tables) numbers.push_back(table->meta().number);
  return numbers;
}

}  // namespace tinykv::lsm
