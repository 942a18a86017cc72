// TableFile: one sorted table of the database, open, with the life of its file.
//
// Versions share table files. When a compaction has replaced one, it is marked obsolete; the file
// is removed when the last version, and thereby the last reader, that uses it is gone.
//
// Thread-safety: safe.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/env/file_system.h"
#include "lsm/table/table.h"
#include "lsm/version/version_edit.h"

namespace tinykv::lsm {

class TableFile {
 public:
  // Opens the table that `meta` describes. `file_system` and `cache` must outlive the result.
  // Errors: kDataLoss if the file is missing, or is not the table that `meta` describes;
  // those of reading it.
  static absl::StatusOr<std::shared_ptr<const TableFile>> Open(FileSystem& file_system,
                                                               const std::string& directory,
                                                               const TableMeta& meta,
                                                               BlockCache* cache);

  // Tests of the compaction picker, which never reads, pass a null `table`.
  TableFile(FileSystem& file_system, std::string path, TableMeta meta,
            std::shared_ptr<const Table> table);
  ~TableFile();

  TableFile(const TableFile&) = delete;
  TableFile& operator=(const TableFile&) = delete;

  // The file goes with the last reference. REQUIRES: a manifest without this table is durable.
  void MarkObsolete() const { obsolete_.store(true, std::memory_order_relaxed); }

  const TableMeta& meta() const { return meta_; }
  const Table& table() const { return *table_; }

  // The range deletes; null if there are none.
  std::shared_ptr<const FragmentedTombstones> tombstones() const {
    return table_ == nullptr ? nullptr : table_->tombstones();
  }

  std::string_view smallest_user_key() const { return UserKeyOf(meta_.smallest); }
  // There is no largest user key: a table that ends with a range delete ends *before* a key, or
  // nowhere. True if everything here comes before `user_key`.
  bool EndsBeforeKey(std::string_view user_key) const;
  // True if every entry here comes before `internal_key`.
  bool EndsBefore(std::string_view internal_key) const;

 private:
  FileSystem& file_system_;
  const std::string path_;
  const TableMeta meta_;
  const bool ends_in_tombstone_;
  const bool endless_;
  std::shared_ptr<const Table> table_;
  mutable std::atomic<bool> obsolete_ = false;
};

inline bool TableFile::EndsBeforeKey(std::string_view user_key) const {
  const int order = UserKeyOf(meta_.largest).compare(user_key);
  if (!ends_in_tombstone_) return order < 0;
  return order <= 0 && !endless_;
}

inline bool TableFile::EndsBefore(std::string_view internal_key) const {
  return !endless_ && CompareInternalKeys(meta_.largest, internal_key) < 0;
}

using TableList = std::vector<std::shared_ptr<const TableFile>>;

uint64_t TotalBytes(const TableList& tables);

}  // namespace tinykv::lsm
