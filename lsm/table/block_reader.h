// BlockReader: reads, checks and decompresses the blocks of one table.
//
// Thread-safety: safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/env/file_system.h"
#include "lsm/table/block_cache.h"
#include "lsm/table/table_format.h"

namespace tinykv::lsm {

class BlockReader {
 public:
  struct File {
    std::unique_ptr<RandomAccessFile> file;
    uint64_t size_bytes = 0;
    std::string path;             // for messages
    FileNumber number = 0;        // names the file in the cache
    BlockCache* cache = nullptr;  // null: no caching
  };
  explicit BlockReader(File file);

  // The uncompressed bytes of a block; one read of the file.
  // Errors: kDataLoss, naming path and offset; those of the file.
  absl::StatusOr<std::string> Read(const BlockHandle& handle) const;

  // The same by way of the cache. Puts the block there only if `fill_cache`.
  absl::StatusOr<BlockCache::Block> ReadCached(const BlockHandle& handle, bool fill_cache) const;

  // `size` bytes of the file, as they stand. Errors: kDataLoss if they are not all there.
  absl::StatusOr<std::string> ReadBytes(uint64_t offset, size_t size) const;

  // The error for bytes at `offset` that are not what they should be.
  absl::Status Damage(uint64_t offset, std::string_view what) const;

  uint64_t file_bytes() const { return file_.size_bytes; }
  const std::string& path() const { return file_.path; }

 private:
  absl::StatusOr<std::string> Decompress(const BlockHandle& handle, std::string_view stored,
                                         uint32_t raw_bytes) const;

  const File file_;
};

}  // namespace tinykv::lsm
