// WriteAheadLog: the log file of one memtable, open for writing.
//
// Thread-safety: none. The leader of the write queue uses it.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/env/file_system.h"
#include "common/status.h"
#include "lsm/format/internal_key.h"
#include "lsm/log/log_writer.h"
#include "lsm/version/file_names.h"

namespace tinykv::lsm {

struct WriteAheadLog {
  static constexpr uint64_t kZerosAhead = 256 << 10;

  // Starts an empty log; it and its name are durable.
  static absl::StatusOr<std::unique_ptr<WriteAheadLog>> Create(FileSystem& file_system,
                                                               const std::string& directory,
                                                               FileNumber number) {
    TKV_ASSIGN_OR_RETURN(auto file, file_system.Create(LogPath(directory, number)));
    file->KeepZerosAhead(kZerosAhead);
    auto log = std::make_unique<WriteAheadLog>(number, std::move(file));
    TKV_RETURN_IF_ERROR(log->writer.WriteHeader());
    TKV_RETURN_IF_ERROR(log->writer.Sync());
    TKV_RETURN_IF_ERROR(file_system.SyncDirectory(directory));
    return log;
  }

  WriteAheadLog(FileNumber log_number, std::unique_ptr<WritableFile> log_file)
      : number(log_number), file(std::move(log_file)), writer(*file, log_number) {}

  const FileNumber number;
  const std::unique_ptr<WritableFile> file;
  LogWriter writer;
};

}  // namespace tinykv::lsm
