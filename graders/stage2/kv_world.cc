#include "graders/stage2/kv_world.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "common/status.h"
#include "common/strings.h"
#include "graders/sim/transfer_frame.h"
#include "graders/stage1/check_history.h"
#include "graders/stage2/offer_trace.h"
#include "graders/task/trace_request.h"
#include "stage2-raftkv/raft/wire.h"
#include "stage2-raftkv/raftstore/region.h"

namespace tinykv::grading {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kLivenessLimit = seconds(60);
// Twice the patience of a store with commands of which it hears nothing.
constexpr Duration kAnswerLimit = seconds(10);
constexpr Duration kTick = milliseconds(100);
using std::chrono::microseconds;
constexpr Duration kOperation = microseconds(10);
constexpr uint64_t kEventsMax = 3'000'000;
constexpr size_t kEventsShown = 60;
constexpr uint64_t kDiskReserveBytes = 256 << 10;
// An admin command of the graders' own.
constexpr auto kBump = static_cast<raft_cmdpb::AdminCmdType>(77);

raftstore::AdminHandler BumpHandler() {
  return {.propose = [](const raft::RaftCore&,
                        const raft_cmdpb::AdminRequest&) { return absl::OkStatus(); },
          .apply =
              [](const raft::EntryId&, const raft_cmdpb::AdminRequest&,
                 raftstore::AppliedRegion& region, lsm::WriteBatch& batch) {
                metapb::RegionEpoch& epoch = *region.region.mutable_region_epoch();
                epoch.set_conf_ver(epoch.conf_ver() + 1);
                raft_serverpb::RegionLocalState local;
                *local.mutable_region() = region.region;
                batch.Put(raftstore::kMetaFamily, raftstore::RegionStateKey(region.region.id()),
                          local.SerializeAsString());
                return absl::OkStatus();
              }};
}

std::string DescribeMessage(std::string_view bytes) {
  raft_serverpb::RaftMessage message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return "?";
  return raft::ToString(raft::FromWire(message.message()));
}

// All that clients can read there, as text.
absl::StatusOr<std::vector<std::string>> ContentOf(lsm::DB& kv) {
  std::vector<std::string> content;
  for (lsm::ColumnFamilyId family = 0; family < kColumnFamilyNames.size(); ++family) {
    const auto iterator = kv.NewIterator({}, family);
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      content.push_back(
          Concat(kColumnFamilyNames[family], ' ', iterator->key(), " = ", iterator->value()));
    }
    TKV_RETURN_IF_ERROR(iterator->status());
  }
  return content;
}

bool HasDiskFaults(const KvPlan& plan) {
  return std::any_of(plan.faults.begin(), plan.faults.end(), [](const WorldFault& fault) {
    return fault.kind == WorldFault::Kind::kFullDisk || fault.kind == WorldFault::Kind::kBadDisk;
  });
}

std::string FirstDifference(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const std::string left = i < a.size() ? a[i] : "nothing more";
    const std::string right = i < b.size() ? b[i] : "nothing more";
    if (left != right) return Concat(left, " and ", right);
  }
  return "none";
}

}  // namespace

KvWorld::KvWorld(const KvPlan& plan, bool keep_trace)
    : plan_(plan),
      world_({.seed = plan.seed, .keep_trace = keep_trace}),
      faults_(world_, plan.stores),
      clients_(world_, plan_,
               {.find =
                    [this](uint64_t store) {
                      return world_.IsUp(store) ? processes_.at(store) : nullptr;
                    },
                .may_fail = [this](uint64_t) { return !is_mended_; }}) {
  world_.network().SetDescriber(DescribeMessage);
  faults_.SetWipe([this](uint64_t store) { return MayWipe(store); },
                  [this](uint64_t store) { wiped_ = store; });
  AddStores();
}

KvWorld::~KvWorld() {
  for (const auto& [store, process] : processes_) {
    if (world_.IsUp(store)) world_.Crash(store, sim::CrashKind::kProcess);
  }
}

