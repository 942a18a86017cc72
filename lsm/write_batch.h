// WriteBatch: writes to one or more column families that become durable and visible together.
//
// A batch is its own encoding: it is appended to the write-ahead log as it stands.
// Layout (docs/formats/wal.md): [sequence:8][count:4] then `count` records
//   [kPut:1]         [column family:varint][key][value]   key and value with varint lengths
//   [kDelete:1]      [column family:varint][key]
//   [kDeleteRange:1] [column family:varint][begin][end]   an empty end is that of the key space
// The sequence number of record i is sequence + i; the engine fills it in.
//
// Thread-safety: compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lsm/format/internal_key.h"

namespace tinykv::lsm {

class WriteBatch {
 public:
  WriteBatch();

  void Put(ColumnFamilyId column_family, std::string_view key, std::string_view value);
  void Delete(ColumnFamilyId column_family, std::string_view key);
  // Deletes every key in [begin, end), or from `begin` on if there is no end. It is one record,
  // however many keys there are; a range without keys makes none.
  void DeleteRange(ColumnFamilyId column_family, std::string_view begin,
                   std::optional<std::string_view> end);
  // Adds the records of `other` behind this batch's own.
  void Append(const WriteBatch& other);
  void Clear();

  uint32_t count() const;
  bool empty() const { return count() == 0; }
  size_t size_bytes() const { return encoded_.size(); }

  SequenceNumber sequence() const;
  void set_sequence(SequenceNumber sequence);

  // The encoded batch, as it stands in the log.
  const std::string& encoded() const { return encoded_; }
  // Takes a batch read back from a log. Errors: kDataLoss if it is malformed; every record is
  // checked.
  static absl::StatusOr<WriteBatch> Decode(std::string encoded);

  struct Record {
    SequenceNumber sequence;
    ValueType type;
    ColumnFamilyId column_family;
    std::string_view key;    // of a range delete: where it begins
    std::string_view value;  // empty for a deletion; of a range delete: where it ends
  };
  // Calls `visit` for each record in order.
  void ForEach(absl::FunctionRef<void(const Record&)> visit) const;

 private:
  std::string encoded_;
};

}  // namespace tinykv::lsm
