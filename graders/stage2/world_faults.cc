#include "graders/stage2/world_faults.h"

#include <ostream>

#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;
using Kind = WorldFault::Kind;
using std::chrono::milliseconds;

constexpr Duration kSlowSync = milliseconds(300);
constexpr uint64_t kTightBytes = 192 << 10;

std::vector<Kind> KindsOf(const WorldFaultKind& kind) {
  std::vector<Kind> kinds;
  if (kind.crashes) kinds.insert(kinds.end(), {Kind::kCrash, Kind::kCrash, Kind::kPause});
  if (kind.kills)
    kinds.insert(kinds.end(), {Kind::kKill, Kind::kBlackout, Kind::kMidWrite, Kind::kMidWrite});
  if (kind.partitions) {
    kinds.insert(kinds.end(),
                 {Kind::kIsolate, Kind::kDeaf, Kind::kCutLink, Kind::kPartition, Kind::kPartition});
  }
  if (kind.disks)
    kinds.insert(kinds.end(), {Kind::kSlowDisk, Kind::kFullDisk, Kind::kTightDisk, Kind::kBadDisk});
  if (kind.wipes) kinds.insert(kinds.end(), {Kind::kWipe, Kind::kWipe, Kind::kWipe});
  return kinds;
}

rc::Gen<WorldFault> AnyFault(const WorldFaultKind& kind, uint32_t ms_max) {
  return gen::build<WorldFault>(gen::set(&WorldFault::kind, gen::elementOf(KindsOf(kind))),
                                gen::set(&WorldFault::peer, InRange<uint64_t>(1, 6)),
                                gen::set(&WorldFault::other, InRange<uint64_t>(1, 6)),
                                gen::set(&WorldFault::group, InRange<uint64_t>(1, 32)),
                                gen::set(&WorldFault::at_ms, InRange<uint32_t>(0, ms_max)),
                                gen::set(&WorldFault::for_ms, InRange<uint32_t>(1, 4000)));
}

const char* NameOf(Kind kind) {
  switch (kind) {
    case Kind::kCrash:
      return "crashes, and starts again";
    case Kind::kKill:
      return "is killed, and starts again";
    case Kind::kBlackout:
      return "crash, and start again";
    case Kind::kMidWrite:
      return "crashes in the middle of a write, and starts again";
    case Kind::kPause:
      return "stands still";
    case Kind::kIsolate:
      return "is cut off";
    case Kind::kDeaf:
      return "hears nothing";
    case Kind::kCutLink:
      return "does not reach";
    case Kind::kPartition:
      return "are cut off from the others";
    case Kind::kSlowDisk:
      return "has a slow disk";
    case Kind::kFullDisk:
      return "has a full disk";
    case Kind::kTightDisk:
      return "has a disk that is nearly full";
    case Kind::kBadDisk:
      return "has a disk that fails";
    case Kind::kWipe:
      return "loses its disk, unless another has only just, and rejoins";
  }
  return "?";
}

bool IsOfDisk(Kind kind) {
  return kind == Kind::kSlowDisk || kind == Kind::kFullDisk || kind == Kind::kTightDisk ||
         kind == Kind::kBadDisk || kind == Kind::kMidWrite;
}

// Whether a store with such a disk may stop.
bool Spoils(Kind kind) { return IsOfDisk(kind) && kind != Kind::kSlowDisk; }

bool IsCrash(Kind kind) {
  return kind == Kind::kCrash || kind == Kind::kKill || kind == Kind::kBlackout;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const WorldFault& fault) {
  out << "from " << fault.at_ms << " ms for " << fault.for_ms << " ms: ";
  if (fault.kind == Kind::kPartition) {
    out << "peers";
    for (uint64_t peer = 1; peer <= 5; ++peer) {
      if ((fault.group >> (peer - 1)) & 1) out << ' ' << peer;
    }
  } else if (fault.kind == Kind::kBlackout) {
    out << "all peers";
  } else {
    out << "peer " << fault.peer;
  }
  out << ' ' << NameOf(fault.kind);
  if (fault.kind == Kind::kCutLink) out << " peer " << fault.other;
  return out;
}

rc::Gen<std::vector<WorldFault>> AnyWorldFaults(const WorldFaultKind& kind, uint32_t ms_max) {
  if (KindsOf(kind).empty()) return gen::just(std::vector<WorldFault>());
  return gen::resize(12, gen::container<std::vector<WorldFault>>(AnyFault(kind, ms_max)));
}

void WorldFaults::Schedule(const std::vector<WorldFault>& faults, uint32_t until_ms) {
  for (const WorldFault& fault : faults) {
    if (fault.at_ms >= until_ms) continue;
    world_.After(milliseconds(fault.at_ms), [this, fault] { Begin(fault); });
    // A fault that outlasts the bad time ends with it.
    world_.After(milliseconds(fault.at_ms + fault.for_ms), [this, fault] { End(fault); });
  }
}

