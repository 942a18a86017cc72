// LogReader: reads a file written by LogWriter from its start.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/env/file_system.h"

namespace tinykv::lsm {

class LogReader {
 public:
  struct Options {
    uint64_t log_number = 0;
    // May the file end in a torn frame, or just so? Yes for the newest log. An older one was
    // finished before its successor was started, so any end but its end mark is damage there.
    bool torn_end_allowed = true;
  };

  // Reads `path` and checks its header. A file shorter than the header is an empty log if torn ends
  // are allowed; so is one with a damaged header, unless a frame behind it says that the header was
  // synced. Errors: kDataLoss, kFailedPrecondition for an unknown format version, those of the
  // file.
  static absl::StatusOr<std::unique_ptr<LogReader>> Open(FileSystem& file_system,
                                                         const std::string& path,
                                                         const Options& options);

  // The next record, a view that lives as long as the reader; nullopt at the end.
  // Errors: kDataLoss, naming file and offset, for a bad frame that is not a torn end: one before
  // bytes that a later frame of the file says were synced.
  absl::StatusOr<std::optional<std::string_view>> ReadRecord();

  // Where the valid records end: bytes from here on were cut.
  uint64_t offset() const { return offset_; }

 private:
  struct Frame {
    std::string_view payload;
    uint64_t synced = 0;
  };

  LogReader(std::string path, std::string content, const Options& options);

  absl::Status ReadHeader();
  // The frame at `offset`, if a whole and valid one stands there.
  std::optional<Frame> FrameAt(uint64_t offset) const;
  // Ends the log at `offset`, where nothing valid stands, or finds that this is no torn end.
  absl::Status CutAt(uint64_t offset);
  // A valid frame behind `offset` which says that the byte at `offset` was synced before it.
  std::optional<uint64_t> FindWitness(uint64_t offset) const;
  absl::Status Damage(uint64_t offset, std::string_view what) const;

  const std::string path_;
  const std::string content_;
  const Options options_;
  uint64_t offset_ = 0;
  bool at_end_ = false;  // the end mark was read, or a torn end cut
};

}  // namespace tinykv::lsm
