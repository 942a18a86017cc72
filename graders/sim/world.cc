#include "graders/sim/world.h"

#include <algorithm>
#include <utility>

#include "common/check.h"

namespace tinykv::sim {

World::World(const Options& options)
    : seeds_(options.seed),
      random_(seeds_.Fork()),
      crash_random_(seeds_.Fork()),
      timeline_(seeds_.Fork()),
      clock_(timeline_, {}),
      trace_(options.keep_trace),
      network_(timeline_, trace_, seeds_.Fork()),
      actions_(timeline_, clock_, 0) {}

World::~World() {
  // Before any machine goes: a process may look at others while it ends.
  for (const auto& machine : machines_) {
    if (machine->state_ == Machine::State::kUp) machine->End();
  }
}

NodeId World::AddNode(const MachineOptions& options, StartFunction start) {
  const NodeId id = machines_.size() + 1;
  machines_.push_back(std::make_unique<Machine>(id, options, std::move(start),
                                                Machine::Parts{*this, timeline_, network_, trace_},
                                                seeds_.Fork()));
  return id;
}

void World::Start(NodeId node) {
  Machine& machine = MachineOf(node);
  trace_.AddNote(timeline_.Now(), node, "starts");
  machine.Start();
  Observe();
}

void World::Crash(NodeId node, CrashKind kind) {
  Machine& machine = MachineOf(node);
  trace_.AddNote(timeline_.Now(), node, kind == CrashKind::kPower ? "loses power" : "crashes");
  machine.Crash(kind, crash_random_);
  Observe();
}

bool World::IsUp(NodeId node) const { return MachineOf(node).state_ == Machine::State::kUp; }

Process* World::process(NodeId node) { return MachineOf(node).process_.get(); }

Machine& World::machine(NodeId node) { return MachineOf(node); }

void World::Pause(NodeId node) {
  trace_.AddNote(timeline_.Now(), node, "is paused");
  MachineOf(node).Pause();
}

void World::Resume(NodeId node) {
  trace_.AddNote(timeline_.Now(), node, "goes on");
  MachineOf(node).Resume();
}

bool World::IsPaused(NodeId node) const { return MachineOf(node).paused_; }

void World::After(Duration delay, std::function<void()> action) {
  actions_.PostAfter(delay, std::move(action));
}

bool World::RunOne() {
  if (timeline_.empty()) return false;
  ++events_;
  const uint64_t number = timeline_.RunFirst();
  trace_.Hash(static_cast<uint64_t>(timeline_.Now().count()));
  trace_.Hash(number);
  Observe();
  return true;
}

void World::RunFor(Duration time) {
  RunUntil([] { return false; }, time);
}

bool World::RunUntil(absl::FunctionRef<bool()> condition, Duration limit) {
  const Duration end = timeline_.Now() + std::min(limit, DriftingClock::kLongest);
  while (!condition()) {
    if (timeline_.empty() || timeline_.next_time() > end) {
      timeline_.AdvanceTo(end);
      return condition();
    }
    RunOne();
  }
  return true;
}

Machine& World::MachineOf(NodeId node) const {
  TKV_CHECK(1 <= node && node <= machines_.size());
  return *machines_[node - 1];
}

void World::Observe() {
  if (observer_) observer_();
}

}  // namespace tinykv::sim
