// BlockWriter: appends blocks to the file of a table, each compressed if that helps, and each with
// its trailer.
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
#include "lsm/table/table_format.h"

struct ZSTD_CCtx_s;

namespace tinykv::lsm {

class BlockWriter {
 public:
  // `file` must be empty and outlive the writer. Level 0 compresses nothing.
  BlockWriter(WritableFile& file, int zstd_level);
  ~BlockWriter();

  BlockWriter(const BlockWriter&) = delete;
  BlockWriter& operator=(const BlockWriter&) = delete;

  // REQUIRES: `block` has at most kBlockBytesMax. Errors: those of the file.
  absl::StatusOr<BlockHandle> Write(std::string_view block);

  // Appends the footer and syncs the file. Errors: those of the file.
  absl::Status Finish(const Footer& footer);

  // Bytes appended so far.
  uint64_t offset() const { return offset_; }

 private:
  struct FreeContext {
    void operator()(ZSTD_CCtx_s* context) const;
  };

  // Fills `stored_` with `block`, compressed or not, and says which.
  BlockCompression Store(std::string_view block);

  WritableFile& file_;
  const int zstd_level_;
  const std::unique_ptr<ZSTD_CCtx_s, FreeContext> context_;  // null at level 0
  uint64_t offset_ = 0;
  std::string stored_;  // reused from block to block
};

}  // namespace tinykv::lsm
