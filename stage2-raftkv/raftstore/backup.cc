#include "stage2-raftkv/raftstore/backup.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "common/status.h"
#include "stage2-raftkv/raft/bootstrap.h"
#include "stage2-raftkv/raftstore/bootstrap.h"
#include "stage2-raftkv/raftstore/engines.h"
#include "stage2-raftkv/raftstore/region.h"
#include "stage2-raftkv/raftstore/stored_message.h"

namespace tinykv::raftstore {
namespace {

using Manifest = raft_serverpb::BackupManifest;

constexpr uint32_t kFormat = 1;
constexpr size_t kNameBytesMax = 100;
constexpr char kUnfinished[] = ".tmp";
constexpr size_t kCopyBytes = 1 << 20;

std::string ManifestPath(const std::string& backup) { return JoinPath(backup, "BACKUP"); }
std::string EnginePath(const std::string& backup) { return JoinPath(backup, "kv"); }

// For a look at a database that is there: no compaction is ever due.
absl::StatusOr<std::unique_ptr<lsm::DB>> OpenToRead(lsm::Options engine, const std::string& path) {
  constexpr int kNever = std::numeric_limits<int>::max();
  engine.create_if_missing = false;
  engine.block_cache_bytes = kCopyBytes;
  engine.l0_compact_tables = engine.l0_slowdown_tables = engine.l0_stop_tables = kNever;
  engine.level_bytes_base = uint64_t{1} << 60;
  engine.level_multiplier = 1;
  return lsm::DB::Open(engine, path);
}

// What stands in the meta column family, with a clear error where it is not what a store has.
template <typename Message>
absl::StatusOr<Message> ReadMeta(lsm::DB& kv, const std::string& key, std::string_view what) {
  TKV_ASSIGN_OR_RETURN(auto found, ReadStored<Message>(kv, kMetaFamily, key, what));
  if (!found) return FailedPrecondition("there is no ", what, " in the kv engine");
  return *std::move(found);
}

absl::StatusOr<metapb::Region> TheRegionOf(lsm::DB& kv) {
  TKV_ASSIGN_OR_RETURN(auto states, ReadRegionStates(kv));
  if (states.empty()) return FailedPrecondition("the store has no region");
  metapb::Region& region = *states.front().mutable_region();
  if (states.size() > 1 || !region.start_key().empty() || !region.end_key().empty()) {
    return FailedPrecondition(
        "a backup has the one region of its store, with all keys, and this store has others");
  }
  return std::move(region);
}

absl::StatusOr<Manifest> DescribeEngine(lsm::DB& kv) {
  Manifest manifest;
  manifest.set_format(kFormat);
  TKV_ASSIGN_OR_RETURN(const auto ident, ReadMeta<raft_serverpb::StoreIdent>(
                                             kv, StoreIdentKey(), "the store's identity"));
  manifest.set_cluster_id(ident.cluster_id());
  manifest.set_store_id(ident.store_id());
  TKV_ASSIGN_OR_RETURN(*manifest.mutable_region(), TheRegionOf(kv));
  TKV_ASSIGN_OR_RETURN(const auto state,
                       ReadMeta<raft_serverpb::RaftApplyState>(
                           kv, ApplyStateKey(manifest.region().id()), "apply state"));
  manifest.set_applied_index(state.applied_index());
  return manifest;
}

absl::StatusOr<uint64_t> BytesOf(FileSystem& file_system, const std::string& directory) {
  uint64_t bytes = 0;
  TKV_ASSIGN_OR_RETURN(const auto names, file_system.List(directory));
  for (const std::string& name : names) {
    TKV_ASSIGN_OR_RETURN(const uint64_t size, file_system.FileSize(JoinPath(directory, name)));
    bytes += size;
  }
  return bytes;
}

absl::StatusOr<Manifest> ReadManifest(FileSystem& file_system, const std::string& backup) {
  const std::string path = ManifestPath(backup);
  const auto text = ReadFile(file_system, path);
  if (absl::IsNotFound(text.status())) {
    return NotFound(backup, " is no backup, or not all of one: there is no ", path);
  }
  TKV_RETURN_IF_ERROR(text.status());
  Manifest manifest;
  if (!google::protobuf::util::JsonStringToMessage(*text, &manifest).ok()) {
    return DataLoss(path, " is no description of a backup");
  }
  if (manifest.format() != kFormat) {
    return FailedPrecondition(path, " is of format ", manifest.format(), "; this program knows ",
                              kFormat);
  }
  return manifest;
}

absl::Status CopyFile(FileSystem& file_system, const std::string& from, const std::string& to) {
  TKV_ASSIGN_OR_RETURN(const auto source, file_system.Open(from));
  TKV_ASSIGN_OR_RETURN(const auto copy, file_system.Create(to));
  std::string buffer(kCopyBytes, '\0');
  for (uint64_t offset = 0;;) {
    TKV_ASSIGN_OR_RETURN(const std::string_view bytes,
                         source->Read(offset, buffer.size(), buffer.data()));
    if (bytes.empty()) break;
    TKV_RETURN_IF_ERROR(copy->Append(bytes));
    offset += bytes.size();
  }
  TKV_RETURN_IF_ERROR(copy->Sync());
  return copy->Close();
}

// Reads every block, and so finds what is damaged.
absl::Status ReadAll(lsm::DB& kv) {
  for (lsm::ColumnFamilyId family = 0; family <= kMetaFamily; ++family) {
    const auto iterator = kv.NewIterator({.fill_cache = false}, family);
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    }
    TKV_RETURN_IF_ERROR(iterator->status());
  }
  return absl::OkStatus();
}

// Takes away what the backup's store knew of itself; what is left is where the log begins.
absl::Status MakeBeginning(lsm::DB& kv, raft::Index applied) {
  lsm::WriteBatch batch;
  {
    const auto iterator = kv.NewIterator({}, kMetaFamily);
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      batch.Delete(kMetaFamily, iterator->key());
    }
    TKV_RETURN_IF_ERROR(iterator->status());
  }
  const auto state = ApplyStateBehind({.index = applied, .term = raft::kBootstrapEntry.term});
  batch.Put(kMetaFamily, ApplyStateKey(kFirstRegion), state.SerializeAsString());
  return kv.Write({.sync = true}, batch);
}

