#include "graders/sim/lane.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tinykv::sim {

Lane::~Lane() { Close(); }

void Lane::Post(Task task) { PostAt(timeline_.Now(), 0, std::move(task)); }

void Lane::PostAfter(Duration delay, Task task) {
  PostAt(clock_.TrueTimeAfter(delay), 0, std::move(task));
}

bool Lane::RunOne() {
  if (tasks_.empty()) {
    timeline_.ReportStuck();
    return false;
  }
  timeline_.RunInside(*this);
  return true;
}

void Lane::PostAt(Duration time, uint64_t order, Task task) {
  if (closed()) return;
  tasks_.push_back({time, order, timeline_.NextSequence(), std::move(task)});
  std::push_heap(tasks_.begin(), tasks_.end(), RunsLater);
  timeline_.Update(*this);
}

void Lane::BeBusyUntil(Duration time) {
  busy_until_ = std::max(busy_until_, time);
  timeline_.Update(*this);
}

void Lane::ForgetBusy() {
  busy_until_ = {};
  timeline_.Update(*this);
}

void Lane::Pause() {
  if (state_ == State::kOpen) SetState(State::kPaused);
}

void Lane::Resume() {
  if (state_ == State::kPaused) SetState(State::kOpen);
}

void Lane::Detach() {
  if (!closed()) SetState(State::kDetached);
}

void Lane::Close() {
  // First the state: destroying a task may post another.
  SetState(State::kClosed);
  DropTasks();
}

void Lane::DropTasks() {
  const std::vector<Waiting> dropped = std::exchange(tasks_, {});
  timeline_.Update(*this);
}

bool Lane::RunsLater(const Waiting& a, const Waiting& b) {
  return std::tie(a.time, a.order, a.sequence) > std::tie(b.time, b.order, b.sequence);
}

Task Lane::TakeFirst() {
  std::pop_heap(tasks_.begin(), tasks_.end(), RunsLater);
  Task task = std::move(tasks_.back().task);
  tasks_.pop_back();
  return task;
}

void Lane::SetState(State state) {
  state_ = state;
  timeline_.Update(*this);
}

}  // namespace tinykv::sim
