// TableWriter: makes one sorted table outside of any database, for DB::Ingest().
//
//   TKV_ASSIGN_OR_RETURN(auto writer, TableWriter::Create(options, "incoming/write.sst"));
//   for (const auto& [key, value] : sorted) TKV_RETURN_IF_ERROR(writer->Add(key, value));
//   TKV_ASSIGN_OR_RETURN(const auto table, writer->Finish());
//
// The table holds user keys without sequence numbers: it gets one, for all of it, when it is
// ingested.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/env/file_system.h"
#include "lsm/options.h"
#include "lsm/table/table_builder.h"

namespace tinykv::lsm {

class TableWriter {
 public:
  struct Summary {
    uint64_t file_bytes = 0;
    uint64_t entries = 0;
    std::string smallest;  // user keys, both in the table
    std::string largest;
  };

  // Creates the file. One that is there is removed and not emptied, as it may be part of a database
  // by another name. Of `options`, the file system and the options
  // for sorted tables are read; the file system must outlive the writer.
  // Errors: kInvalidArgument if there is no file system; those of the file system.
  static absl::StatusOr<std::unique_ptr<TableWriter>> Create(const Options& options,
                                                             const std::string& path);
  // Removes the file, unless Finish() returned OK.
  ~TableWriter();

  TableWriter(const TableWriter&) = delete;
  TableWriter& operator=(const TableWriter&) = delete;

  // Errors: kInvalidArgument if `key` does not come after the key before it, or is longer than
  // kKeyBytesMax: it is not added, and the writer may go on. Those of the file, after which every
  // call returns the same one. REQUIRES: Finish() was not called.
  absl::Status Add(std::string_view key, std::string_view value);

  // Writes what is left, syncs the file and closes it. The file's name is durable when its folder
  // has been synced, which Ingest() does not rely on.
  // Errors: kInvalidArgument if there is no entry; as Add(). REQUIRES: it was not called before.
  absl::StatusOr<Summary> Finish();

  // Bytes written so far, for those who start a new table at some size.
  uint64_t file_bytes() const { return builder_.file_bytes(); }

 private:
  TableWriter(const Options& options, std::string path, std::unique_ptr<WritableFile> file);

  FileSystem& file_system_;
  const std::string path_;
  std::unique_ptr<WritableFile> file_;
  TableBuilder builder_;
  std::string last_key_;
  bool finished_ = false;
};

}  // namespace tinykv::lsm
