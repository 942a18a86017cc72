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
  const auto iterator = table.NewIterator(/*fill_cache=*/false);
  iterator->SeekToFirst();
  bool same = !iterator->Valid() || iterator->key() == meta.smallest;
  iterator->SeekToLast();
  same = same && (!iterator->Valid() || iterator->key() == meta.largest);
  // A block that cannot be read is reported to whoever needs it; the rest of the data goes on.
  iterator->status().IgnoreError();
  if (same) return absl::OkStatus();
  return DataLoss(path, ": holds other keys than the manifest says, which are ",
                  Quote(UserKeyOf(meta.smallest)), " to ", Quote(UserKeyOf(meta.largest)));
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
  TKV_ASSIGN_OR_RETURN(auto table, Table::Open(*std::move(file), path, meta.number, cache));
  TKV_RETURN_IF_ERROR(CheckBounds(*table, meta, path));
  return std::make_shared<const TableFile>(file_system, path, meta, std::move(table));
}

TableFile::TableFile(FileSystem& file_system, std::string path, TableMeta meta,
                     std::shared_ptr<const Table> table)
    : file_system_(file_system),
      path_(std::move(path)),
      meta_(std::move(meta)),
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
