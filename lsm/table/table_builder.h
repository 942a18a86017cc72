// TableBuilder: writes one sorted table (docs/formats/table.md): data blocks with prefix-compressed
// keys, a Bloom filter over user keys, an index block, properties and a footer; every block is
// compressed by zstd where that helps, and carries a checksum.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/env/file_system.h"
#include "lsm/options.h"

namespace tinykv::lsm {

class TableBuilder {
 public:
  // `file` must be empty and outlive the builder. Only the table options of `options` are read.
  TableBuilder(const Options& options, WritableFile& file);
  ~TableBuilder();

  TableBuilder(const TableBuilder&) = delete;
  TableBuilder& operator=(const TableBuilder&) = delete;

  // REQUIRES: `internal_key` comes after every key added before (CompareInternalKeys).
  // Errors: those of the file; every later call returns the same error.
  absl::Status Add(std::string_view internal_key, std::string_view value);

  // Writes what is left, and syncs the file. REQUIRES: at least one Add(). Errors: as Add().
  absl::Status Finish();

  uint64_t entries() const;
  // Bytes written so far; the file's size after Finish().
  uint64_t file_bytes() const;
  // Internal keys. REQUIRES: entries() > 0.
  const std::string& smallest() const;
  const std::string& largest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinykv::lsm
