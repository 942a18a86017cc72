// WorldFaults: what goes wrong in a simulated world, and when: crashes, pauses, cut links, bad
// disks.
//
// Faults are values: they are drawn, made smaller, printed and carried out again. Nodes 1 to N of
// the world are those that suffer; others, as clients, stay out of it.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <utility>
#include <vector>

#include "graders/sim/world.h"

namespace tinykv::grading {

// Something that is wrong for a while.
struct WorldFault {
  enum class Kind : uint8_t {
    kCrash,      // `peer` loses its memory and what was not synced, and starts again at the end
    kKill,       // `peer` loses its memory, and starts again at the end
    kBlackout,   // all lose their memory and what was not synced, and start again at the end
    kMidWrite,   // `peer` crashes in the middle of what it does to its disk, and starts again
    kPause,      // `peer` stands still, like a process under SIGSTOP
    kIsolate,    // nothing reaches `peer`, and nothing comes from it
    kDeaf,       // nothing reaches `peer`, but what it sends arrives
    kCutLink,    // nothing comes from `peer` to `other`
    kPartition,  // the peers whose bits are set in `group` do not reach the others
    kSlowDisk,   // every sync at `peer` takes 300 ms
    kFullDisk,   // the disk of `peer` has no room left
    kTightDisk,  // the disk of `peer` has little room left, less than a store keeps in reserve
    kBadDisk,    // the next change of the disk of `peer` fails, and what follows it
    kWipe,       // `peer` loses its disk, if it may, and starts again at the end with an empty one
  };
  Kind kind = Kind::kCrash;
  uint64_t peer = 1;
  uint64_t other = 1;
  uint64_t group = 0;  // kMidWrite: after so many changes of the disk
  uint32_t at_ms = 0;
  uint32_t for_ms = 0;
};

std::ostream& operator<<(std::ostream& out, const WorldFault& fault);

// What goes wrong in the plans of a task.
struct WorldFaultKind {
  bool crashes = false;
  bool kills = false;  // also without power loss, and of all at once
  bool partitions = false;
  bool disks = false;
  bool wipes = false;
};
// Up to twelve, each within the first `ms_max`.
rc::Gen<std::vector<WorldFault>> AnyWorldFaults(const WorldFaultKind& kind, uint32_t ms_max);

// Carries out faults. Thread-safety: none.
class WorldFaults {
 public:
  // Nodes 1 to `nodes` of `world`, which must outlive this; they are added when faults begin.
  WorldFaults(sim::World& world, uint64_t nodes) : world_(world), nodes_(nodes) {}

  // What a disk is like when nothing is wrong with it.
  void SetDisk(const sim::FaultPlan& plan) { disk_ = plan; }

  // Asked before a node loses its disk, and told after it has; none does otherwise.
  void SetWipe(std::function<bool(uint64_t)> may_wipe, std::function<void(uint64_t)> wiped) {
    may_wipe_ = std::move(may_wipe);
    wiped_ = std::move(wiped);
  }

  // From now on; a fault that would begin at `until_ms` or later does not.
  void Schedule(const std::vector<WorldFault>& faults, uint32_t until_ms);

  // Ends all of them, and begins no more: all nodes are up and reach one another.
  void MendAll();

  // Whether the disk of `node` is such that it may not be able to work.
  bool DiskIsBad(uint64_t node) const { return bad_disks_.contains(node); }

 private:
  void Begin(const WorldFault& fault);
  void End(const WorldFault& fault);
  void BeginDisk(const WorldFault& fault);
  void Wipe(uint64_t node);
  // The links that `fault` cuts, each way.
  std::vector<std::pair<uint64_t, uint64_t>> LinksCutBy(const WorldFault& fault) const;
  std::vector<uint64_t> Victims(const WorldFault& fault) const;

  sim::World& world_;
  const uint64_t nodes_;
  sim::FaultPlan disk_;
  std::function<bool(uint64_t)> may_wipe_;
  std::function<void(uint64_t)> wiped_;
  std::map<std::pair<uint64_t, uint64_t>, int> cuts_;  // how many faults cut a link
  std::map<uint64_t, int> bad_disks_;                  // how many faults spoil it
  bool is_mended_ = false;
};

}  // namespace tinykv::grading
