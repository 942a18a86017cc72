#include "lsm/db/write_queue.h"

#include <algorithm>

#include "common/check.h"
#include "common/status.h"

namespace tinykv::lsm {
namespace {

constexpr size_t kGroupBytesMax = 1 << 20;
constexpr size_t kSmallLeaderBytes = 128 << 10;

size_t BytesOf(const WriteQueue::Writer& writer) {
  return writer.batch == nullptr ? 0 : writer.batch->size_bytes();
}

absl::Status Stalled() { return Unavailable("writes wait for a flush or a compaction"); }

}  // namespace

bool WriteQueue::Enter(Writer& writer) {
  MutexLock lock(mutex_);
  if (stalled_ && writer.no_wait) {
    writer.status = Stalled();
    return false;
  }
  writers_.push_back(&writer);
  while (!writer.done && writers_.front() != &writer) writer.changed.Wait(mutex_);
  return !writer.done;
}

void WriteQueue::FormGroup(Writer& leader, std::vector<Writer*>* group) const {
  group->assign(1, &leader);
  if (leader.alone) return;
  size_t bytes = BytesOf(leader);
  const size_t bytes_max =
      bytes <= kSmallLeaderBytes ? bytes + kSmallLeaderBytes : std::max(bytes, kGroupBytesMax);

  MutexLock lock(mutex_);
  TKV_CHECK(writers_.front() == &leader);
  for (size_t i = 1; i < writers_.size(); ++i) {
    Writer* writer = writers_[i];
    if (writer->alone || (writer->sync && !leader.sync)) return;
    bytes += BytesOf(*writer);
    if (bytes > bytes_max) return;
    group->push_back(writer);
  }
}

void WriteQueue::Leave(const std::vector<Writer*>& group, const absl::Status& status) {
  MutexLock lock(mutex_);
  for (Writer* writer : group) {
    TKV_CHECK(writers_.front() == writer && "a group stands at the front of the queue");
    writers_.pop_front();
    writer->status = status;
    writer->done = true;
    // Under the lock: once it is released, the writer may return, and be gone.
    writer->changed.NotifyOne();
  }
  if (!writers_.empty()) writers_.front()->changed.NotifyOne();
}

void WriteQueue::SetStalled(bool stalled) {
  MutexLock lock(mutex_);
  stalled_ = stalled;
  if (!stalled) return;
  const auto refused = [](Writer* writer) {
    if (!writer->no_wait) return false;
    writer->status = Stalled();
    writer->done = true;
    writer->changed.NotifyOne();
    return true;
  };
  // Not the leader itself, who decides on its own.
  writers_.erase(std::remove_if(writers_.begin() + 1, writers_.end(), refused), writers_.end());
}

size_t WriteQueue::size() const {
  MutexLock lock(mutex_);
  return writers_.size();
}

}  // namespace tinykv::lsm
