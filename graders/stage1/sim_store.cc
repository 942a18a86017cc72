#include "graders/stage1/sim_store.h"

#include <string>

#include "common/status.h"

namespace tinykv::grading {
namespace {

constexpr char kPath[] = "data";

}  // namespace

SimStore::SimStore(const SimStoreOptions& options)
    : options_(options),
      random_(options.seed),
      actors_(clock_, random_.Fork()),
      background_(clock_, random_.Fork()) {}

SimStore::~SimStore() {
  // Whatever still runs is cut off, so that nothing waits for a disk that may be broken.
  if (storage_ != nullptr) End(Crash::kProcess);
}

absl::Status SimStore::Load(const Content& content) {
  TKV_ASSIGN_OR_RETURN(const auto db, OpenEngine());
  size_t pairs = 0;
  for (const auto& [place, value] : content) {
    lsm::WriteBatch batch;
    batch.Put(static_cast<lsm::ColumnFamilyId>(place.first), place.second, value);
    TKV_RETURN_IF_ERROR(db->Write({}, batch));
    if (++pairs == content.size() / 2) TKV_RETURN_IF_ERROR(db->Flush());
  }
  return db->Close();
}

absl::Status SimStore::Start() {
  ended_ = false;
  TKV_ASSIGN_OR_RETURN(storage_, StandaloneStorage::Open({.engine = EngineOptions(),
                                                          .writer = &actors_,
                                                          .sync_writes = options_.sync_writes},
                                                         kPath));
  return absl::OkStatus();
}

bool SimStore::RunOne() {
  const bool background_first = background_.ready_count() > 0 && random_.OneIn(4);
  if (background_first) return background_.RunOne();
  return actors_.RunOne() || background_.RunOne();
}

absl::Status SimStore::Stop() {
  absl::Status status = storage_->Close();
  storage_.reset();
  return status;
}

void SimStore::End(Crash crash) {
  ended_ = true;
  disk_.Halt();
  while (actors_.RunOne()) {
  }
  storage_.reset();
  background_.Clear();
  if (crash == Crash::kPower) {
    disk_.Crash(random_);
  } else {
    disk_.KillProcess();
  }
}

absl::StatusOr<Content> SimStore::ReadEngine() {
  disk_.SetFaults({});
  TKV_ASSIGN_OR_RETURN(const auto db, OpenEngine());
  Content content;
  for (size_t id = 0; id < kColumnFamilyNames.size(); ++id) {
    const auto iterator = db->NewIterator({}, static_cast<lsm::ColumnFamilyId>(id));
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      const Place place{static_cast<ColumnFamily>(id), std::string(iterator->key())};
      content.emplace(place, iterator->value());
    }
    TKV_RETURN_IF_ERROR(iterator->status());
  }
  return content;
}

lsm::Options SimStore::EngineOptions() {
  lsm::Options engine{.file_system = &disk_, .background = &background_};
  if (options_.small_tables) {
    engine.memtable_bytes = 600;
    engine.block_bytes = 64;
    engine.table_bytes = 1 << 10;
    engine.l0_compact_tables = 2;
    engine.level_bytes_base = 1 << 10;
  }
  return engine;
}

absl::StatusOr<std::unique_ptr<lsm::DB>> SimStore::OpenEngine() {
  lsm::Options engine = EngineOptions();
  engine.column_families.assign(kColumnFamilyNames.begin(), kColumnFamilyNames.end());
  return lsm::DB::Open(engine, kPath);
}

}  // namespace tinykv::grading
