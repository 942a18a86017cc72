// DBImpl::Checkpoint(): a second database that shares this one's tables by hard links.
#include <utility>

#include "absl/status/status.h"
#include "common/status.h"
#include "lsm/db/db_impl.h"
#include "lsm/version/file_names.h"

namespace tinykv::lsm {
namespace {

// Removes what a checkpoint that was cut short has left in `directory`, but for the lock.
absl::Status RemoveLeftovers(FileSystem& file_system, const std::string& directory) {
  TKV_ASSIGN_OR_RETURN(const auto names, file_system.List(directory));
  for (const std::string& name : names) {
    if (!ParseFileName(name)) {
      return FailedPrecondition(JoinPath(directory, name), ": is no part of a checkpoint");
    }
  }
  for (const std::string& name : names) {
    const std::string path = JoinPath(directory, name);
    if (path == LockPath(directory)) continue;
    TKV_RETURN_IF_ERROR(file_system.Remove(path));
  }
  return absl::OkStatus();
}

// Makes the folder `to` a database of the tables of `state`, which are in folder `from`. It is
// durable then, but for the name of `to`.
absl::Status Build(FileSystem& file_system, const std::string& from, const std::string& to,
                   ManifestState state) {
  for (const auto& [number, added] : state.tables) {
    // Tables never change and were synced before the manifest listed them: a name is all it takes.
    TKV_RETURN_IF_ERROR(file_system.Link(TablePath(from, number), TablePath(to, number)));
  }
  // Everything is in tables. The log that this number promises is made when somebody opens the
  // checkpoint; a log of the source may have the same number, and is never here.
  const FileNumber manifest_number = state.next_file_number++;
  state.oldest_log_number = state.next_file_number;
  Manifest manifest(file_system, to, std::move(state));
  return manifest.Rewrite(manifest_number);  // syncs the folder, too
}

}  // namespace

absl::Status DBImpl::Checkpoint(const std::string& directory) {
  if (directory.empty() || directory.ends_with('/')) {
    return InvalidArgument("a checkpoint needs the name of a folder, not ", Quote(directory));
  }
  FileSystem& file_system = context_->file_system();
  if (file_system.Exists(directory)) {
    return absl::AlreadyExistsError(Concat(directory, ": is there already"));
  }
  TKV_RETURN_IF_ERROR(Flush());
  ManifestState state;
  std::shared_ptr<const ReadState> pinned;  // keeps the tables from being removed
  {
    // Both are of one moment: the version and the manifest change together under this lock.
    // Memtables are flushed in order, so the tables of any moment hold a prefix of the writes.
    MutexLock install(install_mutex_);
    if (manifest_ == nullptr) return FailedPrecondition("the database is closed");
    state = manifest_->state();
    pinned = read_state_.Load();
  }

  const std::string building = Concat(directory, ".tmp");
  TKV_RETURN_IF_ERROR(file_system.CreateDirectories(building));
  // The lock keeps out a second call, and keeps us out of a database that somebody has open there.
  TKV_ASSIGN_OR_RETURN(const auto lock, file_system.Lock(LockPath(building)));
  TKV_RETURN_IF_ERROR(RemoveLeftovers(file_system, building));
  absl::Status status = Build(file_system, context_->directory, building, std::move(state));
  if (status.ok()) status = file_system.Rename(building, directory);
  if (status.ok()) return file_system.SyncDirectory(DirectoryOf(directory));

  // As far as the disk allows; the next call for this folder does the rest.
  RemoveLeftovers(file_system, building).IgnoreError();
  file_system.Remove(LockPath(building)).IgnoreError();
  file_system.RemoveDirectory(building).IgnoreError();
  return status;
}

}  // namespace tinykv::lsm
