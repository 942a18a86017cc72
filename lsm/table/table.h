// Table: reads one sorted table. Index, filter, properties and range tombstones are held in memory;
// data blocks go through the block cache. Entries and range tombstones are read apart: what a
// tombstone hides, a reader of entries still meets.
//
// Thread-safety: safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/env/file_system.h"
#include "lsm/format/fragmented_tombstones.h"
#include "lsm/format/internal_key.h"
#include "lsm/iterator.h"
#include "lsm/key_range.h"
#include "lsm/table/block_cache.h"

namespace tinykv::lsm {

struct TableProperties {
  uint64_t entries = 0;
  uint64_t deletions = 0;
  uint64_t data_blocks = 0;
  uint64_t raw_bytes = 0;  // keys and values before compression
  SequenceNumber smallest_sequence = 0;
  SequenceNumber largest_sequence = 0;
};

class Table {
 public:
  // `path` is for messages; `cache` may be null (no caching) and must outlive the table;
  // `file_number` names the table in the cache, so it must not be used again for another one.
  // `global_sequence`, unless it is 0, is the sequence number of every entry, whatever the file
  // says; an ingested table has one.
  // Errors: kDataLoss naming the path and the offset; kFailedPrecondition for an unknown format
  // version.
  static absl::StatusOr<std::shared_ptr<Table>> Open(std::unique_ptr<RandomAccessFile> file,
                                                     const std::string& path,
                                                     FileNumber file_number, BlockCache* cache,
                                                     SequenceNumber global_sequence = 0);
  ~Table();

  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  // Calls `found` with the first entry at or after `internal_key`, if it has the same user key. The
  // views live only during the call. Ask MayContain() before: it saves most reads that would find
  // nothing. Errors: as Iterator::status().
  absl::Status Get(
      std::string_view internal_key, bool fill_cache,
      absl::FunctionRef<void(const ParsedInternalKey& key, std::string_view value)> found) const;

  // False if the filter proves that no version of `user_key` is here. Never consulted for a range.
  bool MayContain(std::string_view user_key) const;

  // The range deletes; null if there are none. The table must outlive them.
  const std::shared_ptr<const FragmentedTombstones>& tombstones() const;

  // Over internal keys. The table must outlive the iterator.
  std::unique_ptr<Iterator> NewIterator(bool fill_cache) const;

  // Where in the file the data of `internal_key` would be: [0, file size].
  uint64_t ApproximateOffsetOf(std::string_view internal_key) const;

  // Calls `found` with each data block that may hold keys of `range`, in order: with a user key
  // that no entry of the block is behind and none of the next block is before, and its bytes in the
  // file.
  void ForEachBlock(
      const KeyRange& range,
      absl::FunctionRef<void(std::string_view last_user_key, uint64_t bytes)> found) const;

  const TableProperties& properties() const;

 private:
  struct State;
  explicit Table(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tinykv::lsm
