#include "stage2-raftkv/raftstore/applier.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "common/status.h"
#include "common/your_code_here.h"
#include "stage2-raftkv/raftstore/region.h"
#include "stage2-raftkv/raftstore/write_command.h"

namespace tinykv::raftstore {
namespace {

// Grows with every change of the region.
uint64_t EpochSum(const metapb::Region& region) {
  return region.region_epoch().conf_ver() + region.region_epoch().version();
}

}  // namespace

struct Applier::Round {
  struct Answer {
    CommandDone done;
    absl::Status status;
  };
  lsm::WriteBatch batch = {};
  std::vector<Answer> answers = {};
  std::map<RegionId, Applied> touched = {};
};

Applier::Applier(lsm::DB& kv, const AdminHandlers& handlers, Executor& executor, Listener listener)
    : kv_(kv),
      handlers_(handlers),
      listener_(std::move(listener)),
      inbox_(std::make_shared<Inbox<Message>>(
          executor, [this](std::vector<Message> messages) { Handle(std::move(messages)); })) {}

Applier::~Applier() { Close(); }

void Applier::Add(AppliedRegion region) { inbox_->Post(std::move(region)); }
void Applier::Apply(ApplyEntries entries) { inbox_->Post(std::move(entries)); }
void Applier::Apply(ApplySnapshot snapshot) { inbox_->Post(std::move(snapshot)); }
void Applier::Capture(CaptureRegion capture) { inbox_->Post(std::move(capture)); }
void Applier::Close() { inbox_->Close(); }

void Applier::Handle(std::vector<Message> messages) {
  Round round;
  for (Message& message : messages) {
    if (auto* entries = std::get_if<ApplyEntries>(&message)) {
      ApplyAll(*entries, round);
      continue;
    }
    Finish(round);  // the others are about what is written
    if (auto* region = std::get_if<AppliedRegion>(&message)) {
      regions_[region->region.id()] = std::move(*region);
    } else if (auto* snapshot = std::get_if<ApplySnapshot>(&message)) {
      Ingest(std::move(*snapshot));
    } else if (auto* capture = std::get_if<CaptureRegion>(&message)) {
      if (error_.ok()) capture->take(regions_.at(capture->region), kv_.NewSnapshot());
    }
  }
  Finish(round);
}

void Applier::ApplyAll(ApplyEntries& entries, Round& round) {
  if (!error_.ok()) {
    for (ApplyEntries::Committed& committed : entries.entries) {
      if (committed.done) committed.done(error_);
    }
    return;
  }
  AppliedRegion& region = regions_.at(entries.region);
  const raft::Index truncated = region.state.truncated_state().index();
  const uint64_t epoch = EpochSum(region.region);
  for (ApplyEntries::Committed& committed : entries.entries) {
    absl::Status status = ApplyEntry(committed.entry, region, round);
    if (committed.done) round.answers.push_back({std::move(committed.done), std::move(status)});
  }
  round.batch.Put(kMetaFamily, ApplyStateKey(entries.region), region.state.SerializeAsString());

  Applied& applied = round.touched[entries.region];
  applied.region = entries.region;
  applied.last = {.index = region.state.applied_index(), .term = region.applied_term};
  if (region.state.truncated_state().index() != truncated) {
    applied.truncated = {.index = region.state.truncated_state().index(),
                         .term = region.state.truncated_state().term()};
  }
  if (EpochSum(region.region) != epoch) applied.description = region.region;
}

absl::Status Applier::ApplyEntry(const raft::Entry& entry, AppliedRegion& region, Round& round) {
  TKV_CHECK(entry.index == region.state.applied_index() + 1 && "entries are applied in order");
  region.state.set_applied_index(entry.index);
  region.applied_term = entry.term;
  if (entry.data.empty()) return absl::OkStatus();  // the no-op of a new leader
  raft_cmdpb::RaftCmdRequest command;
  const std::string_view data = entry.data.view();
  TKV_CHECK(command.ParseFromArray(data.data(), static_cast<int>(data.size())) &&
            "what is proposed is a command");
  lsm::WriteBatch effect;
  TKV_RETURN_IF_ERROR(
      ApplyCommand({.index = entry.index, .term = entry.term}, command, region, effect));
  round.batch.Append(effect);
  return absl::OkStatus();
}

// The epoch and the keys were checked before the command was proposed. They are again, since what
// was committed in between may have changed the region; then every peer refuses it alike.
absl::Status Applier::ApplyCommand(const raft::EntryId& id,
                                   const raft_cmdpb::RaftCmdRequest& command, AppliedRegion& region,
                                   lsm::WriteBatch& batch) {
  // >>> SOLUTION 2B-apply: all of the command goes into the batch, or nothing does
  TKV_RETURN_IF_ERROR(CheckEpoch(command, region.region));
  if (command.has_admin_request()) {
    const auto handler = handlers_.find(command.admin_request().cmd_type());
    if (handler == handlers_.end()) {
      return Unimplemented("admin command ", command.admin_request().cmd_type(),
                           " is unknown to this store");
    }
    return handler->second.apply(id, command.admin_request(), region, batch);
  }
  TKV_RETURN_IF_ERROR(CheckKeys(command, region.region));
  return AddWrites(command, batch);
  // <<< SOLUTION
}

void Applier::Finish(Round& round) {
  if (round.touched.empty()) return;
  const absl::Status status = Write(round);
  for (Round::Answer& answer : round.answers) {
    answer.done(status.ok() ? answer.status : status);
  }
  if (status.ok()) {
    for (auto& [region, applied] : round.touched) listener_.applied(std::move(applied));
  } else {
    Fail(status);
  }
  round = {};
}

absl::Status Applier::Write(const Round& round) {
  TKV_RETURN_IF_ERROR(kv_.Write({.sync = false}, round.batch));
  const bool is_truncated =
      std::any_of(round.touched.begin(), round.touched.end(),
                  [](const auto& entry) { return entry.second.truncated.has_value(); });
  return is_truncated ? PrepareTruncation() : absl::OkStatus();
}

absl::Status Applier::PrepareTruncation() {
  // >>> SOLUTION 2C-durable: a crash must not lose what the log can no longer bring back
  return kv_.SyncLog();
  // <<< SOLUTION
}

void Applier::Ingest(ApplySnapshot snapshot) {
  if (!error_.ok()) return;
  const absl::Status status = Replace(snapshot, regions_[snapshot.region.id()]);
  if (!status.ok()) return Fail(status);
  listener_.applied({.region = snapshot.region.id(),
                     .last = snapshot.last,
                     .description = snapshot.region,
                     .snapshot = true});
}

absl::Status Applier::Replace(const ApplySnapshot& snapshot, AppliedRegion& region) {
  // >>> SOLUTION 2C-apply-snapshot: old data out, new data in, and what says so, in one moment
  region.region = snapshot.region;
  region.applied_term = snapshot.last.term;
  region.state.set_applied_index(snapshot.last.index);
  region.state.mutable_truncated_state()->set_index(snapshot.last.index);
  region.state.mutable_truncated_state()->set_term(snapshot.last.term);
  raft_serverpb::RegionLocalState local;
  *local.mutable_region() = snapshot.region;

  lsm::Ingestion ingestion{.files = snapshot.files->files()};
  for (lsm::ColumnFamilyId id = 0; id < kColumnFamilyNames.size(); ++id) {
    ingestion.cleared.push_back(
        {.column_family = id, .begin = region.region.start_key(), .end = EndOf(region.region)});
  }
  ingestion.batch.Put(kMetaFamily, RegionStateKey(region.region.id()), local.SerializeAsString());
  ingestion.batch.Put(kMetaFamily, ApplyStateKey(region.region.id()),
                      region.state.SerializeAsString());
  return kv_.Ingest(std::move(ingestion));
  // <<< SOLUTION
}

void Applier::Fail(absl::Status status) {
  error_ = status;
  listener_.failed(std::move(status));
}

}  // namespace tinykv::raftstore