StoreSetup KvWorld::SetupOf() const {
  StoreSetup setup{.options = {.cluster_id = 9}, .small_tables = plan_.small_tables};
  setup.rejoin = plan_.wipes();
  if (plan_.disk_reserve) setup.disk_reserve_bytes = kDiskReserveBytes;
  setup.options.random_seed = plan_.seed * 31;
  setup.options.tick_interval = kTick;
  if (plan_.lease) setup.options.raft.lease = {.tick_interval = kTick};
  if (plan_.log_entries_max > 0) setup.options.log.entries_max = plan_.log_entries_max;
  setup.handlers[raft_cmdpb::CompactLog] = raftstore::CompactLogHandler();
  setup.handlers[kBump] = BumpHandler();
  for (uint64_t store = 1; store <= plan_.stores; ++store) setup.stores.push_back(store);
  return setup;
}

void KvWorld::AddStores() {
  const StoreSetup setup = SetupOf();
  sim::SimClock clock;
  sim::SimExecutor background(clock, Random(plan_.seed));
  for (const uint64_t store : setup.stores) {
    const auto drift = static_cast<int64_t>(plan_.drift_percent) * 10'000;
    const auto drawn = drift == 0 ? 0 : world_.random().Uniform(2 * static_cast<uint64_t>(drift));
    const auto rate = static_cast<int32_t>(static_cast<int64_t>(drawn) - drift);
    world_.AddNode({.clock_rate_ppm = rate}, [this, setup](sim::Machine& machine) {
      auto process = std::make_unique<StoreProcess>(machine, setup);
      processes_[machine.id()] = process.get();
      return process;
    });
    processes_[store] = nullptr;
    sim::SimFileSystem& disk = world_.machine(store).disk();
    const absl::Status prepared = PrepareStore(disk, background, setup, store);
    if (!prepared.ok()) prepare_error_ = prepared;
    const sim::FaultPlan healthy{.operation_delay = Duration(microseconds(plan_.write_us)),
                                 .sync_delay = milliseconds(plan_.sync_ms)};
    disk.SetFaults(healthy);
    faults_.SetDisk(healthy);
  }
}

StoreProcess* KvWorld::Working(uint64_t store) {
  if (!world_.IsUp(store)) return nullptr;
  StoreProcess* process = processes_.at(store);
  return process->error().ok() ? process : nullptr;
}

// ---- what goes on besides clients ----

void KvWorld::ScheduleBumps() {
  world_.After(milliseconds(150), [this] {
    if (is_mended_ || is_resting_) return;
    const uint64_t store = world_.random().Between(1, plan_.stores);
    if (StoreProcess* process = Working(store)) Bump(*process);
    ScheduleBumps();
  });
}

void KvWorld::Bump(StoreProcess& process) {
  process.requests().Post([this, &process] {
    raft_cmdpb::RaftCmdRequest command;
    command.mutable_header()->set_region_id(1);
    command.mutable_admin_request()->set_cmd_type(kBump);
    ++bumps_tried_;
    ++process.unanswered;
    process.store().Propose(std::move(command), [this, &process](const absl::Status& status) {
      --process.unanswered;
      if (status.ok()) ++bumps_done_;
    });
  });
}

void KvWorld::WatchNetwork() {
  world_.network().SetFilter([this](sim::NodeId from, sim::NodeId to, std::string_view message) {
    if (!sim::IsTransferFrame(message)) return IsLost(from, to, message);
    const sim::TransferFrame frame = sim::DecodeFrame(message);
    if (frame.kind == sim::TransferFrame::Kind::kBegin) {
      const bool is_first = transfers_.empty();
      transfers_[to].insert({from, frame.transfer});
      if (is_first && plan_.install_sync_ms > 0) SlowDown(to);
    }
    if (plan_.interrupt_at_change > 0 && !is_interrupted_ && !is_mended_) {
      is_interrupted_ = true;
      world_.After({}, [this, to] { CrashAtChange(to, plan_.interrupt_at_change); });
    }
    return false;
  });
}

bool KvWorld::IsLost(uint64_t from, uint64_t to, std::string_view bytes) {
  if (!plan_.first_appends_lost || is_mended_) return false;
  raft_serverpb::RaftMessage message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return false;
  if (message.message().msg_type() != eraftpb::MsgAppend) return false;
  return first_appends_.insert({message.message().term(), {from, to}}).second;
}

// The log stands still meanwhile: else it might go beyond the snapshot, and another be needed.
void KvWorld::SlowDown(uint64_t store) {
  is_resting_ = true;
  clients_.Stop();
  world_.machine(store).disk().SetFaults(
      {.operation_delay = kOperation, .sync_delay = milliseconds(plan_.install_sync_ms)});
}

