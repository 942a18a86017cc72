// MemTable: the writes of one write-ahead log file, sorted, in memory.
//
// One generation of writes to all column families: one arena, a skip list and a list of range
// tombstones for each family, one log file. All families change to a new memtable together, so a
// log file is needed exactly as long as its memtable has not been flushed.
//
// Thread-safety: Add() by one thread at a time; everything else is safe, also during Add().
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "lsm/iterator.h"
#include "lsm/memtable/arena.h"
#include "lsm/memtable/lookup.h"
#include "lsm/memtable/skip_list.h"
#include "lsm/memtable/tombstone_list.h"
#include "lsm/write_batch.h"

namespace tinykv::lsm {

class MemTable {
 public:
  // `log_number` is the file that holds the same writes.
  MemTable(size_t column_families, FileNumber log_number);

  // Inserts every record of `batch` under its sequence number.
  // REQUIRES: the batch's sequence numbers are larger than any before.
  void Add(const WriteBatch& batch);

  // Sets `result` if a version of the key is here. It stays kAbsent if not.
  void Get(ColumnFamilyId column_family, const LookupKey& key, LookupResult* result) const;

  // Over internal keys. The memtable must outlive the iterator.
  std::unique_ptr<Iterator> NewIterator(ColumnFamilyId column_family) const;

  // The range deletes so far; null if there are none. The memtable must outlive them.
  std::shared_ptr<const FragmentedTombstones> Tombstones(ColumnFamilyId column_family) const {
    return tombstones_[column_family]->Get();
  }

  bool empty() const { return largest_sequence() == 0; }
  // True if NewIterator() would yield nothing. There may be range tombstones all the same.
  bool empty(ColumnFamilyId column_family) const { return lists_[column_family]->empty(); }
  // 0 while the memtable is empty.
  SequenceNumber largest_sequence() const {
    return largest_sequence_.load(std::memory_order_relaxed);
  }
  uint64_t memory_bytes() const { return arena_.bytes_used() - idle_bytes_; }
  FileNumber log_number() const { return log_number_; }
  size_t column_families() const { return lists_.size(); }

 private:
  const FileNumber log_number_;
  Arena arena_;
  std::vector<std::unique_ptr<SkipList>> lists_;            // by column family
  std::vector<std::unique_ptr<TombstoneList>> tombstones_;  // by column family
  std::atomic<SequenceNumber> largest_sequence_ = 0;
  uint64_t idle_bytes_ = 0;  // what empty lists use
};

}  // namespace tinykv::lsm
