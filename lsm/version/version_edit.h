// VersionEdit: one record of the manifest, a change of the set of tables
// (docs/formats/manifest.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "lsm/format/internal_key.h"

namespace tinykv::lsm {

// Of the manifest and of what it implies: which files there are, and how they fit together.
inline constexpr uint32_t kManifestFormatVersion = 1;

// What the manifest says about one table.
struct TableMeta {
  FileNumber number = 0;
  uint64_t file_bytes = 0;
  // Internal keys, the bounds of entries and range tombstones (lsm/format/range_tombstone.h).
  std::string smallest;
  std::string largest;
  // Unless it is 0: that of every entry of an ingested table, whose file has none.
  SequenceNumber global_sequence = 0;

  bool operator==(const TableMeta&) const = default;
};

struct AddedTable {
  ColumnFamilyId column_family = 0;
  int level = 0;
  TableMeta table;

  bool operator==(const AddedTable&) const = default;
};

struct RemovedTable {
  ColumnFamilyId column_family = 0;
  int level = 0;
  FileNumber number = 0;

  bool operator==(const RemovedTable&) const = default;
};

// What is absent does not change. A table that is removed and added in one edit moves.
struct VersionEdit {
  std::optional<uint32_t> format_version;
  std::optional<std::vector<std::string>> column_families;  // all of them, in order of their ids
  std::optional<FileNumber> next_file_number;
  std::optional<FileNumber> oldest_log_number;  // logs below it are not needed any more
  std::optional<SequenceNumber> last_sequence;  // of what is in tables
  // The database was closed after this log got its end mark. Never in a snapshot: a log that is
  // open follows it.
  std::optional<FileNumber> closed_log_number;
  std::vector<RemovedTable> removed;
  std::vector<AddedTable> added;

  std::string Encode() const;
  // Errors: kDataLoss if it is malformed, kFailedPrecondition for an unknown format version.
  static absl::StatusOr<VersionEdit> Decode(std::string_view encoded);

  bool operator==(const VersionEdit&) const = default;
};

}  // namespace tinykv::lsm
