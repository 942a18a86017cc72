#include "lsm/log/log_reader.h"

#include <utility>

#include "common/coding.h"
#include "common/status.h"
#include "lsm/log/log_format.h"

namespace tinykv::lsm {

absl::StatusOr<std::unique_ptr<LogReader>> LogReader::Open(FileSystem& file_system,
                                                           const std::string& path,
                                                           const Options& options) {
  TKV_ASSIGN_OR_RETURN(std::string content, ReadFile(file_system, path));
  std::unique_ptr<LogReader> reader(new LogReader(path, std::move(content), options));
  TKV_RETURN_IF_ERROR(reader->ReadHeader());
  return reader;
}

LogReader::LogReader(std::string path, std::string content, const Options& options)
    : path_(std::move(path)), content_(std::move(content)), options_(options) {}

absl::Status LogReader::ReadHeader() {
  if (content_.size() < kLogHeaderBytes) return CutAt(0);
  std::string_view header(content_.data(), kLogHeaderChecksumOffset);
  const uint64_t checksum = DecodeFixed64(content_.data() + kLogHeaderChecksumOffset);
  const uint64_t magic = DecodeFixed64(header.data());
  const uint32_t version = DecodeFixed32(header.data() + 8);
  const uint64_t log_number = DecodeFixed64(header.data() + 12);

  // With the number that the header itself gives: a whole header of another log is not a torn one.
  if (magic != kLogMagic || checksum != LogChecksum(log_number, 0, header)) return CutAt(0);
  if (version != kLogFormatVersion) {
    return FailedPrecondition(path_, ": log format version ", version, "; this build knows ",
                              kLogFormatVersion);
  }
  if (log_number != options_.log_number) {
    return Damage(0, Concat("this is log ", log_number, ", not log ", options_.log_number));
  }
  offset_ = kLogHeaderBytes;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string_view>> LogReader::ReadRecord() {
  if (at_end_) return std::nullopt;
  if (offset_ == content_.size()) {
    // Cut exactly between two frames: a log that was finished would have an end mark.
    TKV_RETURN_IF_ERROR(CutAt(offset_));
    return std::nullopt;
  }
  const std::optional<Frame> frame = FrameAt(offset_);
  if (!frame) {
    TKV_RETURN_IF_ERROR(CutAt(offset_));
    return std::nullopt;
  }
  const uint64_t next = offset_ + kFrameHeaderBytes + frame->payload.size();
  if (frame->payload.empty()) {
    const size_t more = content_.find_first_not_of('\0', next);
    if (more != std::string::npos) return Damage(more, "a byte behind the end mark");
    at_end_ = true;
    offset_ = next;
    return std::nullopt;
  }
  offset_ = next;
  return frame->payload;
}

std::optional<LogReader::Frame> LogReader::FrameAt(uint64_t offset) const {
  const std::string_view rest = std::string_view(content_).substr(offset);
  if (rest.size() < kFrameHeaderBytes) return std::nullopt;
  const uint64_t checksum = DecodeFixed64(rest.data());
  const uint32_t length = DecodeFixed32(rest.data() + kFrameLengthOffset);
  const uint64_t synced = DecodeFixed64(rest.data() + kFrameSyncedOffset);
  if (synced > offset || length > rest.size() - kFrameHeaderBytes) return std::nullopt;
  if (length == 0 && synced != offset) return std::nullopt;  // not even an end mark

  const size_t covered_bytes = kFrameHeaderBytes - kFrameLengthOffset + length;
  const std::string_view covered = rest.substr(kFrameLengthOffset, covered_bytes);
  if (checksum != LogChecksum(options_.log_number, offset, covered)) return std::nullopt;
  return Frame{rest.substr(kFrameHeaderBytes, length), synced};
}

absl::Status LogReader::CutAt(uint64_t offset) {
  if (!options_.torn_end_allowed) {
    return Damage(offset, "no valid frame stands here, but this log was finished with an end mark");
  }
  if (const std::optional<uint64_t> witness = FindWitness(offset)) {
    return Damage(offset, Concat("nothing valid stands here, but the frame at offset ", *witness,
                                 " says that it was synced"));
  }
  at_end_ = true;
  return absl::OkStatus();
}

std::optional<uint64_t> LogReader::FindWitness(uint64_t offset) const {
  // The damage may have hit the length of a frame, so the next one may start at any byte.
  for (uint64_t at = offset + 1; at + kFrameHeaderBytes <= content_.size(); ++at) {
    // Few places hold a number in this range, so checksums are computed rarely.
    const uint64_t synced = DecodeFixed64(content_.data() + at + kFrameSyncedOffset);
    if (synced > offset && synced <= at && FrameAt(at)) return at;
  }
  return std::nullopt;
}

absl::Status LogReader::Damage(uint64_t offset, std::string_view what) const {
  return DataLoss(path_, ": offset ", offset, ": ", what);
}

}  // namespace tinykv::lsm
