#include "graders/sim/timeline.h"

#include <algorithm>

#include "common/check.h"
#include "graders/sim/lane.h"

namespace tinykv::sim {
// The time between the beginning and the end of a task, by an exception too: a hole that is not
// solved yet throws, and then the world must still be fit to be destroyed.
class Timeline::Turn {
 public:
  // `awaited`: the task that is running waits for this one.
  Turn(Timeline& timeline, Lane& lane, bool awaited)
      : timeline_(timeline),
        lane_(lane),
        waiting_(timeline.running_),
        awaited_(awaited),
        charged_before_(timeline.charged_) {
    timeline_.running_ = &lane;
    ++lane.depth_;
  }

  ~Turn() {
    // Only where time was charged: the tasks of a lane that was paused keep their old times, and by
    // these their place among those of other lanes.
    if (timeline_.charged_ > Duration::zero()) {
      lane_.busy_until_ = std::max(lane_.busy_until_, timeline_.Now());
    }
    --lane_.depth_;
    timeline_.running_ = waiting_;
    if (!awaited_ || waiting_ == nullptr) timeline_.charged_ = charged_before_;
    timeline_.Update(lane_);
  }

  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Timeline& timeline_;
  Lane& lane_;
  Lane* const waiting_;
  const bool awaited_;
  const Duration charged_before_;
};

void Timeline::Charge(Duration delay) {
  TKV_CHECK(running_ != nullptr);
  charged_ += delay;
}

uint64_t Timeline::RunFirst() {
  TKV_CHECK(running_ == nullptr);
  TKV_CHECK(!heap_.empty());
  now_ = std::max(now_, next_time());
  Lane& lane = DrawLane();
  const uint64_t number = lane.tasks_.front().sequence;
  const Turn turn(*this, lane, /*awaited=*/false);
  RunFirstOf(lane);
  return number;
}

void Timeline::AdvanceTo(Duration time) {
  TKV_CHECK(running_ == nullptr);
  now_ = std::max(now_, time);
}

void Timeline::RunInside(Lane& lane) {
  TKV_CHECK(!lane.tasks_.empty());
  const Turn turn(*this, lane, /*awaited=*/true);
  const Duration begin = std::max(lane.tasks_.front().time, lane.busy_until_);
  charged_ = std::max(charged_, begin - now_);
  RunFirstOf(lane);
}

void Timeline::RunAs(Lane& lane, absl::FunctionRef<void()> action) {
  const Turn turn(*this, lane, /*awaited=*/false);
  action();
}

void Timeline::RunApart(absl::FunctionRef<void()> action) {
  Lane* const running = running_;
  const Duration charged = charged_;
  running_ = nullptr;
  action();
  running_ = running;
  charged_ = charged;
}

void Timeline::Update(Lane& lane) {
  // Of a lane that is running, the end of its turn makes the update.
  if (lane.depth_ > 0) return;
  if (!lane.MayRun()) {
    if (lane.place_ != Lane::kNowhere) Remove(lane);
    return;
  }
  const Duration time = std::max(lane.tasks_.front().time, lane.busy_until_);
  if (lane.place_ == Lane::kNowhere) {
    lane.place_ = heap_.size();
    heap_.emplace_back();
  } else if (heap_[lane.place_].time == time) {
    return;
  }
  Settle(lane.place_, {time, &lane});
}

void Timeline::Remove(Lane& lane) {
  const size_t place = lane.place_;
  lane.place_ = Lane::kNowhere;
  const Item last = heap_.back();
  heap_.pop_back();
  if (place < heap_.size()) Settle(place, last);
}

void Timeline::Settle(size_t place, const Item& item) {
  while (place > 0 && item.time < heap_[(place - 1) / 2].time) {
    Put(place, heap_[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  while (2 * place + 1 < heap_.size()) {
    size_t child = 2 * place + 1;
    if (child + 1 < heap_.size() && heap_[child + 1].time < heap_[child].time) ++child;
    if (heap_[child].time >= item.time) break;
    Put(place, heap_[child]);
    place = child;
  }
  Put(place, item);
}

void Timeline::Put(size_t place, const Item& item) {
  heap_[place] = item;
  item.lane->place_ = place;
}

void Timeline::ReportStuck() {
  if (stuck_hook_) stuck_hook_();
}

Lane& Timeline::DrawLane() {
  // Those that are ready at the earliest time are the top of the heap.
  tied_.assign(1, 0);
  for (size_t i = 0; i < tied_.size(); ++i) {
    for (const size_t child : {2 * tied_[i] + 1, 2 * tied_[i] + 2}) {
      if (child < heap_.size() && heap_[child].time == next_time()) tied_.push_back(child);
    }
  }
  const size_t chosen = tied_.size() == 1 ? 0 : random_.Uniform(tied_.size());
  return *heap_[tied_[chosen]].lane;
}

void Timeline::RunFirstOf(Lane& lane) {
  // Destroyed within its turn, since what it holds may post.
  Task task = lane.TakeFirst();
  task();
}

}  // namespace tinykv::sim