absl::Status CheckAndChange(lsm::DB& kv, const Manifest& manifest, const std::string& backup) {
  TKV_ASSIGN_OR_RETURN(const Manifest found, DescribeEngine(kv));
  if (!google::protobuf::util::MessageDifferencer::Equals(found, manifest)) {
    return DataLoss(ManifestPath(backup), " does not say what is in ", EnginePath(backup),
                    ": it has ", manifest.ShortDebugString(), ", and there is ",
                    found.ShortDebugString());
  }
  TKV_RETURN_IF_ERROR(ReadAll(kv));
  return MakeBeginning(kv, manifest.applied_index());
}

}  // namespace

absl::Status CheckBackupName(std::string_view name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const bool is_right = !name.empty() && name.size() <= kNameBytesMax && is_plain(name.front()) &&
                        !name.ends_with(kUnfinished) &&
                        std::all_of(name.begin(), name.end(), [&](char c) {
                          return is_plain(c) || c == '-' || c == '_' || c == '.';
                        });
  if (is_right) return absl::OkStatus();
  return InvalidArgument(Quote(name), " is no name for a backup; want letters, digits, '-', '_' ",
                         "and '.', ", kNameBytesMax, " at most, a letter or digit first, and no ",
                         Quote(kUnfinished), " at the end");
}

// ---- Backups ----

Backups::Backups(lsm::DB& kv, const lsm::Options& engine, std::string directory)
    : kv_(kv),
      engine_(engine),
      file_system_(*engine.file_system),
      directory_(std::move(directory)) {}

absl::Status Backups::Open() {
  if (!file_system_.Exists(directory_)) return absl::OkStatus();
  TKV_ASSIGN_OR_RETURN(const auto names, file_system_.List(directory_));
  for (const std::string& name : names) {
    if (!name.ends_with(kUnfinished)) continue;
    TKV_RETURN_IF_ERROR(RemoveTree(file_system_, JoinPath(directory_, name)));
  }
  return absl::OkStatus();
}

