#include "lsm/version/version_edit.h"

#include <utility>

#include "common/coding.h"
#include "common/status.h"
#include "lsm/format/range_tombstone.h"

namespace tinykv::lsm {
namespace {

// On disk; never change a value. A new tag needs a new format version.
enum class Tag : uint8_t {
  kFormatVersion = 1,
  kColumnFamilies = 2,
  kNextFileNumber = 3,
  kOldestLogNumber = 4,
  kLastSequence = 5,
  kRemovedTable = 6,
  kAddedTable = 7,
  kClosedLogNumber = 8,
};

constexpr uint32_t kLevelMax = 63;  // no sane tree is deeper; larger means damage

void PutTag(std::string* out, Tag tag) { out->push_back(static_cast<char>(tag)); }

void PutNumber(std::string* out, Tag tag, const std::optional<uint64_t>& number) {
  if (!number) return;
  PutTag(out, tag);
  PutVarint64(out, *number);
}

bool GetNumber(std::string_view* input, std::optional<uint64_t>* number) {
  return GetVarint64(input, &number->emplace());
}

bool GetFormatVersion(std::string_view* input, std::optional<uint32_t>* version) {
  return GetVarint32(input, &version->emplace());
}

bool GetColumnFamilies(std::string_view* input, std::optional<std::vector<std::string>>* names) {
  names->emplace();
  uint64_t count = 0;
  if (!GetVarint64(input, &count)) return false;
  for (; count > 0; --count) {
    std::string_view name;
    if (!GetLengthPrefixed(input, &name)) return false;
    (*names)->emplace_back(name);
  }
  return true;
}

// Column family and level, with which added and removed tables start.
bool GetPlace(std::string_view* input, ColumnFamilyId* column_family, int* level) {
  uint32_t number = 0;
  if (!GetVarint32(input, column_family) || !GetVarint32(input, &number)) return false;
  *level = static_cast<int>(number);
  return number <= kLevelMax;
}

bool GetRemovedTable(std::string_view* input, std::vector<RemovedTable>* removed) {
  RemovedTable& table = removed->emplace_back();
  return GetPlace(input, &table.column_family, &table.level) && GetVarint64(input, &table.number);
}

bool GetInternalKey(std::string_view* input, std::string* key) {
  std::string_view bytes;
  ParsedInternalKey parsed;
  if (!GetLengthPrefixed(input, &bytes) || !ParseInternalKey(bytes, &parsed)) return false;
  key->assign(bytes);
  return true;
}

bool GetAddedTable(std::string_view* input, std::vector<AddedTable>* added) {
  AddedTable& entry = added->emplace_back();
  TableMeta& table = entry.table;
  return GetPlace(input, &entry.column_family, &entry.level) && GetVarint64(input, &table.number) &&
         GetVarint64(input, &table.file_bytes) && GetInternalKey(input, &table.smallest) &&
         GetInternalKey(input, &table.largest) && GetVarint64(input, &table.global_sequence) &&
         CompareLargest(table.smallest, table.largest) <= 0;
}

bool GetField(std::string_view* input, VersionEdit* edit) {
  const auto tag = static_cast<Tag>(input->front());
  input->remove_prefix(1);
  switch (tag) {
    case Tag::kFormatVersion:
      return GetFormatVersion(input, &edit->format_version);
    case Tag::kColumnFamilies:
      return GetColumnFamilies(input, &edit->column_families);
    case Tag::kNextFileNumber:
      return GetNumber(input, &edit->next_file_number);
    case Tag::kOldestLogNumber:
      return GetNumber(input, &edit->oldest_log_number);
    case Tag::kLastSequence:
      return GetNumber(input, &edit->last_sequence);
    case Tag::kRemovedTable:
      return GetRemovedTable(input, &edit->removed);
    case Tag::kAddedTable:
      return GetAddedTable(input, &edit->added);
    case Tag::kClosedLogNumber:
      return GetNumber(input, &edit->closed_log_number);
  }
  return false;  // an unknown tag
}

}  // namespace

std::string VersionEdit::Encode() const {
  std::string out;
  if (format_version) {
    PutTag(&out, Tag::kFormatVersion);
    PutVarint64(&out, *format_version);
  }
  if (column_families) {
    PutTag(&out, Tag::kColumnFamilies);
    PutVarint64(&out, column_families->size());
    for (const std::string& name : *column_families) PutLengthPrefixed(&out, name);
  }
  PutNumber(&out, Tag::kNextFileNumber, next_file_number);
  PutNumber(&out, Tag::kOldestLogNumber, oldest_log_number);
  PutNumber(&out, Tag::kLastSequence, last_sequence);
  PutNumber(&out, Tag::kClosedLogNumber, closed_log_number);
  for (const RemovedTable& table : removed) {
    PutTag(&out, Tag::kRemovedTable);
    PutVarint64(&out, table.column_family);
    PutVarint64(&out, static_cast<uint64_t>(table.level));
    PutVarint64(&out, table.number);
  }
  for (const auto& [column_family, level, table] : added) {
    PutTag(&out, Tag::kAddedTable);
    PutVarint64(&out, column_family);
    PutVarint64(&out, static_cast<uint64_t>(level));
    PutVarint64(&out, table.number);
    PutVarint64(&out, table.file_bytes);
    PutLengthPrefixed(&out, table.smallest);
    PutLengthPrefixed(&out, table.largest);
    PutVarint64(&out, table.global_sequence);
  }
  return out;
}

absl::StatusOr<VersionEdit> VersionEdit::Decode(std::string_view encoded) {
  VersionEdit edit;
  std::string_view rest = encoded;
  while (!rest.empty()) {
    const size_t offset = encoded.size() - rest.size();
    const int tag = static_cast<unsigned char>(rest.front());
    if (!GetField(&rest, &edit)) {
      return DataLoss("byte ", offset, " of a version edit: field with tag ", tag, " is malformed");
    }
    // At once, because what follows may mean something else in another version.
    if (edit.format_version && *edit.format_version != kManifestFormatVersion) {
      return FailedPrecondition("database format version ", *edit.format_version,
                                "; this build knows ", kManifestFormatVersion);
    }
  }
  return edit;
}

}  // namespace tinykv::lsm