std::vector<uint64_t> WorldFaults::Victims(const WorldFault& fault) const {
  std::vector<uint64_t> nodes;
  for (uint64_t node = 1; node <= nodes_; ++node) {
    if (node == fault.peer || fault.kind == Kind::kBlackout) nodes.push_back(node);
  }
  return nodes;
}

void WorldFaults::Begin(const WorldFault& fault) {
  if (is_mended_) return;
  for (const uint64_t node : Victims(fault)) {
    if (IsCrash(fault.kind) && world_.IsUp(node)) {
      world_.Crash(node,
                   fault.kind == Kind::kKill ? sim::CrashKind::kProcess : sim::CrashKind::kPower);
    } else if (fault.kind == Kind::kPause && world_.IsUp(node) && !world_.IsPaused(node)) {
      world_.Pause(node);
    } else if (IsOfDisk(fault.kind)) {
      BeginDisk(fault);
    } else if (fault.kind == Kind::kWipe) {
      Wipe(node);
    }
  }
  for (const auto& link : LinksCutBy(fault)) {
    if (++cuts_[link] == 1) world_.network().Cut(link.first, link.second);
  }
}

void WorldFaults::Wipe(uint64_t node) {
  if (!may_wipe_ || !may_wipe_(node)) return;
  if (world_.IsUp(node)) world_.Crash(node, sim::CrashKind::kProcess);
  world_.machine(node).disk().Erase();
  wiped_(node);
}

void WorldFaults::BeginDisk(const WorldFault& fault) {
  sim::SimFileSystem& disk = world_.machine(fault.peer).disk();
  if (disk.halted()) return;  // it is about to crash
  sim::FaultPlan plan = disk_;
  if (Spoils(fault.kind)) ++bad_disks_[fault.peer];
  if (fault.kind == Kind::kSlowDisk) plan.sync_delay = kSlowSync;
  if (fault.kind == Kind::kFullDisk) plan.capacity_bytes = disk.used_bytes();
  if (fault.kind == Kind::kTightDisk) plan.capacity_bytes = disk.used_bytes() + kTightBytes;
  if (fault.kind == Kind::kBadDisk) plan.failed_change = {.at = 1, .sticky = true};
  if (fault.kind == Kind::kMidWrite) plan.halt_at_change = 1 + fault.group % 8;
  disk.SetFaults(plan);
}

void WorldFaults::End(const WorldFault& fault) {
  if (is_mended_) return;
  for (const uint64_t node : Victims(fault)) {
    if (fault.kind == Kind::kMidWrite && world_.IsUp(node)) {
      world_.Crash(node, sim::CrashKind::kPower);
    }
    if (IsOfDisk(fault.kind)) world_.machine(node).disk().SetFaults(disk_);
    if (const auto bad = bad_disks_.find(node); bad != bad_disks_.end() && Spoils(fault.kind)) {
      if (--bad->second == 0) bad_disks_.erase(bad);
    }
    const bool starts =
        IsCrash(fault.kind) || fault.kind == Kind::kMidWrite || fault.kind == Kind::kWipe;
    if (starts && !world_.IsUp(node)) world_.Start(node);
    if (fault.kind == Kind::kPause && world_.IsPaused(node)) world_.Resume(node);
  }
  for (const auto& link : LinksCutBy(fault)) {
    if (--cuts_[link] == 0) world_.network().Mend(link.first, link.second);
  }
}

std::vector<std::pair<uint64_t, uint64_t>> WorldFaults::LinksCutBy(const WorldFault& fault) const {
  const auto is_in_group = [&](uint64_t id) { return ((fault.group >> (id - 1)) & 1) != 0; };
  const auto is_cut = [&](uint64_t from, uint64_t to) {
    switch (fault.kind) {
      case Kind::kIsolate:
        return from == fault.peer || to == fault.peer;
      case Kind::kDeaf:
        return to == fault.peer;
      case Kind::kCutLink:
        return from == fault.peer && to == fault.other;
      case Kind::kPartition:
        return is_in_group(from) != is_in_group(to);
      default:
        return false;
    }
  };
  std::vector<std::pair<uint64_t, uint64_t>> links;
  for (uint64_t from = 1; from <= nodes_; ++from) {
    for (uint64_t to = 1; to <= nodes_; ++to) {
      if (from != to && is_cut(from, to)) links.emplace_back(from, to);
    }
  }
  return links;
}

void WorldFaults::MendAll() {
  is_mended_ = true;
  bad_disks_.clear();
  world_.trace().AddNote(world_.clock().Now(), 0, "everything is mended");
  world_.network().MendAll();
  world_.network().SetLinks({.delay_max = milliseconds(10)});
  for (uint64_t node = 1; node <= nodes_; ++node) {
    sim::SimFileSystem& disk = world_.machine(node).disk();
    if (disk.halted() && world_.IsUp(node)) world_.Crash(node, sim::CrashKind::kPower);
    disk.SetFaults(disk_);
    if (world_.IsPaused(node)) world_.Resume(node);
    if (!world_.IsUp(node)) world_.Start(node);
  }
}

}  // namespace tinykv::grading