absl::StatusOr<Backup> Backups::Make(const std::string& name) {
  TKV_RETURN_IF_ERROR(CheckBackupName(name));
  const std::string directory = JoinPath(directory_, name);
  if (file_system_.Exists(directory)) {
    return absl::AlreadyExistsError(Concat("there is a backup ", Quote(name), " already, in ",
                                           directory, "; choose another name, or remove it"));
  }
  TKV_RETURN_IF_ERROR(file_system_.CreateDirectories(directory_));
  const std::string building = Concat(directory, kUnfinished);
  TKV_RETURN_IF_ERROR(RemoveTree(file_system_, building));
  absl::StatusOr<Backup> backup = Build(building);
  if (backup.ok()) {
    const absl::Status renamed = file_system_.Rename(building, directory);
    if (!renamed.ok()) backup = renamed;
  }
  if (!backup.ok()) {
    RemoveTree(file_system_, building).IgnoreError();  // or at the next start
    return backup.status();
  }
  TKV_RETURN_IF_ERROR(file_system_.SyncDirectory(directory_));
  backup->directory = directory;
  return backup;
}

absl::StatusOr<Backup> Backups::Build(const std::string& directory) {
  TKV_RETURN_IF_ERROR(file_system_.CreateDirectories(directory));
  TKV_RETURN_IF_ERROR(kv_.Checkpoint(EnginePath(directory)));
  Backup backup;
  {
    // Which moment it is of, only the checkpoint itself knows: the store goes on meanwhile.
    TKV_ASSIGN_OR_RETURN(const auto checkpoint, OpenToRead(engine_, EnginePath(directory)));
    TKV_ASSIGN_OR_RETURN(backup.manifest, DescribeEngine(*checkpoint));
    TKV_RETURN_IF_ERROR(checkpoint->Close());
  }
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  if (!MessageToJsonString(backup.manifest, &json, options).ok()) {
    return Internal("the description of a backup cannot be written as JSON");
  }
  TKV_RETURN_IF_ERROR(WriteFileAtomically(file_system_, ManifestPath(directory), json));
  TKV_ASSIGN_OR_RETURN(backup.bytes, BytesOf(file_system_, EnginePath(directory)));
  return backup;
}

// ---- restore ----

namespace {

// Copies the checkpoint into the new folder `to`, and makes of it what a store can begin with.
absl::Status Prepare(const lsm::Options& engine, const std::string& backup,
                     const Manifest& manifest, const std::string& to) {
  FileSystem& file_system = *engine.file_system;
  TKV_RETURN_IF_ERROR(file_system.CreateDirectories(to));
  TKV_ASSIGN_OR_RETURN(const auto names, file_system.List(EnginePath(backup)));
  for (const std::string& name : names) {
    if (name == "LOCK") continue;
    TKV_RETURN_IF_ERROR(
        CopyFile(file_system, JoinPath(EnginePath(backup), name), JoinPath(to, name)));
  }
  TKV_RETURN_IF_ERROR(file_system.SyncDirectory(to));
  TKV_ASSIGN_OR_RETURN(const auto db, OpenToRead(engine, to));
  TKV_RETURN_IF_ERROR(CheckAndChange(*db, manifest, backup));
  return db->Close();
}

}  // namespace

absl::Status RestoreBackup(const lsm::Options& engine, const std::string& backup,
                           const std::string& kv, uint64_t cluster_id) {
  FileSystem& file_system = *engine.file_system;
  TKV_ASSIGN_OR_RETURN(const Manifest manifest, ReadManifest(file_system, backup));
  if (manifest.cluster_id() == cluster_id) {
    return FailedPrecondition(
        "the backup was made in cluster ", cluster_id,
        ", and a store of that one that is still there, or comes back, must not meet the new ",
        "cluster: give the new one another cluster.id");
  }
  const std::string building = Concat(kv, ".restoring");
  TKV_RETURN_IF_ERROR(RemoveTree(file_system, building));
  if (absl::Status status = Prepare(engine, backup, manifest, building); !status.ok()) {
    RemoveTree(file_system, building).IgnoreError();  // or at the next attempt
    return Annotate(status, Concat("copying the backup ", backup));
  }
  // From here on there is a kv engine. It has no identity, so what follows is an ordinary begin.
  TKV_RETURN_IF_ERROR(file_system.Rename(building, kv));
  return file_system.SyncDirectory(DirectoryOf(kv));
}

}  // namespace tinykv::raftstore
