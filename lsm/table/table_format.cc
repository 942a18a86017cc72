#include "lsm/table/table_format.h"

#include "common/check.h"
#include "common/coding.h"
#include "common/status.h"
#include "lsm/format/checksum.h"

namespace tinykv::lsm {
namespace {

constexpr size_t kFooterVersionOffset = 64;
constexpr size_t kFooterChecksumOffset = 68;
constexpr size_t kFooterMagicOffset = 76;

void PutHandle(std::string* out, const BlockHandle& handle) {
  PutFixed64(out, handle.offset);
  PutFixed64(out, handle.size);
}

BlockHandle HandleAt(const char* bytes) { return {DecodeFixed64(bytes), DecodeFixed64(bytes + 8)}; }

}  // namespace

void AppendBlockHandle(std::string* out, const BlockHandle& handle) {
  PutVarint64(out, handle.offset);
  PutVarint64(out, handle.size);
}

bool DecodeBlockHandle(std::string_view encoded, BlockHandle* handle) {
  return GetVarint64(&encoded, &handle->offset) && GetVarint64(&encoded, &handle->size) &&
         encoded.empty();
}

std::string EncodeFooter(const Footer& footer, uint64_t offset) {
  std::string out;
  PutHandle(&out, footer.index);
  PutHandle(&out, footer.filter);
  PutHandle(&out, footer.properties);
  PutHandle(&out, footer.range_deletes);
  PutFixed32(&out, kTableFormatVersion);
  PutFixed64(&out, Checksum(out, offset));
  PutFixed64(&out, kTableMagic);
  TKV_CHECK(out.size() == kFooterBytes);
  return out;
}

absl::StatusOr<Footer> DecodeFooter(std::string_view encoded, const std::string& path,
                                    uint64_t offset) {
  TKV_CHECK(encoded.size() == kFooterBytes);
  const char* bytes = encoded.data();
  if (DecodeFixed64(bytes + kFooterMagicOffset) != kTableMagic) {
    return DataLoss(path, ": offset ", offset + kFooterMagicOffset,
                    ": the magic number of a sorted table is not there");
  }
  // The checksum before the version, so that a damaged version is called damaged and not unknown.
  const uint64_t checksum = DecodeFixed64(bytes + kFooterChecksumOffset);
  if (checksum != Checksum(encoded.substr(0, kFooterChecksumOffset), offset)) {
    return DataLoss(path, ": offset ", offset, ": the footer does not match its checksum");
  }
  const uint32_t version = DecodeFixed32(bytes + kFooterVersionOffset);
  if (version != kTableFormatVersion) {
    return FailedPrecondition(path, ": table format version ", version, "; this build knows ",
                              kTableFormatVersion);
  }
  return Footer{HandleAt(bytes), HandleAt(bytes + 16), HandleAt(bytes + 32), HandleAt(bytes + 48)};
}

std::string EncodeProperties(const TableProperties& properties) {
  std::string out;
  PutVarint64(&out, properties.entries);
  PutVarint64(&out, properties.deletions);
  PutVarint64(&out, properties.data_blocks);
  PutVarint64(&out, properties.raw_bytes);
  PutVarint64(&out, properties.smallest_sequence);
  PutVarint64(&out, properties.largest_sequence);
  return out;
}

bool DecodeProperties(std::string_view encoded, TableProperties* properties) {
  return GetVarint64(&encoded, &properties->entries) &&
         GetVarint64(&encoded, &properties->deletions) &&
         GetVarint64(&encoded, &properties->data_blocks) &&
         GetVarint64(&encoded, &properties->raw_bytes) &&
         GetVarint64(&encoded, &properties->smallest_sequence) &&
         GetVarint64(&encoded, &properties->largest_sequence);
}

}  // namespace tinykv::lsm
