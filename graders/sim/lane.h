// Lane: an executor of a simulated machine. Its tasks run one at a time, on the one timeline of the
// world; a task that is charged time (by the disk) delays those behind it.
//
// Thread-safety: none; everything in a simulation runs on one real thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/env/executor.h"
#include "graders/sim/drifting_clock.h"
#include "graders/sim/timeline.h"
#include "graders/sim/trace.h"

namespace tinykv::sim {

class Lane final : public Executor {
 public:
  // `owner` is whose it is. `clock` measures delays; it and `timeline` must outlive the lane.
  Lane(Timeline& timeline, const DriftingClock& clock, NodeId owner)
      : timeline_(timeline), clock_(clock), owner_(owner) {}
  ~Lane() override;

  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  NodeId owner() const { return owner_; }
  size_t size() const { return tasks_.size(); }
  // A task of it is running, perhaps waiting for one of another lane.
  bool running() const { return depth_ > 0; }

  // Executor. RunOne() runs the lane's first task inside the caller's: at once if it is ready, else
  // the caller waits for its time. False: there is none.
  void Post(Task task) override;
  void PostAfter(Duration delay, Task task) override;
  bool RunOne() override;

  // Runs `task` at a true time. Those of one time run in ascending `order`; those of equal order as
  // they were posted.
  void PostAt(Duration time, uint64_t order, Task task);

  // No task begins before.
  Duration busy_until() const { return busy_until_; }
  void BeBusyUntil(Duration time);
  void ForgetBusy();

  // Between them no task runs of itself.
  void Pause();
  void Resume();

  // The process is ending: from now on tasks run only by RunOne(), for a destructor that waits.
  void Detach();
  // It has ended: all tasks are dropped, and what is posted later as well.
  void Close();
  bool closed() const { return state_ == State::kClosed; }

  // Drops the tasks that wait now.
  void DropTasks();

 private:
  friend class Timeline;

  enum class State { kOpen, kPaused, kDetached, kClosed };
  struct Waiting {
    Duration time;
    uint64_t order;
    uint64_t sequence;
    Task task;
  };
  static bool RunsLater(const Waiting& a, const Waiting& b);
  static constexpr size_t kNowhere = static_cast<size_t>(-1);

  // It has a task that the timeline may run.
  bool MayRun() const { return state_ == State::kOpen && !tasks_.empty(); }
  Task TakeFirst();
  void SetState(State state);

  Timeline& timeline_;
  const DriftingClock& clock_;
  const NodeId owner_;
  State state_ = State::kOpen;
  int depth_ = 0;  // of its tasks that are running, one inside the other
  Duration busy_until_ = {};
  std::vector<Waiting> tasks_;  // a heap by RunsLater(): the first to run in front
  size_t place_ = kNowhere;     // in the timeline's heap
};

}  // namespace tinykv::sim
