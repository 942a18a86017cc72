// TableBuilder: writes one sorted table (docs/formats/table.md): data blocks with prefix-compressed
// keys, a block of range tombstones, a Bloom filter over user keys, an index block, properties and
// a footer; every block is compressed by zstd where that helps, and carries a checksum.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/env/file_system.h"
#include "lsm/format/range_tombstone.h"
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

  // REQUIRES: of two tombstones, ranges are equal or disjoint; they come in key order, and those of
  // equal ranges newest first. Between entries they may come at any time.
  void AddTombstone(const RangeTombstone& tombstone);

  // Writes what is left, and syncs the file. REQUIRES: it is not empty. Errors: as Add().
  absl::Status Finish();

  // Of Add() alone.
  uint64_t entries() const;
  // True as long as nothing has been added, neither an entry nor a tombstone.
  bool empty() const;
  // Bytes written so far; the file's size after Finish().
  uint64_t file_bytes() const;
  // Internal keys; lsm/format/range_tombstone.h says how tombstones count. REQUIRES: not empty().
  std::string smallest() const;
  std::string largest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinykv::lsm