void KvWorld::CrashAtChange(uint64_t store, uint32_t change) {
  sim::SimFileSystem& disk = world_.machine(store).disk();
  disk.SetFaults({.halt_at_change = change, .operation_delay = kOperation});
  world_.After(milliseconds(400), [this, store, &disk] {
    if (is_mended_ || !world_.IsUp(store)) return;
    world_.Crash(store, sim::CrashKind::kPower);
    disk.SetFaults({.operation_delay = kOperation});
    world_.Start(store);
  });
}

bool KvWorld::MayWipe(uint64_t store) {
  // The others would be no majority.
  if (plan_.stores < 3) return false;
  if (wiped_ && *wiped_ != store) {
    StoreProcess* process = Working(*wiped_);
    if (process == nullptr || process->store().peer(1)->rejoin() != nullptr) return false;
  }
  return true;
}

void KvWorld::ScheduleSupervisor() {
  world_.After(milliseconds(500), [this] {
    for (const auto& [store, process] : processes_) {
      if (!world_.IsUp(store) || world_.IsPaused(store) || faults_.DiskIsBad(store)) continue;
      if (process->error().ok() || world_.machine(store).disk().halted()) continue;
      world_.Crash(store, sim::CrashKind::kProcess);
      world_.Start(store);
      ++restarts_;
    }
    ScheduleSupervisor();
  });
}

// ---- the run ----

Result KvWorld::Found() {
  if (clients_.exception() != nullptr) std::rethrow_exception(clients_.exception());
  if (clients_.finding()) return clients_.finding();
  if (world_.events() > kEventsMax) {
    return Stuck(Concat("there is no end of events: ", kEventsMax, " by now; ", HowTheyStand()));
  }
  for (const auto& [store, process] : processes_) {
    if (process == nullptr || !world_.IsUp(store)) continue;
    const absl::Status error = process->error();
    const bool is_damage = absl::IsDataLoss(error) || absl::IsFailedPrecondition(error);
    if (is_damage) return Wrong(Concat("store ", store, " has stopped: ", MessageOf(error)));
  }
  return std::nullopt;
}

Result KvWorld::Run() {
  if (!prepare_error_.ok()) return Wrong(Concat("no new store: ", MessageOf(prepare_error_)));
  if (Result found = RunFaultyTime()) return found;
  if (Result found = RunLiveness()) return found;
  if (Result found = CheckStores()) return found;
  if (Result found = Blackout()) return found;
  return CheckHistory(clients_.recorder());
}

Result KvWorld::RunFaultyTime() {
  world_.network().SetLinks(LinksOf(plan_));
  for (const auto& [store, process] : processes_) world_.Start(store);
  faults_.Schedule(plan_.faults, plan_.faulty_ms);
  clients_.Start();
  ScheduleBumps();
  ScheduleSupervisor();
  WatchNetwork();
  world_.RunUntil([this] { return IsOver(); }, milliseconds(plan_.faulty_ms));
  return Found();
}

Result KvWorld::RunLiveness() {
  is_mended_ = true;
  faults_.SetDisk({.operation_delay = kOperation});
  faults_.MendAll();
  for (const auto& [store, process] : processes_) {
    if (Working(store) != nullptr) continue;
    world_.Crash(store, sim::CrashKind::kProcess);
    world_.Start(store);
    ++restarts_;
    const absl::Status error = processes_.at(store)->error();
    if (!error.ok()) return Wrong(Concat("store ", store, " does not start: ", MessageOf(error)));
  }
  if (is_resting_) clients_.Start();
  clients_.ExpectProgress();
  world_.RunUntil([this] { return IsOver() || clients_.all_progressed(); }, kLivenessLimit);
  if (Result found = Found()) return found;
  if (!clients_.all_progressed()) {
    return Stuck(Concat("nothing is wrong any more, and a client does not get through in ",
                        kLivenessLimit / seconds(1), " s: ", clients_.Describe(), ". ",
                        HowTheyStand()));
  }
  clients_.Stop();
  world_.RunUntil([this] { return IsOver() || (clients_.idle() && IsQuiet()); }, kLivenessLimit);
  if (Result found = Found()) return found;
  if (!IsQuiet())
    return Stuck("all clients have stopped, and the stores do not agree: " + HowTheyStand());
  clients_.ReadAll();
  world_.RunUntil([this] { return IsOver() || clients_.idle(); }, kLivenessLimit);
  if (Result found = Found()) return found;
  if (!clients_.idle())
    return Stuck(Concat("a last read: ", clients_.Describe(), ". ", HowTheyStand()));
  return std::nullopt;
}

