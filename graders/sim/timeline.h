// Timeline: virtual time, and the one order in which everything happens.
//
// What happens are tasks, and each stands on a lane (lane.h), where tasks run one after the other.
// The timeline runs the first task of the lane whose turn it is: the one that is ready earliest;
// among those ready at one time, one that is drawn anew for every task, so that seeds explore the
// interleavings.
//
// A running task takes no time by itself, but it can be charged some (by the disk). Then the rest
// of it happens that much later, and so do the later tasks of its lane.
//
// Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "common/env/clock.h"
#include "common/random.h"

namespace tinykv::sim {

class Lane;

class Timeline {
 public:
  explicit Timeline(Random random) : random_(random) {}

  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;

  // The time, as the running task sees it: what it has been charged has passed.
  Duration Now() const { return now_ + charged_; }

  // Charges the running task. REQUIRES: one is running.
  void Charge(Duration delay);

  // The lane whose task is running; null outside of tasks.
  const Lane* running() const { return running_; }

  // No lane has a task that may run.
  bool empty() const { return heap_.empty(); }
  // When RunFirst() would run one; may have passed, for a lane that was paused. REQUIRES: !empty().
  Duration next_time() const { return heap_.front().time; }

  // Runs the first task, at its time, and returns its number in order of posting.
  // REQUIRES: !empty(), and none is running.
  uint64_t RunFirst();

  // Lets time pass in which nothing happens. No effect where it is later already.
  // REQUIRES: no task is running.
  void AdvanceTo(Duration time);

  // Runs the first task of `lane` inside the running one, which waits for it: if that task is due
  // only later, or takes long, it is later for the waiting one too. Also serves one who waits
  // outside of all tasks. REQUIRES: `lane` has a task.
  void RunInside(Lane& lane);

  // Runs `action` as a task of `lane`, at once; nobody waits for it.
  void RunAs(Lane& lane, absl::FunctionRef<void()> action);

  // Runs `action` outside of all tasks: nobody is charged for it.
  void RunApart(absl::FunctionRef<void()> action);

  // Called when somebody waits for a task of a lane that has none: for ever, most likely.
  void SetStuckHook(std::function<void()> hook) { stuck_hook_ = std::move(hook); }

 private:
  friend class Lane;
  class Turn;

  struct Item {
    Duration time;
    Lane* lane;
  };

  // What lanes call.
  uint64_t NextSequence() { return ++sequence_; }
  // Puts `lane` where its first task belongs, or takes it out if that must not run.
  void Update(Lane& lane);
  void ReportStuck();

  // One of the lanes that are ready earliest.
  Lane& DrawLane();
  // REQUIRES: its turn has begun.
  void RunFirstOf(Lane& lane);
  void Remove(Lane& lane);
  // Puts `item` into the heap, whose item at `place` is free: there, or above or below.
  void Settle(size_t place, const Item& item);
  void Put(size_t place, const Item& item);

  Random random_;
  Duration now_ = {};
  Duration charged_ = {};  // to the running task; zero outside
  Lane* running_ = nullptr;
  uint64_t sequence_ = 0;
  std::vector<Item> heap_;    // a binary heap by time; each lane knows its place
  std::vector<size_t> tied_;  // of DrawLane(), kept for its memory
  std::function<void()> stuck_hook_;
};

}  // namespace tinykv::sim
