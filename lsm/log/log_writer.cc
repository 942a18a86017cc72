#include "lsm/log/log_writer.h"

#include <limits>

#include "common/check.h"
#include "common/coding.h"
#include "common/status.h"
#include "lsm/log/log_format.h"

namespace tinykv::lsm {
namespace {

// A buffer that grew beyond this for one large record is given back.
constexpr size_t kIdleFrameBytesMax = 1 << 20;

}  // namespace

LogWriter::LogWriter(WritableFile& file, uint64_t log_number)
    : file_(file), log_number_(log_number) {}

absl::Status LogWriter::WriteHeader() {
  TKV_RETURN_IF_ERROR(poison_);
  TKV_CHECK(size_ == 0 && "the header comes first, and once");
  std::string header;
  PutFixed64(&header, kLogMagic);
  PutFixed32(&header, kLogFormatVersion);
  PutFixed64(&header, log_number_);
  PutFixed64(&header, LogChecksum(log_number_, 0, header));
  poison_ = file_.Append(header);
  if (poison_.ok()) size_ = header.size();
  return poison_;
}

absl::Status LogWriter::AddRecord(std::string_view payload) {
  TKV_CHECK(!payload.empty() && "an empty frame is the end mark");
  return AppendFrame(payload);
}

absl::Status LogWriter::Sync() {
  TKV_RETURN_IF_ERROR(poison_);
  poison_ = file_.Sync();
  if (poison_.ok()) synced_size_ = size_;
  return poison_;
}

absl::Status LogWriter::Finish() {
  TKV_RETURN_IF_ERROR(Sync());
  TKV_RETURN_IF_ERROR(AppendFrame({}));
  TKV_RETURN_IF_ERROR(Sync());
  poison_ = FailedPrecondition("log ", log_number_, " has been finished");
  return absl::OkStatus();
}

absl::Status LogWriter::AppendFrame(std::string_view payload) {
  TKV_RETURN_IF_ERROR(poison_);
  TKV_CHECK(size_ > 0 && "WriteHeader() comes first");
  TKV_CHECK(payload.size() <= std::numeric_limits<uint32_t>::max());

  // One Append() a frame: two would double the system calls of every write. The copy that this
  // costs is small beside the checksum and the kernel's own copy.
  frame_.clear();
  frame_.reserve(kFrameHeaderBytes + payload.size());
  PutFixed64(&frame_, 0);  // the checksum's place
  PutFixed32(&frame_, static_cast<uint32_t>(payload.size()));
  PutFixed64(&frame_, synced_size_);
  frame_.append(payload);
  const std::string_view covered = std::string_view(frame_).substr(kFrameLengthOffset);
  const uint64_t checksum = LogChecksum(log_number_, size_, covered);
  std::memcpy(frame_.data(), &checksum, sizeof(checksum));

  poison_ = file_.Append(frame_);
  if (poison_.ok()) size_ += frame_.size();
  if (frame_.capacity() > kIdleFrameBytesMax) frame_ = std::string();
  return poison_;
}

}  // namespace tinykv::lsm
