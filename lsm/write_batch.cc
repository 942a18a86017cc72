#include "lsm/write_batch.h"

#include <utility>

#include "common/check.h"
#include "common/coding.h"
#include "common/status.h"
#include "lsm/format/range_tombstone.h"

namespace tinykv::lsm {
namespace {

constexpr size_t kCountOffset = 8;
constexpr size_t kHeaderBytes = 12;

void SetCount(std::string* encoded, uint32_t count) {
  std::memcpy(encoded->data() + kCountOffset, &count, sizeof(count));
}

// Takes one record off the front of `input`; its sequence is left alone. Returns false if there is
// no whole, valid record.
[[nodiscard]] bool GetRecord(std::string_view* input, WriteBatch::Record* record) {
  if (input->empty()) return false;
  const auto type = static_cast<ValueType>(input->front());
  if (type > ValueType::kDeleteRange) return false;
  input->remove_prefix(1);
  record->type = type;
  record->value = {};
  if (!GetVarint32(input, &record->column_family)) return false;
  if (!GetLengthPrefixed(input, &record->key)) return false;
  if (type == ValueType::kDelete) return true;
  if (!GetLengthPrefixed(input, &record->value)) return false;
  return type == ValueType::kPut || IsBeforeEnd(record->key, record->value);
}

}  // namespace

WriteBatch::WriteBatch() : encoded_(kHeaderBytes, '\0') {}

void WriteBatch::Put(ColumnFamilyId column_family, std::string_view key, std::string_view value) {
  SetCount(&encoded_, count() + 1);
  encoded_.push_back(static_cast<char>(ValueType::kPut));
  PutVarint64(&encoded_, column_family);
  PutLengthPrefixed(&encoded_, key);
  PutLengthPrefixed(&encoded_, value);
}

void WriteBatch::Delete(ColumnFamilyId column_family, std::string_view key) {
  SetCount(&encoded_, count() + 1);
  encoded_.push_back(static_cast<char>(ValueType::kDelete));
  PutVarint64(&encoded_, column_family);
  PutLengthPrefixed(&encoded_, key);
}

void WriteBatch::DeleteRange(ColumnFamilyId column_family, std::string_view begin,
                             std::optional<std::string_view> end) {
  if (end && *end <= begin) return;
  SetCount(&encoded_, count() + 1);
  encoded_.push_back(static_cast<char>(ValueType::kDeleteRange));
  PutVarint64(&encoded_, column_family);
  PutLengthPrefixed(&encoded_, begin);
  PutLengthPrefixed(&encoded_, end.value_or(std::string_view()));
}

void WriteBatch::Append(const WriteBatch& other) {
  SetCount(&encoded_, count() + other.count());
  // By index and length, not as a view: `other` may be this batch.
  encoded_.append(other.encoded_, kHeaderBytes, other.encoded_.size() - kHeaderBytes);
}

void WriteBatch::Clear() { encoded_.assign(kHeaderBytes, '\0'); }

uint32_t WriteBatch::count() const { return DecodeFixed32(encoded_.data() + kCountOffset); }

SequenceNumber WriteBatch::sequence() const { return DecodeFixed64(encoded_.data()); }

void WriteBatch::set_sequence(SequenceNumber sequence) {
  std::memcpy(encoded_.data(), &sequence, sizeof(sequence));
}

absl::StatusOr<WriteBatch> WriteBatch::Decode(std::string encoded) {
  if (encoded.size() < kHeaderBytes) {
    return DataLoss("a write batch of ", encoded.size(), " bytes is shorter than its header");
  }
  WriteBatch batch;
  batch.encoded_ = std::move(encoded);
  std::string_view rest = std::string_view(batch.encoded_).substr(kHeaderBytes);
  Record record{};
  for (uint32_t i = 0; i < batch.count(); ++i) {
    if (!GetRecord(&rest, &record)) {
      return DataLoss("record ", i, " of a write batch of ", batch.count(), " is malformed");
    }
  }
  if (!rest.empty()) return DataLoss(rest.size(), " bytes behind the last record of a write batch");
  return batch;
}

void WriteBatch::ForEach(absl::FunctionRef<void(const Record&)> visit) const {
  std::string_view rest = std::string_view(encoded_).substr(kHeaderBytes);
  Record record{};
  record.sequence = sequence();
  for (uint32_t i = count(); i > 0; --i, ++record.sequence) {
    TKV_CHECK(GetRecord(&rest, &record) && "a batch that was built or decoded here is well-formed");
    visit(record);
  }
}

}  // namespace tinykv::lsm