bool KvWorld::IsQuiet() {
  std::set<raft::Index> ends;
  size_t leaders = 0;
  for (const auto& [store, process] : processes_) {
    if (Working(store) == nullptr) return false;
    const raftstore::Peer* peer = process->store().peer(1);
    if (peer == nullptr) return false;
    if (peer->core().role() == raft::Role::kLeader) ++leaders;
    ends.insert(peer->core().log().last_index());
    ends.insert(peer->applied().index);
  }
  return leaders == 1 && ends.size() == 1;
}

std::string KvWorld::HowTheyStand() {
  std::string text;
  for (const auto& [store, process] : processes_) {
    text += Concat("store ", store, ": ");
    if (!world_.IsUp(store)) {
      text += "down; ";
    } else if (!process->error().ok()) {
      text += Concat("stopped (", MessageOf(process->error()), "); ");
    } else if (const raftstore::Peer* peer = process->store().peer(1)) {
      const raft::RaftCore& core = peer->core();
      text += Concat(raft::ToString(core.role()), " in term ", core.term(), ", log from ",
                     core.log().first_index(), " to ", core.log().last_index(), ", committed ",
                     core.log().committed(), ", applied ", peer->applied().index, "; ");
    }
  }
  return text;
}

// ---- what is there in the end ----

Result KvWorld::CheckStores() {
  std::vector<std::string> first;
  uint64_t first_version = 0;
  for (const auto& [store, process] : processes_) {
    auto content = ContentOf(process->kv_engine());
    if (!content.ok()) return Wrong(Concat("store ", store, ": ", MessageOf(content.status())));
    const uint64_t version = process->store().peer(1)->region().region_epoch().conf_ver();
    if (store == 1) {
      first = *std::move(content);
      first_version = version;
    } else if (*content != first) {
      return Wrong(Concat("stores 1 and ", store, " have applied the same entries and differ: ",
                          FirstDifference(first, *content)));
    } else if (version != first_version) {
      return Wrong(Concat("a command that raises the region's conf_ver by one made it ",
                          first_version, " at store 1 and ", version, " at store ", store,
                          ": somebody applied one twice, or not at all"));
    }
    if (Result found = CheckLogs(store)) return found;
  }
  if (Result found = CheckAnswers()) return found;
  if (Result found = CheckTransfers()) return found;
  if (Result found = CheckSnapshotFolders()) return found;
  if (first_version - 1 < bumps_done_ || first_version - 1 > bumps_tried_) {
    return Wrong(Concat("of ", bumps_tried_, " commands that raise the region's conf_ver by one, ",
                        bumps_done_, " were acknowledged, and it has grown by ",
                        first_version - 1));
  }
  return std::nullopt;
}

// Whoever asked a store that is still there must have been told something by now.
Result KvWorld::CheckAnswers() {
  world_.RunUntil(
      [this] {
        return std::all_of(processes_.begin(), processes_.end(),
                           [](const auto& entry) { return entry.second->unanswered == 0; });
      },
      kAnswerLimit);
  for (const auto& [store, process] : processes_) {
    if (process->unanswered == 0) continue;
    return Stuck(Concat("store ", store, " has never answered ",
                        Counted(process->unanswered, "request"),
                        ", though it has nothing to do any more; what cannot be decided here must "
                        "be answered with \"stale command\""));
  }
  return std::nullopt;
}

// Where nothing else is wrong, who was cut off needs one snapshot, and the others need none.
Result KvWorld::CheckTransfers() {
  if (!plan_.few_snapshots || plan_.interrupt_at_change > 0) return std::nullopt;
  std::set<uint64_t> cut_off;
  for (const WorldFault& fault : plan_.faults) cut_off.insert(fault.peer);
  for (const auto& [store, transfers] : transfers_) {
    const size_t needed = cut_off.contains(store) ? 1 : 0;
    if (transfers.size() <= needed) continue;
    return Wrong(Concat("store ", store, needed == 1 ? " was cut off once" : " was never cut off",
                        ", and was sent ", Counted(transfers.size(), "snapshot"),
                        ": the log is compacted too early, or a snapshot is sent again before it "
                        "is answered"));
  }
  return std::nullopt;
}

