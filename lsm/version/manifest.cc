#include "lsm/version/manifest.h"

#include <utility>

#include "common/check.h"
#include "common/status.h"
#include "lsm/log/log_reader.h"
#include "lsm/version/file_names.h"

namespace tinykv::lsm {
namespace {

// The number of the manifest that CURRENT names.
absl::StatusOr<FileNumber> ReadCurrent(FileSystem& file_system, const std::string& path) {
  TKV_ASSIGN_OR_RETURN(const std::string content, ReadFile(file_system, path));
  if (content.ends_with('\n')) {
    const auto name = ParseFileName(std::string_view(content).substr(0, content.size() - 1));
    if (name && name->type == FileType::kManifest) return name->number;
  }
  return DataLoss(path, ": offset 0: does not name a manifest but holds ", Quote(content));
}

}  // namespace

absl::Status ManifestState::Apply(const VersionEdit& edit) {
  if (edit.column_families) column_families = *edit.column_families;
  if (edit.next_file_number) next_file_number = *edit.next_file_number;
  if (edit.oldest_log_number) oldest_log_number = *edit.oldest_log_number;
  if (edit.last_sequence) last_sequence = *edit.last_sequence;
  if (edit.closed_log_number) closed_log_number = edit.closed_log_number;
  for (const RemovedTable& removed : edit.removed) {
    const auto it = tables.find(removed.number);
    if (it == tables.end() || it->second.column_family != removed.column_family ||
        it->second.level != removed.level) {
      return DataLoss("removes table ", removed.number, " from level ", removed.level,
                      ", where it is not");
    }
    tables.erase(it);
  }
  for (const AddedTable& added : edit.added) {
    if (added.column_family >= column_families.size()) {
      return DataLoss("adds a table to column family ", added.column_family, " of ",
                      column_families.size());
    }
    if (!tables.emplace(added.table.number, added).second) {
      return DataLoss("adds table ", added.table.number, " a second time");
    }
  }
  return absl::OkStatus();
}

VersionEdit ManifestState::Snapshot() const {
  VersionEdit edit;
  edit.format_version = kManifestFormatVersion;
  edit.column_families = column_families;
  edit.next_file_number = next_file_number;
  edit.oldest_log_number = oldest_log_number;
  edit.last_sequence = last_sequence;
  for (const auto& [number, added] : tables) edit.added.push_back(added);
  return edit;
}

absl::StatusOr<std::optional<ManifestState>> ReadManifest(FileSystem& file_system,
                                                          const std::string& directory) {
  const std::string current = CurrentPath(directory);
  if (!file_system.Exists(current)) return std::nullopt;
  TKV_ASSIGN_OR_RETURN(const FileNumber number, ReadCurrent(file_system, current));
  const std::string path = ManifestPath(directory, number);
  auto reader = LogReader::Open(file_system, path, {.log_number = number});
  if (absl::IsNotFound(reader.status())) {
    return DataLoss(path, ": is missing, but CURRENT names it");
  }
  TKV_RETURN_IF_ERROR(reader.status());

  ManifestState state;
  bool first = true;
  while (true) {
    const uint64_t offset = (*reader)->offset();
    TKV_ASSIGN_OR_RETURN(const auto record, (*reader)->ReadRecord());
    if (!record) break;
    const std::string place = Concat(path, ": offset ", offset);
    const auto edit = VersionEdit::Decode(*record);
    TKV_RETURN_IF_ERROR(Annotate(edit.status(), place));
    if (first && !(edit->format_version && edit->column_families)) {
      return DataLoss(place, ": the first record is not a snapshot");
    }
    first = false;
    TKV_RETURN_IF_ERROR(Annotate(state.Apply(*edit), place));
  }
  // CURRENT is written after the snapshot was synced.
  if (first) return DataLoss(path, ": offset ", (*reader)->offset(), ": there is no record");
  return state;
}

Manifest::Manifest(FileSystem& file_system, std::string directory, ManifestState state)
    : file_system_(file_system), directory_(std::move(directory)), state_(std::move(state)) {}

absl::Status Manifest::Rewrite(FileNumber number) {
  TKV_RETURN_IF_ERROR(poison_);
  poison_ = WriteSnapshot(number);
  return poison_;
}

absl::Status Manifest::WriteSnapshot(FileNumber number) {
  const std::string path = ManifestPath(directory_, number);
  TKV_ASSIGN_OR_RETURN(auto file, file_system_.Create(path));
  auto writer = std::make_unique<LogWriter>(*file, number);
  TKV_RETURN_IF_ERROR(writer->WriteHeader());
  TKV_RETURN_IF_ERROR(writer->AddRecord(state_.Snapshot().Encode()));
  TKV_RETURN_IF_ERROR(writer->Sync());
  // CURRENT must not become durable before the names of what it leads to: this file, and the tables
  // that it lists.
  TKV_RETURN_IF_ERROR(file_system_.SyncDirectory(directory_));
  const std::string content = Concat(ManifestName(number), '\n');
  TKV_RETURN_IF_ERROR(WriteFileAtomically(file_system_, CurrentPath(directory_), content));

  const FileNumber old_number = std::exchange(number_, number);
  writer_ = std::move(writer);
  file_ = std::move(file);
  snapshot_bytes_ = writer_->size();
  if (old_number != 0) {
    // A leftover is removed by the next Open().
    file_system_.Remove(ManifestPath(directory_, old_number)).IgnoreError();
  }
  return absl::OkStatus();
}

absl::Status Manifest::Append(const VersionEdit& edit) {
  TKV_RETURN_IF_ERROR(poison_);
  poison_ = writer_->AddRecord(edit.Encode());
  if (poison_.ok()) poison_ = writer_->Sync();
  TKV_RETURN_IF_ERROR(poison_);
  const absl::Status applied = state_.Apply(edit);
  TKV_CHECK(applied.ok() && "edits made by the engine fit its state");
  return absl::OkStatus();
}

absl::Status Manifest::Close(FileNumber closed_log_number) {
  VersionEdit edit;
  edit.closed_log_number = closed_log_number;
  TKV_RETURN_IF_ERROR(Append(edit));
  poison_ = writer_->Finish();
  TKV_RETURN_IF_ERROR(poison_);
  return file_->Close();
}

}  // namespace tinykv::lsm
