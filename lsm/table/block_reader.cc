#include "lsm/table/block_reader.h"

#include <zstd.h>

#include <utility>

#include "common/coding.h"
#include "common/status.h"
#include "lsm/format/checksum.h"

namespace tinykv::lsm {
namespace {

// Making a context costs more than decompressing a block: each thread keeps one.
ZSTD_DCtx* DecompressionContext() {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  return context.get();
}

}  // namespace

BlockReader::BlockReader(File file) : file_(std::move(file)) {}

absl::StatusOr<std::string> BlockReader::Read(const BlockHandle& handle) const {
  // Handles come out of checked blocks; still, a size is believed only if it fits the file.
  if (handle.offset > file_.size_bytes || handle.size > file_.size_bytes - handle.offset) {
    return Damage(handle.offset,
                  Concat("a block of ", handle.size, " bytes does not fit the file"));
  }
  TKV_ASSIGN_OR_RETURN(std::string stored,
                       ReadBytes(handle.offset, handle.size + kBlockTrailerBytes));
  const char* trailer = stored.data() + handle.size;
  const size_t covered_bytes = stored.size() - sizeof(uint64_t);
  const uint64_t checksum = DecodeFixed64(stored.data() + covered_bytes);
  if (checksum != Checksum({stored.data(), covered_bytes}, handle.offset)) {
    return Damage(handle.offset,
                  Concat("a block of ", handle.size, " bytes does not match its checksum"));
  }
  const auto compression = static_cast<BlockCompression>(trailer[0]);
  const uint32_t raw_bytes = DecodeFixed32(trailer + 1);
  switch (compression) {
    case BlockCompression::kNone:
      if (raw_bytes != handle.size) return Damage(handle.offset, "a block has the wrong size");
      stored.resize(raw_bytes);
      return stored;
    case BlockCompression::kZstd:
      return Decompress(handle, {stored.data(), handle.size}, raw_bytes);
  }
  return Damage(handle.offset, "a block is compressed in an unknown way");
}

absl::StatusOr<BlockCache::Block> BlockReader::ReadCached(const BlockHandle& handle,
                                                          bool fill_cache) const {
  if (file_.cache != nullptr) {
    if (BlockCache::Block block = file_.cache->Lookup(file_.number, handle.offset)) return block;
  }
  TKV_ASSIGN_OR_RETURN(std::string bytes, Read(handle));
  auto block = std::make_shared<const std::string>(std::move(bytes));
  if (file_.cache != nullptr && fill_cache) {
    file_.cache->Insert(file_.number, handle.offset, block);
  }
  return block;
}

absl::StatusOr<std::string> BlockReader::ReadBytes(uint64_t offset, size_t size) const {
  if (offset > file_.size_bytes || size > file_.size_bytes - offset) {
    return Damage(offset, Concat("the file ends before ", size, " bytes that should be here"));
  }
  std::string bytes(size, '\0');
  TKV_ASSIGN_OR_RETURN(const std::string_view read, file_.file->Read(offset, size, bytes.data()));
  if (read.size() != size) return Damage(offset, "the file has become shorter");
  return bytes;
}

absl::Status BlockReader::Damage(uint64_t offset, std::string_view what) const {
  return DataLoss(file_.path, ": offset ", offset, ": ", what);
}

absl::StatusOr<std::string> BlockReader::Decompress(const BlockHandle& handle,
                                                    std::string_view stored,
                                                    uint32_t raw_bytes) const {
  // The size is asked twice before memory is set aside for it.
  if (raw_bytes > kBlockBytesMax ||
      ZSTD_getFrameContentSize(stored.data(), stored.size()) != raw_bytes) {
    return Damage(handle.offset, "a block has the wrong uncompressed size");
  }
  std::string raw(raw_bytes, '\0');
  const size_t size = ZSTD_decompressDCtx(DecompressionContext(), raw.data(), raw.size(),
                                          stored.data(), stored.size());
  if (size != raw_bytes) return Damage(handle.offset, "a block does not decompress");
  return raw;
}

}  // namespace tinykv::lsm
