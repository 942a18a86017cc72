#include "lsm/version/table_file.h"

#include <utility>

#include "common/status.h"
#include "lsm/version/file_names.h"

namespace tinykv::lsm {
namespace {

// Internal keys hold sequence numbers, so two tables hardly ever have the same first and last one:
// a file that stands in another's place is found here. Each table has checksums, but they cannot
// tell.
absl::Status CheckBounds(const Table& table, const TableMeta& meta, const std::string& path) {
  std::string smallest;  // empty: not known
  std::string largest;
  if (const auto& tombstones = table.tombstones()) {
    const auto& first = tombstones->fragments().front();
    const auto& last = tombstones->fragments().back();
    smallest = SmallestOf({first.begin, first.end, first.sequences.front()});
    largest = LargestOf({last.begin, last.end, last.sequences.front()});
  }
  const auto iterator = table.NewIterator(/*fill_cache=*/false);
  iterator->SeekToFirst();
  if (iterator->Valid() &&
      (smallest.empty() || CompareInternalKeys(iterator->key(), smallest) < 0)) {
    smallest.assign(iterator->key());
  }
  // A block that cannot be read is reported to whoever needs it; the rest of the data goes on.
  bool same = !iterator->status().ok() || smallest == meta.smallest;
  iterator->SeekToLast();
  if (iterator->Valid() && (largest.empty() || CompareLargest(iterator->key(), largest) > 0)) {
    largest.assign(iterator->key());
  }
  same = same && (!iterator->status().ok() || largest == meta.largest);
  if (same) return absl::OkStatus();
  return DataLoss(path, ": holds other keys than the manifest says, which are ",
                  Quote(UserKeyOf(meta.smallest)), " to ", Quote(UserKeyOf(meta.largest)));
}

bool EndsInTombstone(const TableMeta& meta) {
  ParsedInternalKey key;
  return ParseInternalKey(meta.largest, &key) && key.type == ValueType::kDeleteRange;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TableFile>> TableFile::Open(FileSystem& file_system,
                                                                 const std::string& directory,
                                                                 const TableMeta& meta,
                                                                 BlockCache* cache) {
  const std::string path = TablePath(directory, meta.number);
  auto file = file_system.Open(path);
  if (absl::IsNotFound(file.status())) {
    return DataLoss(path, ": is missing, but the manifest lists it");
  }
  TKV_RETURN_IF_ERROR(file.status());
  TKV_ASSIGN_OR_RETURN(const uint64_t size, (*file)->Size());
  if (size != meta.file_bytes) {
    return DataLoss(path, ": has ", size, " bytes, but the manifest says ", meta.file_bytes);
  }
  TKV_ASSIGN_OR_RETURN(
      auto table, Table::Open(*std::move(file), path, meta.number, cache, meta.global_sequence));
  TKV_RETURN_IF_ERROR(CheckBounds(*table, meta, path));
  return std::make_shared<const TableFile>(file_system, path, meta, std::move(table));
}

TableFile::TableFile(FileSystem& file_system, std::string path, TableMeta meta,
                     std::shared_ptr<const Table> table)
    : file_system_(file_system),
      path_(std::move(path)),
      meta_(std::move(meta)),
      ends_in_tombstone_(EndsInTombstone(meta_)),
      endless_(IsEndless(meta_.largest)),
      table_(std::move(table)) {}

TableFile::~TableFile() {
  if (!obsolete_.load(std::memory_order_relaxed)) return;
  table_.reset();
  // A leftover costs space until the next Open() removes it.
  file_system_.Remove(path_).IgnoreError();
}

uint64_t TotalBytes(const TableList& tables) {
  uint64_t bytes = 0;
  for (const auto& table : tables) bytes += table->meta().file_bytes;
  return bytes;
}

}  // namespace tinykv::lsm
