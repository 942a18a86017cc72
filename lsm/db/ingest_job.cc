#include "lsm/db/ingest_job.h"

#include <utility>

#include "common/status.h"
#include "lsm/version/file_names.h"

namespace tinykv::lsm {
namespace {

// What is wrong with an entry behind the key `before`, which is null for the first one.
absl::Status CheckEntry(std::string_view internal_key, const std::string* before,
                        const std::string& path) {
  ParsedInternalKey key;
  if (!ParseInternalKey(internal_key, &key)) {
    return DataLoss(path, ": holds the malformed internal key ", Quote(internal_key));
  }
  if (key.sequence != 0 || key.type != ValueType::kPut) {
    return InvalidArgument(path, ": was not made by TableWriter: the entry of ",
                           Quote(key.user_key), " has a sequence number or is a deletion");
  }
  if (key.user_key.size() > kKeyBytesMax) {
    return InvalidArgument(path, ": a key of ", key.user_key.size(), " bytes; the most is ",
                           kKeyBytesMax, ": ", Quote(key.user_key));
  }
  if (before != nullptr && key.user_key <= *before) {
    return InvalidArgument(path, ": the key ", Quote(key.user_key), " does not come after ",
                           Quote(*before));
  }
  return absl::OkStatus();
}

// Collects the tables of an ingestion, in the order of their sequence numbers. They are removed
// again, unless Finish() returns OK.
//
// Thread-safety: none.
class IngestedTables {
 public:
  IngestedTables(Context& context, SequenceNumber last_sequence)
      : context_(context), last_sequence_(last_sequence) {}

  ~IngestedTables() {
    for (const auto& table : result_.tables) table->MarkObsolete();
  }

  IngestedTables(const IngestedTables&) = delete;
  IngestedTables& operator=(const IngestedTables&) = delete;

  absl::Status Add(WriteBatch batch) {
    batch.set_sequence(last_sequence_ + 1);
    MemTable memtable(context_.options.column_families.size(), /*log_number=*/0);
    memtable.Add(batch);
    last_sequence_ += batch.count();
    return WriteTables(context_, memtable, /*snapshots=*/{}, &result_);
  }

  absl::Status Add(const CheckedFile& file) {
    const SequenceNumber sequence = ++last_sequence_;
    const FileNumber number = context_.NewFileNumber();
    const std::string path = TablePath(context_.directory, number);
    FileSystem& file_system = context_.file_system();
    TKV_RETURN_IF_ERROR(file_system.Link(file.path, path));
    const TableMeta meta = {.number = number,
                            .file_bytes = file.file_bytes,
                            .smallest = EncodeInternalKey({file.smallest, sequence}),
                            .largest = EncodeInternalKey({file.largest, sequence}),
                            .global_sequence = sequence};
    auto table = TableFile::Open(file_system, context_.directory, meta, &context_.block_cache);
    if (!table.ok()) {
      file_system.Remove(path).IgnoreError();
      return std::move(table).status();
    }
    result_.edit.added.push_back({file.column_family, 0, meta});
    result_.tables.push_back(*std::move(table));
    return absl::OkStatus();
  }

  absl::StatusOr<FlushResult> Finish() {
    // The names must be durable before a manifest that speaks of them is.
    TKV_RETURN_IF_ERROR(context_.file_system().SyncDirectory(context_.directory));
    result_.edit.last_sequence = last_sequence_;
    return std::exchange(result_, {});
  }

 private:
  Context& context_;
  SequenceNumber last_sequence_;
  FlushResult result_;
};

}  // namespace

absl::StatusOr<CheckedFile> CheckFile(FileSystem& file_system, const Ingestion::File& file) {
  const std::string& path = file.path;
  TKV_ASSIGN_OR_RETURN(auto opened, file_system.Open(path));
  TKV_ASSIGN_OR_RETURN(const uint64_t file_bytes, opened->Size());
  TKV_ASSIGN_OR_RETURN(const auto table,
                       Table::Open(std::move(opened), path, /*file_number=*/0, /*cache=*/nullptr));
  if (table->tombstones() != nullptr) {
    return InvalidArgument(path, ": was not made by TableWriter: it has range deletes");
  }
  CheckedFile checked = {
      .column_family = file.column_family, .path = path, .file_bytes = file_bytes};
  uint64_t entries = 0;
  const auto it = table->NewIterator(/*fill_cache=*/false);
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    TKV_RETURN_IF_ERROR(CheckEntry(it->key(), entries == 0 ? nullptr : &checked.largest, path));
    checked.largest.assign(UserKeyOf(it->key()));
    if (entries++ == 0) checked.smallest = checked.largest;
  }
  TKV_RETURN_IF_ERROR(it->status());
  if (entries == 0 || entries != table->properties().entries) {
    return DataLoss(path, ": holds ", entries, " entries, but says ", table->properties().entries);
  }
  return checked;
}

absl::StatusOr<FlushResult> MakeIngestedTables(Context& context, const IngestRequest& request) {
  WriteBatch cleared;
  for (const Ingestion::Range& range : request.ingestion.cleared) {
    cleared.DeleteRange(range.column_family, range.begin, range.end);
  }
  IngestedTables tables(context, request.last_sequence);
  TKV_RETURN_IF_ERROR(tables.Add(std::move(cleared)));
  for (const CheckedFile& file : request.files) TKV_RETURN_IF_ERROR(tables.Add(file));
  TKV_RETURN_IF_ERROR(tables.Add(request.ingestion.batch));
  return tables.Finish();
}

}  // namespace tinykv::lsm
