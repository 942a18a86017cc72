// TableOutput: writes sorted entries into one or more new table files.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

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
  absl::Status FinishTable();

  Context& context_;
  const uint64_t table_bytes_max_;
  FileNumber number_ = 0;  // of the table being written
  std::unique_ptr<WritableFile> file_;
  std::unique_ptr<TableBuilder> builder_;  // null between tables
  std::string last_user_key_;
  TableList tables_;
  uint64_t bytes_ = 0;
  bool finished_ = false;
};

}  // namespace tinykv::lsm
