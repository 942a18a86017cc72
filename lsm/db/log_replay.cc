#include "lsm/db/log_replay.h"

#include <utility>

#include "common/status.h"
#include "lsm/log/log_reader.h"
#include "lsm/version/file_names.h"

namespace tinykv::lsm {
namespace {

std::optional<std::string_view> EndOf(const WriteBatch::Record& range_delete) {
  if (range_delete.value.empty()) return std::nullopt;
  return range_delete.value;
}

// `batch` with the column family ids of today.
absl::StatusOr<WriteBatch> Renumbered(const WriteBatch& batch,
                                      const std::vector<ColumnFamilyId>& ids) {
  WriteBatch result;
  absl::Status status;
  batch.ForEach([&](const WriteBatch::Record& record) {
    if (record.column_family >= ids.size()) {
      status = DataLoss("a record is for column family ", record.column_family, " of ", ids.size());
      return;
    }
    const ColumnFamilyId id = ids[record.column_family];
    switch (record.type) {
      case ValueType::kPut:
        return result.Put(id, record.key, record.value);
      case ValueType::kDelete:
        return result.Delete(id, record.key);
      case ValueType::kDeleteRange:
        return result.DeleteRange(id, record.key, EndOf(record));
    }
  });
  TKV_RETURN_IF_ERROR(status);
  result.set_sequence(batch.sequence());
  return result;
}

absl::Status ReplayRecord(std::string_view record, const LogReplayRequest& request,
                          SequenceNumber* last_sequence, MemTable* memtable) {
  TKV_ASSIGN_OR_RETURN(const WriteBatch stored, WriteBatch::Decode(std::string(record)));
  if (stored.sequence() != *last_sequence + 1) {
    return DataLoss("a batch starts with sequence number ", stored.sequence(),
                    ", but what is before it ended with ", *last_sequence);
  }
  TKV_ASSIGN_OR_RETURN(const WriteBatch batch, Renumbered(stored, request.column_families));
  memtable->Add(batch);
  *last_sequence += batch.count();
  return absl::OkStatus();
}

absl::Status ReplayLog(FileNumber number, const LogReplayRequest& request,
                       SequenceNumber* last_sequence, MemTable* memtable) {
  const std::string path = LogPath(request.directory, number);
  // An older log was finished before its successor was started, the newest one by Close().
  const bool finished = number != request.logs.back() || number == request.closed_log;
  TKV_ASSIGN_OR_RETURN(const auto reader,
                       LogReader::Open(request.file_system, path,
                                       {.log_number = number, .torn_end_allowed = !finished}));
  while (true) {
    const uint64_t offset = reader->offset();
    TKV_ASSIGN_OR_RETURN(const auto record, reader->ReadRecord());
    if (!record) return absl::OkStatus();
    TKV_RETURN_IF_ERROR(Annotate(ReplayRecord(*record, request, last_sequence, memtable),
                                 Concat(path, ": offset ", offset)));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<MemTable>> ReplayLogs(const LogReplayRequest& request) {
  const FileNumber newest = request.logs.empty() ? 0 : request.logs.back();
  if (request.closed_log && newest != *request.closed_log) {
    return DataLoss(LogPath(request.directory, *request.closed_log),
                    ": is not the newest log here, but it was when the database was closed");
  }
  auto memtable = std::make_unique<MemTable>(request.column_families_now, newest);
  SequenceNumber last_sequence = request.last_sequence;
  for (const FileNumber number : request.logs) {
    TKV_RETURN_IF_ERROR(ReplayLog(number, request, &last_sequence, memtable.get()));
  }
  return memtable;
}

}  // namespace tinykv::lsm
