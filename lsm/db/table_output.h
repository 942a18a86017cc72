// TableOutput: writes sorted entries into one or more new table files.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lsm/db/context.h"
#include "lsm/table/table_builder.h"
#include "lsm/version/table_file.h"

namespace tinykv::lsm {

class TableOutput {
 public:
  // Starts a new table when one has `table_bytes_max`, but never between two versions of one user
  // key: the levels of a tree rely on a key being in one table. `context` must outlive the output.
  TableOutput(Context& context, uint64_t table_bytes_max);
  // Removes the files, unless Finish() returned OK.
  ~TableOutput();

  TableOutput(const TableOutput&) = delete;
  TableOutput& operator=(const TableOutput&) = delete;

  // Each table takes its share of `tombstones`, which are cut where one table ends and the next
  // begins. They are ordered as TableBuilder::AddTombstone() demands, and their keys must outlive
  // the output. REQUIRES: no Add() yet.
  void SetTombstones(std::vector<RangeTombstone> tombstones) {
    tombstones_ = std::move(tombstones);
  }

  // REQUIRES: internal keys come in order. Errors: those of the file system; the output is then
  // good for nothing but destruction.
  absl::Status Add(std::string_view internal_key, std::string_view value);

  // The tables, open; none if nothing was added. Their contents are durable; their names are when
  // the folder has been synced next. Errors: as Add().
  absl::StatusOr<TableList> Finish();

  size_t tables() const { return tables_.size(); }
  uint64_t bytes() const { return bytes_; }

 private:
  absl::Status StartTable();
  // The next table begins at `end`; it is empty if there is none.
  absl::Status FinishTable(std::string_view end);
  void AddTombstonesBefore(std::string_view end);

  Context& context_;
  const uint64_t table_bytes_max_;
  FileNumber number_ = 0;  // of the table being written
  std::unique_ptr<WritableFile> file_;
  std::unique_ptr<TableBuilder> builder_;  // null between tables
  std::string last_user_key_;
  std::vector<RangeTombstone> tombstones_;
  size_t next_tombstone_ = 0;        // the first that is not in a table, or not as a whole
  std::deque<std::string> borders_;  // where tombstones were cut
  TableList tables_;
  uint64_t bytes_ = 0;
  bool finished_ = false;
};

}  // namespace tinykv::lsm
