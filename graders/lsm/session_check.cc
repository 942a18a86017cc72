// Session's comparisons.
#include <algorithm>
#include <utility>

#include "common/status.h"
#include "graders/lsm/session.h"
#include "lsm/version/file_names.h"

namespace tinykv::lsm::grading {

void Session::CheckEverything() {
  for (const bool forward : {true, false}) {
    const auto found = forward ? ReadForward() : ReadBackward();
    if (!Succeeded(forward ? "a scan" : "a backward scan", found.status())) continue;
    if (*found != model_.now()) {
      Fail(Concat(forward ? "a scan: " : "a backward scan: ", Difference(model_.now(), *found)));
    }
  }
  for (ColumnFamilyId id = 0; id < kColumnFamilies; ++id) {
    for (int key = 0; key < kKeys && failure_.empty(); ++key) {
      Do(Get{.column_family = id, .key = key, .snapshot = std::nullopt});
      if (!failure_.empty()) Fail(Concat("Get of ", id, ':', Quote(KeyOf(key))));
    }
  }
  for (const auto& [slot, held] : snapshots_) {
    for (const ColumnFamilyState& state : held.state) {
      const auto id = static_cast<ColumnFamilyId>(&state - held.state.data());
      for (int key = 0; key < kKeys && failure_.empty(); ++key) {
        Do(Get{.column_family = id, .key = key, .snapshot = slot});
        if (!failure_.empty()) Fail(Concat("in snapshot ", slot, ": ", Quote(KeyOf(key))));
      }
    }
  }
}

void Session::CheckCursor(const Cursor& cursor) {
  const Iterator& it = *cursor.iterator;
  const bool expected = cursor.at != cursor.view.end();
  if (it.Valid() && expected) {
    if (it.key() != cursor.at->first || it.value() != cursor.at->second) {
      Fail(Concat("the cursor must stand on ", Quote(cursor.at->first), " = ",
                  Quote(cursor.at->second, 16), ", it stands on ", Quote(it.key()), " = ",
                  Quote(it.value(), 16)));
    }
  } else if (expected) {
    Fail(Concat("the cursor must stand on ", Quote(cursor.at->first), ", it stands nowhere"));
  } else if (it.Valid()) {
    Fail(Concat("the cursor must stand nowhere, it stands on ", Quote(it.key())));
  }
}

void Session::CheckStatistics() {
  const Options options = OptionsOf(setup_);
  const Statistics statistics = db_->GetStatistics();
  if (statistics.live_snapshots != snapshots_.size()) {
    Fail(Concat(statistics.live_snapshots, " snapshots are alive, not ", snapshots_.size()));
  }
  if (!poison_.ok() && statistics.write_error != poison_) {
    Fail(Concat("statistics say that ", statistics.write_error.ToString(),
                " stopped writes, it was ", poison_.ToString()));
  }
  if (cursors_.empty() && statistics.obsolete_tables > 0) {
    Fail(Concat(statistics.obsolete_tables, " obsolete tables are in use, but by whom?"));
  }
  // Writers wait at the limit. What comes on top are memtables that wait for their flush already,
  // what each start makes of the logs it finds, and the tables of one ingestion.
  const int tables_max =
      options.l0_stop_tables + options.immutable_memtables_max + starts_ + kIngestedFilesMax + 2;
  for (const auto& levels : statistics.levels) {
    if (levels[0].tables > tables_max) {
      Fail(Concat("level 0 has ", levels[0].tables, " tables, more than ", tables_max));
    }
  }
}

void Session::CheckWholeSize(ColumnFamilyId column_family, uint64_t size) {
  const Statistics statistics = db_->GetStatistics();
  uint64_t table_bytes = 0;
  for (const LevelStatistics& level : statistics.levels[column_family]) table_bytes += level.bytes;
  if (size < table_bytes || size > table_bytes + statistics.memtable_bytes) {
    Fail(Concat("everything has ", size, " bytes, but tables have ", table_bytes, " and memtables ",
                statistics.memtable_bytes));
  }
}

void Session::CheckNoFileIsLeft() {
  background_.RunUntilIdle();
  const Statistics statistics = db_->GetStatistics();
  int expected = 0;
  for (const auto& levels : statistics.levels) {
    for (const LevelStatistics& level : levels) expected += level.tables;
  }
  int tables = 0, logs = 0, manifests = 0;
  for (const std::string& path : disk_.files()) {
    if (DirectoryOf(path) != kDirectory) continue;  // of a checkpoint
    const auto file = ParseFileName(path.substr(DirectoryOf(path).size() + 1));
    if (!file) continue;
    tables += file->type == FileType::kTable;
    logs += file->type == FileType::kLog;
    manifests += file->type == FileType::kManifest;
  }
  if (tables != expected || logs != 1 || manifests != 1) {
    Fail(Concat("files are left over: there are ", tables, " tables, of which ", expected,
                " are in use, ", logs, " logs and ", manifests, " manifests"));
  }
}

// A checkpoint that was acknowledged is there; one that was not is there as a whole, or can still
// be made, whatever is left of the attempt.
void Session::CheckCheckpoints() {
  for (const Checkpoint& checkpoint : checkpoints_) {
    const bool there = disk_.Exists(checkpoint.directory);
    if (!there && checkpoint.acknowledged) Fail(Concat(checkpoint.directory, " is gone"));
    if (!there && !Succeeded("Checkpoint()", db_->Checkpoint(checkpoint.directory))) return;
    CheckContent(checkpoint.directory, there ? checkpoint.state : model_.now());
    if (disk_.Exists(checkpoint.directory + ".tmp")) {
      Fail(Concat(checkpoint.directory, ".tmp is left over"));
    }
    if (!failure_.empty()) return;
  }
}

void Session::CheckContent(const std::string& directory, const State& expected) {
  Options options = DiskOptions();
  options.create_if_missing = false;
  const auto db = DB::Open(options, directory);
  if (!Succeeded("Open() of a checkpoint", db.status())) return;
  const auto found = ReadForward(**db);
  if (!Succeeded("a scan of a checkpoint", found.status())) return;
  if (*found != expected) Fail(Concat(directory, ": ", Difference(expected, *found)));
}

absl::StatusOr<State> Session::ReadForward(DB& db) {
  State state(kColumnFamilies);
  for (ColumnFamilyId id = 0; id < kColumnFamilies; ++id) {
    const auto it = db.NewIterator({}, id);
    std::optional<std::string> before;
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      const std::string key(it->key());
      if (before && *before >= key) return DataLoss("the scan comes to ", Quote(key), " twice");
      before = key;
      state[id].emplace(key, it->value());
    }
    TKV_RETURN_IF_ERROR(it->status());
  }
  return state;
}

absl::StatusOr<State> Session::ReadBackward() {
  State state(kColumnFamilies);
  for (ColumnFamilyId id = 0; id < kColumnFamilies; ++id) {
    const auto it = db_->NewIterator({}, id);
    std::optional<std::string> before;
    for (it->SeekToLast(); it->Valid(); it->Prev()) {
      const std::string key(it->key());
      if (before && *before <= key) return DataLoss("the scan comes to ", Quote(key), " twice");
      before = key;
      state[id].emplace(key, it->value());
    }
    TKV_RETURN_IF_ERROR(it->status());
  }
  return state;
}

}  // namespace tinykv::lsm::grading
