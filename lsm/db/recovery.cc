#include "lsm/db/recovery.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"
#include "lsm/db/flush_job.h"
#include "lsm/db/log_replay.h"
#include "lsm/log/log_reader.h"
#include "lsm/version/file_names.h"

namespace tinykv::lsm {
namespace {

absl::StatusOr<std::vector<FileName>> ListFiles(const Context& context) {
  TKV_ASSIGN_OR_RETURN(const auto names, context.file_system().List(context.directory));
  std::vector<FileName> files;
  for (const std::string& name : names) {
    if (const auto file = ParseFileName(name)) files.push_back(*file);
  }
  return files;
}

// Without CURRENT there is no database, unless its data is here: then somebody removed the file,
// and an empty database in its place would be a silent loss.
absl::Status CheckNothingIsHere(const Context& context, const std::vector<FileName>& files) {
  const std::string current = CurrentPath(context.directory);
  for (const FileName& file : files) {
    if (file.type == FileType::kTable) {
      return DataLoss(current, ": is missing, but there are tables, such as ", file.number);
    }
    if (file.type != FileType::kLog) continue;
    // A first start that was cut short leaves an empty log at most.
    const std::string path = LogPath(context.directory, file.number);
    TKV_ASSIGN_OR_RETURN(const auto reader,
                         LogReader::Open(context.file_system(), path, {.log_number = file.number}));
    TKV_ASSIGN_OR_RETURN(const auto record, reader->ReadRecord());
    if (record) return DataLoss(current, ": is missing, but ", path, " holds writes");
  }
  return absl::OkStatus();
}

// What the manifest says, or the state of an empty database. The next file number is larger than
// that of any file here, also of those that no manifest knows.
absl::StatusOr<ManifestState> FindState(const Context& context,
                                        const std::vector<FileName>& files) {
  TKV_ASSIGN_OR_RETURN(const auto found, ReadManifest(context.file_system(), context.directory));
  ManifestState state = found.value_or(ManifestState{});
  for (const FileName& file : files) {
    state.next_file_number = std::max(state.next_file_number, file.number + 1);
  }
  if (!found) {
    TKV_RETURN_IF_ERROR(CheckNothingIsHere(context, files));
    state.oldest_log_number = state.next_file_number;  // what a first start left is no log of ours
  }
  return state;
}

// Column families are known by name; their ids are places in a list that may have changed. Returns
// the new id for each old one, and changes `state` to the new ones.
absl::StatusOr<std::vector<ColumnFamilyId>> RenumberColumnFamilies(
    const std::vector<std::string>& names, ManifestState* state) {
  std::vector<ColumnFamilyId> new_ids;
  for (const std::string& name : state->column_families) {
    const auto it = std::find(names.begin(), names.end(), name);
    if (it == names.end()) {
      return InvalidArgument("the database has the column family ", Quote(name),
                             ", which options.column_families does not list");
    }
    new_ids.push_back(static_cast<ColumnFamilyId>(it - names.begin()));
  }
  for (auto& [number, added] : state->tables) added.column_family = new_ids[added.column_family];
  state->column_families = names;
  return new_ids;
}

absl::StatusOr<std::shared_ptr<const Version>> OpenTables(Context& context,
                                                          const ManifestState& state) {
  const int level_count = context.options.levels;
  std::vector<Levels> column_families(state.column_families.size(), Levels(level_count));
  for (const auto& [number, added] : state.tables) {
    if (added.level >= level_count) {
      return InvalidArgument("the database has tables in level ", added.level,
                             "; options.levels must be at least ", added.level + 1);
    }
    TKV_ASSIGN_OR_RETURN(auto table, TableFile::Open(context.file_system(), context.directory,
                                                     added.table, &context.block_cache));
    column_families[added.column_family][added.level].push_back(std::move(table));
  }
  return Version::Create(std::move(column_families));
}

// Makes tables of what the logs held.
absl::Status FlushReplayed(Context& context, const MemTable& memtable, ManifestState* state,
                           std::shared_ptr<const Version>* version) {
  if (memtable.empty()) return absl::OkStatus();
  TKV_ASSIGN_OR_RETURN(const FlushResult flushed, FlushMemTable(context, memtable, {}));
  TKV_RETURN_IF_ERROR(state->Apply(flushed.edit));
  *version = (*version)->Apply(flushed.edit, flushed.tables);
  return absl::OkStatus();
}

// Removes what no manifest speaks of any more: files of before, and what a crash left behind.
void RemoveObsoleteFiles(const Context& context, const std::vector<FileName>& files,
                         const ManifestState& state) {
  const auto remove = [&context](const std::string& path) {
    // A leftover costs space until the next Open().
    context.file_system().Remove(path).IgnoreError();
  };
  for (const FileName& file : files) {
    switch (file.type) {
      case FileType::kManifest:
        remove(ManifestPath(context.directory, file.number));
        break;
      case FileType::kLog:
        remove(LogPath(context.directory, file.number));
        break;
      case FileType::kTable:
        if (!state.tables.contains(file.number)) remove(TablePath(context.directory, file.number));
        break;
      case FileType::kTemporary:
        remove(Concat(CurrentPath(context.directory), ".tmp"));
        break;
      case FileType::kCurrent:
      case FileType::kLock:
        break;
    }
  }
}

// The point of no return: the new manifest, then the log that it says comes next. The log is
// created behind the switch, not before: until then the logs of before are in force, and the newest
// of them, whose end may be torn, must stay the newest.
absl::Status SwitchToNewFiles(Context& context, ManifestState state, Recovered* result) {
  const FileNumber log_number = context.NewFileNumber();
  const FileNumber manifest_number = context.NewFileNumber();
  state.oldest_log_number = log_number;
  state.closed_log_number.reset();
  state.next_file_number = context.next_file_number.load();
  result->manifest =
      std::make_unique<Manifest>(context.file_system(), context.directory, std::move(state));
  TKV_RETURN_IF_ERROR(result->manifest->Rewrite(manifest_number));
  TKV_ASSIGN_OR_RETURN(result->log,
                       WriteAheadLog::Create(context.file_system(), context.directory, log_number));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Recovered> Recover(Context& context) {
  TKV_ASSIGN_OR_RETURN(const std::vector<FileName> files, ListFiles(context));
  TKV_ASSIGN_OR_RETURN(ManifestState state, FindState(context, files));
  TKV_ASSIGN_OR_RETURN(auto column_families,
                       RenumberColumnFamilies(context.options.column_families, &state));
  Recovered result;
  TKV_ASSIGN_OR_RETURN(result.version, OpenTables(context, state));

  LogReplayRequest request{.file_system = context.file_system(),
                           .directory = context.directory,
                           .closed_log = state.closed_log_number,
                           .last_sequence = state.last_sequence,
                           .column_families = std::move(column_families),
                           .column_families_now = state.column_families.size()};
  for (const FileName& file : files) {
    if (file.type == FileType::kLog && file.number >= state.oldest_log_number) {
      request.logs.push_back(file.number);
    }
  }
  std::sort(request.logs.begin(), request.logs.end());
  TKV_ASSIGN_OR_RETURN(const auto memtable, ReplayLogs(request));

  // Everything has been read; from here on files change.
  context.next_file_number.store(state.next_file_number);
  TKV_RETURN_IF_ERROR(FlushReplayed(context, *memtable, &state, &result.version));
  result.last_sequence = state.last_sequence;
  TKV_RETURN_IF_ERROR(SwitchToNewFiles(context, state, &result));
  RemoveObsoleteFiles(context, files, state);
  return result;
}

}  // namespace tinykv::lsm
