// Version: which tables make up the database at one moment.
//
// Invariants, for each column family:
//   1. Level 0 is ordered newest table first: where two of its tables hold one key, the first has
//      the newer versions. Its tables may overlap.
//   2. In each deeper level the tables are ordered by key, and no user key is in two of them.
//   3. What level n holds of a key is newer than what any deeper level holds of it.
// A range tombstone counts as a version of every key in its range. Together: a search from level 0
// down may end at the first version that it finds.
//
// Thread-safety: immutable. Readers share it by shared_ptr; the last one frees.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lsm/iterator.h"
#include "lsm/key_range.h"
#include "lsm/memtable/lookup.h"
#include "lsm/version/table_file.h"
#include "lsm/version/version_edit.h"

namespace tinykv::lsm {

using Levels = std::vector<TableList>;  // of one column family

// The first table of a sorted level that ends at or after `user_key`; tables.size() if none does.
size_t FindTable(const TableList& tables, std::string_view user_key);

// True if a table of a sorted level may hold a version of `user_key`.
bool SortedLevelCovers(const TableList& tables, std::string_view user_key);

// True if a table of a sorted level may hold a version of a key in [begin, end); an empty end is
// that of the key space.
bool SortedLevelOverlaps(const TableList& tables, std::string_view begin, std::string_view end);

class Version {
 public:
  // Puts the tables of each level in order. Errors: kDataLoss if two of a deeper level overlap.
  static absl::StatusOr<std::shared_ptr<const Version>> Create(std::vector<Levels> column_families);

  const Levels& levels(ColumnFamilyId column_family) const {
    return column_families_[column_family];
  }
  size_t column_families() const { return column_families_.size(); }

  // This version with `edit` applied. `opened` holds the tables that the edit adds; those that it
  // only moves are taken from here. REQUIRES: the edit fits, and keeps the invariants.
  std::shared_ptr<const Version> Apply(const VersionEdit& edit, const TableList& opened) const;

  // Sets `result` to the newest version that `key` sees. Adds to `filter_skips` the tables that a
  // Bloom filter ruled out. Errors: as Table::Get().
  absl::Status Get(ColumnFamilyId column_family, const LookupKey& key, bool fill_cache,
                   LookupResult* result, uint64_t* filter_skips) const;

  // Appends iterators that together yield every entry with a user key in `range`, and maybe more,
  // newest first. Tables outside the range are not touched. The version must outlive them.
  void AddIterators(ColumnFamilyId column_family, const KeyRange& range, bool fill_cache,
                    std::vector<std::unique_ptr<Iterator>>* iterators) const;

  // Appends the range tombstones of the tables that those iterators read, newest tables first. The
  // iterators do not apply them. The version must outlive them.
  void AddTombstones(ColumnFamilyId column_family, const KeyRange& range,
                     std::vector<std::shared_ptr<const FragmentedTombstones>>* tombstones) const;

 private:
  explicit Version(std::vector<Levels> column_families);

  const std::vector<Levels> column_families_;
  std::vector<TableList> with_tombstones_;  // by column family, so that most scans look at none
};

}  // namespace tinykv::lsm
