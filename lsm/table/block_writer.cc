#include "lsm/table/block_writer.h"

#include <zstd.h>

#include "common/check.h"
#include "common/coding.h"
#include "common/status.h"
#include "lsm/format/checksum.h"

namespace tinykv::lsm {

void BlockWriter::FreeContext::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }

BlockWriter::BlockWriter(WritableFile& file, int zstd_level)
    : file_(file),
      zstd_level_(zstd_level),
      context_(zstd_level == 0 ? nullptr : ZSTD_createCCtx()) {}

BlockWriter::~BlockWriter() = default;

absl::StatusOr<BlockHandle> BlockWriter::Write(std::string_view block) {
  TKV_CHECK(!block.empty() && block.size() <= kBlockBytesMax);
  const BlockCompression compression = Store(block);
  const BlockHandle handle{offset_, stored_.size()};
  stored_.push_back(static_cast<char>(compression));
  PutFixed32(&stored_, static_cast<uint32_t>(block.size()));
  PutFixed64(&stored_, Checksum(stored_, offset_));
  TKV_RETURN_IF_ERROR(file_.Append(stored_));
  offset_ += stored_.size();
  return handle;
}

absl::Status BlockWriter::Finish(const Footer& footer) {
  TKV_RETURN_IF_ERROR(file_.Append(EncodeFooter(footer, offset_)));
  offset_ += kFooterBytes;
  return file_.Sync();
}

BlockCompression BlockWriter::Store(std::string_view block) {
  if (context_ != nullptr) {
    stored_.resize(ZSTD_compressBound(block.size()));
    const size_t size = ZSTD_compressCCtx(context_.get(), stored_.data(), stored_.size(),
                                          block.data(), block.size(), zstd_level_);
    // Less than an eighth saved is not worth a decompression at every read.
    if (!ZSTD_isError(size) && size <= block.size() - block.size() / 8) {
      stored_.resize(size);
      return BlockCompression::kZstd;
    }
  }
  stored_.assign(block);
  return BlockCompression::kNone;
}

}  // namespace tinykv::lsm
