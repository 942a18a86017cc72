#include "stage2-raftkv/raftstore/peer.h"

#include <utility>

#include "common/check.h"
#include "common/log.h"
#include "common/random.h"
#include "common/status.h"
#include "common/storage/region_error.h"
#include "common/your_code_here.h"
#include "stage2-raftkv/raft/check_message.h"
#include "stage2-raftkv/raft/wire.h"
#include "stage2-raftkv/raftstore/compact_log.h"
#include "stage2-raftkv/raftstore/region.h"

namespace tinykv::raftstore {
namespace {

raft::RaftOptions OptionsOf(const StoreOptions& options, const metapb::Peer& self) {
  raft::RaftOptions raft = options.raft;
  raft.id = self.id();
  raft.random_seed = options.random_seed + self.id();
  return raft;
}

std::optional<Rejoin> RejoinOf(const StoreOptions& options, const LoadedPeer& loaded,
                               const metapb::Peer& self) {
  if (!loaded.rejoin) return std::nullopt;
  raft::Membership others = loaded.raft.members;
  others.erase(self.id());
  return Rejoin(loaded.region.id(), *loaded.rejoin, std::move(others),
                Random(options.random_seed).Next());
}

constexpr uint64_t kSnapshotRetryTicks = 5;
constexpr uint64_t kSnapshotInstallTicks = 20;
constexpr uint64_t kSnapshotKeptTicks = 20;

}  // namespace

Peer::Peer(const PeerServices& services, LoadedPeer loaded)
    : services_(services),
      region_(loaded.region),
      self_(*FindPeerOnStore(region_, services.options.store_id)),
      node_(OptionsOf(services.options, self_), loaded.raft, services.clock),
      storage_(region_.id(), loaded),
      rejoin_(RejoinOf(services.options, loaded, self_)),
      applied_{.index = loaded.apply_state.applied_index(), .term = loaded.applied_term},
      // A crash may have kept what was to be deleted.
      delete_log_to_(loaded.apply_state.truncated_state().index()) {
  services_.applier.Add(
      {.region = region_, .state = loaded.apply_state, .applied_term = loaded.applied_term});
  PublishView();
}

Peer::~Peer() = default;

// ---- what comes in ----

void Peer::Step(Incoming incoming) {
  if (incoming.to.id() != self_.id()) return;
  if (IsAboutRejoin(incoming.message.type)) return StepRejoin(incoming.message);
  if (rejoin_ && !rejoin_->Admits(incoming.message.type)) return;
  const bool is_snapshot = incoming.message.type == raft::MessageType::kSnapshot;
  if (is_snapshot && (!incoming.message.snapshot || incoming.files == nullptr)) return;
  const absl::Status status = node_.Step(incoming.message);
  if (!status.ok()) {
    log::Warning("refused a raft message", {{"region", region_.id()}, {"error", status}});
  }
  // The log begins behind a snapshot that is wanted; the files of any other are removed here.
  if (is_snapshot && core().log().boundary() == incoming.message.snapshot->last) {
    received_.push_back({incoming.message.snapshot->last, std::move(incoming.files)});
  }
}

void Peer::Tick() {
  ++tick_;
  if (rejoin_) {
    TickRejoin();
  } else {
    node_.Tick();
  }
  TickSnapshots();
  compaction_proposed_ = false;  // or it got lost
  MaybeCompactLog(log_bytes_.Count(core().log(), applied_.index));
  // A leader that is well answers by itself; for the others, nobody may ever.
  if (IsLeader() || tick_ <= services_.options.patience_ticks) return;
  const uint64_t oldest = tick_ - services_.options.patience_ticks;
  proposals_.GiveUp(oldest, "this peer lost the leadership, and nothing is heard of the command");
  reads_.GiveUp(oldest, NotLeader(region_.id(), Leader()));
}

void Peer::StepRejoin(const raft::Message& message) {
  if (const absl::Status status = raft::CheckMessage(message, core()); !status.ok()) {
    log::Warning("refused a message", {{"region", region_.id()}, {"error", status}});
  } else if (message.type == raft::MessageType::kAskTerm) {
    // Whoever has forgotten its own promises cannot tell of others'.
    if (!rejoin_) Send(AnswerTo(message, core()));
  } else if (rejoin_ && rejoin_->OnAnswer(message, core())) {
    node_.EnterTerm(rejoin_->above_term() + 1);
  }
}

// Without a tick of its node, it never campaigns.
void Peer::TickRejoin() {
  for (const raft::Message& question : rejoin_->Tick(core())) Send(question);
}

void Peer::Propose(Command command) {
  // >>> SOLUTION 2B-propose: refuse what this peer may not do; the rest goes into the log
  const absl::Status status = CheckCommand(command.request);
  if (!status.ok()) return command.done(status);
  proposing_.push_back(std::move(command));
  // <<< SOLUTION
}

void Peer::ProposeAll() {
  if (proposing_.empty()) return;
  std::vector<Command> commands = std::exchange(proposing_, {});
  std::vector<raft::Payload> data;
  data.reserve(commands.size());
  for (Command& command : commands) data.emplace_back(std::move(command.data));
  // >>> SOLUTION 2B-propose-all: remember under which index and term each command is in the log
  raft::EntryId id{.index = core().log().last_index(), .term = core().term()};
  const absl::Status status = node_.Propose(raft::EntryType::kNormal, std::move(data));
  for (Command& command : commands) {
    ++id.index;
    if (status.ok()) {
      proposals_.Add(id, tick_, std::move(command.done));
    } else {
      command.done(IsLeader() ? ServerIsBusy(MessageOf(status))
                              : NotLeader(region_.id(), Leader()));
    }
  }
  // <<< SOLUTION
}

void Peer::AskToRead(Read read) {
  if (const absl::Status status = CheckHeader(read.header); !status.ok()) return read.done(status);
  const uint64_t number = reads_.Add(tick_, std::move(read.done));
  const absl::Status status = node_.ReadIndex(number);
  if (!status.ok()) reads_.Refuse(number, ServerIsBusy(MessageOf(status)));
}

void Peer::OnApplied(const Applied& applied) {
  applied_ = applied.last;
  while (!backlog_.empty() && backlog_.begin()->first <= applied_.index) {
    apply_backlog_bytes_ -= backlog_.begin()->second;
    backlog_.erase(backlog_.begin());
  }
  if (applied.description) region_ = *applied.description;
  if (applied.snapshot) {
    TKV_CHECK(stage_ == Stage::kInstalling);
    stage_ = Stage::kInstalled;
    // What became of the commands that it jumps over, this peer will never know.
    if (CommandDone done = proposals_.Take(applied.last)) done(absl::OkStatus());
  }
  if (applied.truncated) {
    node_.CompactTo(applied.truncated->index);
    delete_log_to_ = applied.truncated->index;
    compaction_proposed_ = false;
  }
  MaybeCompactLog(0);  // how many bytes they are, is counted once a tick
  reads_.Serve(applied_.index, region_);
}

// ---- what goes out ----

bool Peer::HasWork() const {
  if (!proposing_.empty() || delete_log_to_ > 0) return true;
  switch (stage_) {
    case Stage::kNone:
      return node_.HasReady() && apply_backlog_bytes_ < services_.options.apply_backlog_bytes_max;
    case Stage::kInstalled:
      return true;
    case Stage::kInstalling:
    case Stage::kWriting:
      return false;
  }
  return false;
}

bool Peer::BeginWrite(lsm::WriteBatch& batch, bool* must_sync) {
  ProposeAll();
  if (delete_log_to_ > 0) storage_.DeleteLogTo(std::exchange(delete_log_to_, 0), batch);
  if (!HasWork()) {
    PublishView();
    return false;
  }
  if (stage_ == Stage::kNone) {
    ready_ = node_.TakeReady();
    PublishView();
    if (ready_.snapshot) {
      stage_ = Stage::kInstalling;
      Install();
      return false;  // it goes on once the data is in place
    }
    received_.clear();
  }
  stage_ = Stage::kWriting;
  storage_.SaveReady(ready_, batch);
  if (rejoin_ && rejoin_->Save(ready_, batch)) rejoin_.reset();
  *must_sync = *must_sync || ready_.must_sync;
  // >>> SOLUTION 2B-send-early: what promises nothing need not wait for the disk
  for (const raft::Message& message : ready_.messages) {
    if (raft::MaySendBeforeSync(message)) Send(message);
  }
  // <<< SOLUTION
  HandOverCommitted();
  return true;
}

void Peer::EndWrite() {
  TKV_CHECK(stage_ == Stage::kWriting);
  // >>> SOLUTION 2B-send-late: what was promised is on disk now
  for (const raft::Message& message : ready_.messages) {
    if (!raft::MaySendBeforeSync(message)) Send(message);
  }
  // <<< SOLUTION
  for (const raft::ReadState& read : ready_.reads) reads_.Confirm(read);
  for (const uint64_t number : ready_.refused_reads) {
    reads_.Refuse(number, NotLeader(region_.id(), Leader()));
  }
  reads_.Serve(applied_.index, region_);
  if (ready_.snapshot_wanted) WantSnapshot();
  node_.Advance(ready_);
  ready_ = {};
  stage_ = Stage::kNone;
}

void Peer::HandOverCommitted() {
  if (ready_.committed.empty()) return;
  ApplyEntries apply{.region = region_.id()};
  uint64_t bytes = 0;
  for (raft::Entry& entry : ready_.committed) {
    bytes += raft::SizeOf(entry);
    CommandDone done = proposals_.Take({.index = entry.index, .term = entry.term});
    apply.entries.push_back({entry, std::move(done)});
  }
  apply_backlog_bytes_ += bytes;
  backlog_[ready_.committed.back().index] = bytes;
  services_.applier.Apply(std::move(apply));
}

void Peer::Install() {
  const raft::Snapshot& snapshot = *ready_.snapshot;
  raft_serverpb::RaftSnapshotData data;
  TKV_CHECK(
      data.ParseFromArray(snapshot.data.view().data(), static_cast<int>(snapshot.data.size())) &&
      "who received it has looked at it");
  ApplySnapshot apply{.region = data.region(), .last = snapshot.last};
  for (const ReceivedFiles& received : received_) {
    if (received.last == snapshot.last) apply.files = received.files;
  }
  received_.clear();
  TKV_CHECK(apply.files != nullptr && "a snapshot comes with its files");
  services_.applier.Apply(std::move(apply));
}

void Peer::Send(const raft::Message& message) {
  raft_serverpb::RaftMessage out;
  const metapb::Peer* to = FindPeer(region_, message.to);
  if (to == nullptr) return;
  out.set_region_id(region_.id());
  *out.mutable_from_peer() = self_;
  *out.mutable_to_peer() = *to;
  *out.mutable_region_epoch() = region_.region_epoch();
  *out.mutable_message() = raft::ToWire(message);
  if (message.type == raft::MessageType::kSnapshot) {
    SendSnapshot(std::move(out));
  } else {
    // What is lost, Raft sends again.
    services_.transport.Send(to->store_id(), out.SerializeAsString()).IgnoreError();
  }
}

// ---- snapshots for others ----

void Peer::WantSnapshot() {
  // One that was made before serves as long as the log goes on from it.
  if (built_ && built_->snapshot.last.index >= core().log().boundary().index) {
    node_.ProvideSnapshot(built_->snapshot);
  } else if (!building_ && services_.room.MayPropose().ok()) {  // or it is asked for again
    building_ = true;
    services_.build_snapshot(region_.id());
  }
}

void Peer::SnapshotBuilt(absl::StatusOr<BuiltSnapshot> built) {
  building_ = false;
  if (!built.ok()) {
    log::Error("no snapshot", {{"region", region_.id()}, {"error", built.status()}});
    return;  // it is still wanted, so the next Ready asks again
  }
  built_ = *std::move(built);
  built_at_tick_ = tick_;
  node_.ProvideSnapshot(built_->snapshot);
}

void Peer::SendSnapshot(raft_serverpb::RaftMessage message) {
  const raft::PeerId to = message.to_peer().id();
  const StoreId store = message.to_peer().store_id();
  const RegionId region = region_.id();
  if (!built_ || built_->snapshot.last.index != message.message().snapshot().metadata().index()) {
    return node_.ReportSnapshotFailure(to);
  }
  ++transfers_[to];
  services_.transport.Transfer(store, services_.snapshots.Send(std::move(message), *built_),
                               [ended = services_.transfer_ended, region, to](absl::Status status) {
                                 ended(region, to, std::move(status));
                               });
}

void Peer::TransferEnded(raft::PeerId to, const absl::Status& status) {
  if (--transfers_[to] == 0) transfers_.erase(to);
  if (status.ok()) {
    // The peer says itself when it is in place; if that gets lost, it is asked.
    ask_again_[to] = tick_ + kSnapshotInstallTicks;
    return;
  }
  log::Warning("a snapshot did not arrive",
               {{"region", region_.id()}, {"peer", to}, {"error", status}});
  // Not at once: the reason may still be there.
  ask_again_[to] = tick_ + kSnapshotRetryTicks;
}

void Peer::TickSnapshots() {
  for (const auto& [peer, count] : transfers_) node_.NoteSnapshotAlive(peer);
  std::erase_if(ask_again_, [this](const auto& due) {
    if (tick_ < due.second) return false;
    node_.ReportSnapshotFailure(due.first);
    return true;
  });
  // Its files are kept for others who may want it, for a while.
  if (!transfers_.empty()) built_at_tick_ = tick_;
  if (built_ && tick_ - built_at_tick_ >= kSnapshotKeptTicks) built_.reset();
}

// ---- what a peer may do ----

const metapb::Peer* Peer::Leader() const { return FindPeer(region_, core().leader()); }

absl::Status Peer::CheckHeader(const raft_cmdpb::RaftRequestHeader& header) const {
  if (!IsLeader()) return NotLeader(region_.id(), Leader());
  if (header.has_peer() && header.peer().id() != self_.id()) {
    return NotLeader(region_.id(), &self_);  // an older incarnation of this peer was meant
  }
  // A term that is older by one may only lack the news of an election that changed nothing.
  if (header.term() > 0 && core().term() > header.term() + 1) {
    return StaleCommand(Concat("the request knows term ", header.term(), ", the region is in term ",
                               core().term()));
  }
  return CheckVersion(header, region_);
}

absl::Status Peer::CheckCommand(const raft_cmdpb::RaftCmdRequest& request) const {
  TKV_RETURN_IF_ERROR(CheckHeader(request.header()));
  TKV_RETURN_IF_ERROR(CheckEpoch(request, region_));
  if (!request.has_admin_request()) return CheckKeys(request, region_);
  const auto handler = services_.handlers.find(request.admin_request().cmd_type());
  if (handler == services_.handlers.end()) {
    return Unimplemented("admin command ", request.admin_request().cmd_type(),
                         " is unknown to this store");
  }
  return handler->second.propose(core(), request.admin_request());
}

void Peer::MaybeCompactLog(uint64_t log_bytes) {
  if (!IsLeader() || compaction_proposed_) return;
  const auto wanted = WantedCompaction(core(), applied_.index, log_bytes, services_.options.log);
  if (!wanted) return;
  compaction_proposed_ = true;
  Command command;
  *command.request.mutable_admin_request() = CompactLogRequest(*wanted);
  command.data = command.request.SerializeAsString();
  command.done = [](const absl::Status&) {};
  Propose(std::move(command));
}

void Peer::GiveUp(std::string_view why) {
  for (Command& command : std::exchange(proposing_, {})) {
    command.done(NotLeader(region_.id(), nullptr));
  }
  proposals_.GiveUp(~uint64_t{0}, why);
  reads_.RefuseAll(NotLeader(region_.id(), nullptr));
}

// The lease counts only once an entry of this leader's own is applied: what earlier leaders have
// acknowledged comes before it.
void Peer::PublishView() {
  if (view_ == nullptr || view_->term != core().term() ||
      view_->description.region_epoch().version() != region_.region_epoch().version() ||
      view_->description.region_epoch().conf_ver() != region_.region_epoch().conf_ver()) {
    view_ = std::make_shared<RegionView>(region_, self_, core().term());
    services_.views.Replace(view_);
  }
  const auto lease = core().LeaseEnd();
  const bool may_read = IsLeader() && lease && applied_.term == core().term();
  view_->SetLease(may_read ? *lease : Duration(0));
}

}  // namespace tinykv::raftstore
