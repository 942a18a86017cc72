#include "graders/stage2/raft_world.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "common/strings.h"
#include "graders/stage2/offer_trace.h"
#include "graders/stage2/script_group.h"
#include "graders/task/trace_request.h"

namespace tinykv::grading {
namespace {

using raft::PeerId;
using raft::Role;
using std::chrono::milliseconds;

// In ticks of 100 ms some forty election timeouts: no luck is bad enough to need them.
constexpr Duration kLivenessLimit = std::chrono::seconds(60);
// Some twenty times as many as any run of the reference has.
constexpr uint64_t kEventsMax = 2'000'000;
constexpr size_t kEventsShown = 40;

}  // namespace

RaftWorld::RaftWorld(const RaftPlan& plan, bool keep_trace)
    : plan_(plan),
      world_({.seed = plan.seed, .keep_trace = keep_trace}),
      faults_(world_, plan.members) {
  world_.network().SetDescriber(
      [](std::string_view bytes) { return raft::ToString(DecodeFromWire(bytes)); });
  AddMembers();
}

RaftWorld::~RaftWorld() {
  for (const auto& [id, process] : processes_) {
    if (world_.IsUp(id)) world_.Crash(id, sim::CrashKind::kProcess);
  }
}

void RaftWorld::AddMembers() {
  raft::Membership members;
  for (PeerId id = 1; id <= plan_.members; ++id) members.insert(id);
  for (const PeerId id : members) {
    const auto drift = static_cast<int64_t>(plan_.drift_percent) * 10'000;
    const auto drawn = drift == 0 ? 0 : world_.random().Uniform(2 * static_cast<uint64_t>(drift));
    const auto rate = static_cast<int32_t>(static_cast<int64_t>(drawn) - drift);
    const RaftDisk& disk = disks_.emplace(id, RaftDisk(raft::Bootstrapped(members))).first->second;
    group_.push_back({.id = id, .disk = &disk});
    processes_[id] = nullptr;
    RaftObserver& observer = *this;
    world_.AddNode({.clock_rate_ppm = rate}, [this, &observer](sim::Machine& machine) {
      const PeerId own = machine.id();
      return std::make_unique<RaftProcess>(machine, SetupOf(own), disks_.at(own), observer);
    });
  }
}

RaftProcess::Setup RaftWorld::SetupOf(PeerId id) const {
  raft::RaftOptions options{.id = id, .random_seed = plan_.seed * 31 + id};
  options.pre_vote = plan_.pre_vote;
  options.check_quorum = plan_.check_quorum;
  if (plan_.lease && plan_.check_quorum) options.lease = {.tick_interval = kRaftTick};
  options.fast_back_off = plan_.fast_back_off;
  options.commit_rides_along = plan_.commit_rides_along;
  if (!plan_.pipelining) options.flow.in_flight_messages_max = 1;
  if (plan_.one_entry_a_message) options.flow.message_bytes_max = 1;
  return {.options = options,
          .write_delay_max = milliseconds(plan_.write_ms_max),
          .compact_every = plan_.compact_every};
}

// ---- what is seen
// ---------------------------------------------------------------------------------

void RaftWorld::OnStart(RaftProcess& process) {
  const PeerId id = process.id();
  processes_[id] = &process;
  group_[id - 1].member = &process.member();
  Note(id, invariants_.OnStart(group_, id));
  NoteView(id);
}

void RaftWorld::OnEvent(RaftProcess& process) {
  const PeerId id = process.id();
  const raft::RaftCore& core = process.member().core();
  world_.trace().Hash(core.term() * 8 + static_cast<uint64_t>(core.role()));
  world_.trace().Hash(core.log().committed() << 32 | core.log().last_index());
  Note(id, invariants_.OnEvent(group_, id));
  Role& noted = noted_roles_[id];
  if (noted != core.role()) {
    noted = core.role();
    world_.trace().AddNote(world_.clock().Now(), id,
                           Concat("is ", raft::ToString(core.role()), " in term ", core.term()));
  }
  NoteView(id);
}

void RaftWorld::OnReady(RaftProcess& process) {
  const PeerId id = process.id();
  Note(id, RaftInvariants::OnReady(id, process.member().ready(), disks_.at(id)));
}

void RaftWorld::OnSend(const raft::Message& message, const RaftDisk& disk) {
  Note(message.from, invariants_.OnSend(message, disk));
}

void RaftWorld::OnReads(PeerId id, const std::vector<raft::ReadState>& reads) {
  for (const raft::ReadState& read : reads) Note(id, invariants_.OnReadAnswered(id, read));
}

void RaftWorld::OnEnd(PeerId id) {
  processes_[id] = nullptr;
  group_[id - 1].member = nullptr;
  noted_roles_.erase(id);
  if (world_.trace().keeps()) world_.trace().SetView(id, {.up = false});
}

void RaftWorld::Note(PeerId id, RaftInvariants::Result result) {
  if (violation_ || !result) return;
  violation_ = std::move(result);
  world_.trace().Add(
      {.time = world_.clock().Now(), .kind = sim::TraceEvent::Kind::kViolation, .node = id},
      [&] { return Concat(violation_->invariant, ": ", violation_->sentence); });
}

void RaftWorld::NoteView(PeerId id) {
  if (world_.trace().keeps()) world_.trace().SetView(id, ViewOf(processes_.at(id)->member()));
}

void RaftWorld::MendAll() {
  is_mended_ = true;
  faults_.MendAll();
  for (const auto& [id, process] : processes_) process->MakeDiskFast();
}

// ---- clients
// --------------------------------------------------------------------------------------

RaftProcess* RaftWorld::SomeLeader() {
  std::vector<RaftProcess*> leaders;
  for (const auto& [id, process] : processes_) {
    if (process != nullptr && process->member().core().role() == Role::kLeader) {
      leaders.push_back(process);
    }
  }
  if (leaders.empty()) return nullptr;
  return leaders[world_.random().Uniform(leaders.size())];
}

void RaftWorld::Propose(RaftProcess& leader) {
  const std::string data = Concat('p', ++proposals_);
  world_.trace().AddNote(world_.clock().Now(), leader.id(), "is asked to append " + data);
  leader.Propose(data);
}

void RaftWorld::ScheduleProposals() {
  if (plan_.propose_every_ms == 0) return;
  world_.After(milliseconds(plan_.propose_every_ms), [this] {
    if (is_mended_) return;
    if (RaftProcess* leader = SomeLeader()) Propose(*leader);
    ScheduleProposals();
  });
}

void RaftWorld::ScheduleReads() {
  if (plan_.read_every_ms == 0) return;
  world_.After(milliseconds(plan_.read_every_ms), [this] {
    if (is_mended_) return;
    if (RaftProcess* leader = SomeLeader()) {
      invariants_.OnReadAsked(++reads_);
      leader->Read(reads_);
    }
    ScheduleReads();
  });
}

// ---- the run
// --------------------------------------------------------------------------------------

Result RaftWorld::Run() {
  world_.network().SetLinks(LinksOf(plan_));
  for (const auto& [id, disk] : disks_) world_.Start(id);
  faults_.Schedule(plan_.faults, plan_.faulty_ms);
  ScheduleProposals();
  ScheduleReads();
  world_.RunUntil([this] { return IsOver(); }, milliseconds(plan_.faulty_ms));
  if (IsOver()) return OverFinding();
  MendAll();
  return CheckLiveness();
}

Result RaftWorld::CheckLiveness() {
  const auto is_over = [this](bool done) { return done || IsOver(); };
  const bool has_leader = world_.RunUntil(
      [&] { return is_over(SomeLeader() != nullptr && IsQuiet()); }, kLivenessLimit);
  if (IsOver()) return OverFinding();
  if (!has_leader) return Stuck(HowTheyStand());
  // A last entry must come through.
  Propose(*SomeLeader());
  const raft::Index before = invariants_.committed();
  const bool is_done = world_.RunUntil(
      [&] { return is_over(invariants_.committed() > before && IsQuiet()); }, kLivenessLimit);
  if (IsOver()) return OverFinding();
  if (!is_done) return Stuck(HowTheyStand());
  return std::nullopt;
}

bool RaftWorld::IsQuiet() const {
  size_t leaders = 0;
  for (const RaftMemberView& view : group_) {
    if (view.member == nullptr) return false;
    const raft::RaftCore& core = view.member->core();
    leaders += core.role() == Role::kLeader ? 1 : 0;
    const raft::Index last = core.log().last_index();
    if (view.member->applied().index != last || core.leader() == raft::kNone) return false;
    const raft::RaftCore& first = group_[0].member->core();
    if (core.term() != first.term() || last != first.log().last_index()) return false;
  }
  return leaders == 1;
}

std::string RaftWorld::HowTheyStand() const {
  std::string text = Concat("60 s after everything is mended the group has not come to rest with ",
                            "one leader and all entries applied everywhere:");
  for (const RaftMemberView& view : group_) {
    const raft::RaftCore& core = view.member->core();
    text += Concat(" peer ", view.id, " is ", raft::ToString(core.role()), " in term ", core.term(),
                   ", last entry ", core.log().last_index(), ", committed ", core.log().committed(),
                   ", applied ", view.member->applied().index, ";");
  }
  text.back() = '.';
  return text;
}

bool RaftWorld::IsOver() const { return violation_ || world_.events() > kEventsMax; }

Result RaftWorld::OverFinding() const {
  if (!violation_) {
    return Stuck(Concat("there is no end of events: ", kEventsMax, " in ",
                        std::chrono::duration_cast<milliseconds>(world_.clock().Now()).count(),
                        " ms; perhaps what Advance() was told is wanted again and again"));
  }
  return Wrong(Concat(violation_->invariant, ": ", violation_->sentence));
}

Result RunRaftPlan(const RaftPlan& plan, bool run_twice) {
  RaftWorld fast(plan, false);
  Result finding = Guarded([&] { return fast.Run(); });
  if (finding && finding->verdict == Verdict::kNotStarted) return finding;
  if (!finding && !TraceWanted() && !run_twice) return std::nullopt;
  const auto slow = std::make_shared<RaftWorld>(plan, true);
  Result again = Guarded([&] { return slow->Run(); });
  OfferTraceOf(std::shared_ptr<const sim::Trace>(slow, &slow->trace()));
  if (finding.has_value() != again.has_value() || fast.trace().hash() != slow->trace().hash()) {
    return Wrong(
        "two runs of the same plan differ: something depends on what is not given to the "
        "core, such as an address, a clock, or memory that is not initialised");
  }
  if (again) again->events = slow->trace().LastEvents(kEventsShown);
  return again;
}

}  // namespace tinykv::grading
