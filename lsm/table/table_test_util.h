// For tests of sorted tables: tables in memory, built from entries.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lsm/iterator_model.h"
#include "lsm/string_file.h"
#include "lsm/table/table.h"
#include "lsm/table/table_builder.h"

namespace tinykv::lsm {

inline std::string BuildTable(const Options& options, const std::vector<ModelEntry>& entries) {
  std::string content;
  StringWritableFile file(content);
  TableBuilder builder(options, file);
  for (const ModelEntry& entry : entries) {
    EXPECT_EQ(builder.Add(entry.key, entry.value), absl::OkStatus());
  }
  EXPECT_EQ(builder.Finish(), absl::OkStatus());
  EXPECT_EQ(builder.file_bytes(), content.size());
  EXPECT_EQ(file.syncs(), 1);
  return content;
}

inline absl::StatusOr<std::shared_ptr<Table>> OpenTable(std::string content,
                                                        BlockCache* cache = nullptr,
                                                        int* reads = nullptr) {
  return Table::Open(std::make_unique<StringRandomAccessFile>(std::move(content), reads),
                     "db/000007.sst", 7, cache);
}

}  // namespace tinykv::lsm
