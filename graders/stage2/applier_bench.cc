#include "graders/stage2/applier_bench.h"

#include <utility>

#include "common/status.h"
#include "common/storage/column_family.h"
#include "graders/stage2/store_process.h"

namespace tinykv::grading {

std::string ToString(const KvContent& content) {
  if (content.empty()) return "nothing";
  std::string text;
  for (const auto& [place, value] : content) {
    text += Concat(text.empty() ? "" : "; ", place, " = ", value);
  }
  return text;
}

ApplierBench::ApplierBench(uint64_t seed, const raftstore::AdminHandlers& handlers)
    : random_(seed), executor_(clock_, random_.Fork()), handlers_(handlers) {}

lsm::Options ApplierBench::options() {
  return StoreEngineOptions(disk_, executor_, true, raftstore::KvColumnFamilies());
}

absl::Status ApplierBench::Open() {
  TKV_ASSIGN_OR_RETURN(kv_, lsm::DB::Open(options(), kKvFolder));
  return absl::OkStatus();
}

void ApplierBench::Start(raftstore::AppliedRegion region, raftstore::Applier::Listener listener) {
  applier_ = std::make_unique<raftstore::Applier>(*kv_, handlers_, executor_, std::move(listener));
  applier_->Add(std::move(region));
}

void ApplierBench::Work() {
  while (executor_.RunOne()) {
  }
}

void ApplierBench::FailPower() {
  disk_.Halt();
  applier_.reset();
  kv_.reset();
  executor_.Clear();
  disk_.Crash(random_);
}

absl::StatusOr<KvContent> ApplierBench::Content() {
  KvContent content;
  for (lsm::ColumnFamilyId family = 0; family < kColumnFamilyNames.size(); ++family) {
    const auto iterator = kv_->NewIterator({}, family);
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      content[Concat(kColumnFamilyNames[family], ' ', iterator->key())] = iterator->value();
    }
    TKV_RETURN_IF_ERROR(iterator->status());
  }
  return content;
}

absl::StatusOr<raft_serverpb::RaftApplyState> ApplierBench::ApplyState(raftstore::RegionId region) {
  raft_serverpb::RaftApplyState state;
  TKV_ASSIGN_OR_RETURN(const auto stored,
                       kv_->Get({}, raftstore::kMetaFamily, raftstore::ApplyStateKey(region)));
  if (stored && !state.ParseFromString(*stored)) return DataLoss("the apply state is damaged");
  return state;
}

}  // namespace tinykv::grading
