// WriteQueue: puts writers in order, and lets one write on behalf of several (group commit).
//
// A writer that enters waits until it is in front; then it leads. The leader alone may touch the
// write-ahead log and insert into the memtable. It takes those behind it into its group, writes all
// of them with one append and one sync, and leaves; they return without having done anything
// themselves. While a sync runs the next group gathers, so the slower the disk, the larger the
// groups.
//
// Thread-safety: safe.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "absl/status/status.h"
#include "common/mutex.h"
#include "lsm/write_batch.h"

namespace tinykv::lsm {

class WriteQueue {
 public:
  struct Writer {
    const WriteBatch* batch = nullptr;  // null: nothing to write, only to sync or to be alone
    bool sync = false;
    bool no_wait = false;
    bool alone = false;  // shares its turn with nobody
    absl::Status status = absl::OkStatus();

    // The queue's own.
    bool done = false;
    CondVar changed = {};
  };

  // Waits for `writer`'s turn. Returns true if it leads: then FormGroup() and Leave() follow.
  // Returns false if it is done; writer.status tells how it went.
  [[nodiscard]] bool Enter(Writer& writer);

  // Sets `group` to the leader and those it writes for. A leader that syncs takes all that come,
  // since the sync costs the same; one that does not sync takes no writer that wants it, or it
  // would wait for a disk that its caller did not ask for. A group is small where its leader is
  // small, so that a small write does not pay for large ones.
  void FormGroup(Writer& leader, std::vector<Writer*>* group) const;

  // Ends the leader's turn: all of `group` get `status`, and the next writer leads.
  // REQUIRES: `group` is what FormGroup() gave, or the leader alone.
  void Leave(const std::vector<Writer*>& group, const absl::Status& status);

  // While the leader waits for background work, writers with no_wait are refused (kUnavailable),
  // those that are in the queue and those that come. Called by the leader.
  void SetStalled(bool stalled);

  // Writers in the queue, the leader among them.
  size_t size() const;

 private:
  mutable Mutex mutex_;
  std::deque<Writer*> writers_ ABSL_GUARDED_BY(mutex_);  // the leader in front
  bool stalled_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tinykv::lsm