// What was compacted is gone from the disk, and snapshots leave nothing behind.
Result KvWorld::CheckLogs(uint64_t store) {
  StoreProcess& process = *processes_.at(store);
  const raft::RaftLog& log = process.store().peer(1)->core().log();
  if (plan_.log_entries_max > 0 &&
      log.last_index() - log.boundary().index > 2 * plan_.log_entries_max + 20) {
    return Wrong(Concat("store ", store, " keeps ", log.last_index() - log.boundary().index,
                        " entries, and the log is to be compacted at ", plan_.log_entries_max));
  }
  const auto iterator =
      process.raft_engine().NewIterator({.lower_bound = raftstore::LogKey(1, 0),
                                         .upper_bound = raftstore::LogKey(1, log.first_index())},
                                        raftstore::kLogFamily);
  uint64_t left = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) ++left;
  if (left > 0) {
    return Wrong(Concat("store ", store, " has ", left,
                        " entries on its disk that are compacted; "
                        "its log begins with entry ",
                        log.first_index()));
  }
  return std::nullopt;
}

// Snapshots leave nothing behind, once nobody needs them any more.
Result KvWorld::CheckSnapshotFolders() {
  // A file that a bad disk did not let go of goes when the store starts again.
  if (HasDiskFaults(plan_) && !is_blackout_over_) return std::nullopt;
  std::string left;
  const auto is_clean = [&] {
    left.clear();
    for (const auto& [store, process] : processes_) {
      const auto names = world_.machine(store).disk().List(kSnapshotFolder);
      if (names.ok() && !names->empty()) left = Concat("store ", store, ": ", names->front());
    }
    return left.empty();
  };
  world_.RunUntil([&] { return IsOver() || is_clean(); }, kLivenessLimit);
  if (Result found = Found()) return found;
  if (!is_clean())
    return Wrong(Concat("a file of a snapshot is kept that nobody needs, at ", left));
  return std::nullopt;
}

// The power of all stores fails, now that all is acknowledged: nothing of it may be lost.
Result KvWorld::Blackout() {
  world_.trace().AddNote(world_.clock().Now(), 0, "the power of all stores fails");
  for (const auto& [store, process] : processes_) world_.Crash(store, sim::CrashKind::kPower);
  for (const auto& [store, process] : processes_) {
    world_.Start(store);
    const absl::Status error = processes_.at(store)->error();
    if (!error.ok()) {
      return Wrong(
          Concat("store ", store, " does not start after a power failure: ", MessageOf(error)));
    }
  }
  is_blackout_over_ = true;
  clients_.ReadAll();
  world_.RunUntil([this] { return IsOver() || (clients_.idle() && IsQuiet()); }, kLivenessLimit);
  if (Result found = Found()) return found;
  if (!clients_.idle() || !IsQuiet()) {
    return Stuck(
        Concat("after a power failure of all stores: ", clients_.Describe(), ". ", HowTheyStand()));
  }
  return CheckStores();
}

Result RunKvPlan(const KvPlan& plan, bool run_twice) {
  KvWorld fast(plan, false);
  Result finding = Guarded([&] { return fast.Run(); });
  if (finding && finding->verdict == Verdict::kNotStarted) return finding;
  if (!finding && !TraceWanted() && !run_twice) return std::nullopt;
  const auto slow = std::make_shared<KvWorld>(plan, true);
  Result again = Guarded([&] { return slow->Run(); });
  OfferTraceOf(std::shared_ptr<const sim::Trace>(slow, &slow->trace()));
  if (finding.has_value() != again.has_value() || fast.trace().hash() != slow->trace().hash()) {
    return Wrong(
        "two runs of the same plan differ: something depends on what is not given to the "
        "store, such as an address, a clock, or memory that is not initialised");
  }
  if (again) again->events = slow->trace().LastEvents(kEventsShown);
  return again;
}

}  // namespace tinykv::grading
