#include "common/env/prepare_threads.h"

#include <sched.h>

#include <cerrno>
#include <system_error>

#include "absl/synchronization/mutex.h"
#include "common/log.h"

namespace tinykv {

void PrepareThreads() {
  // Debian builds Abseil with its search for deadlocks on, which costs gRPC a global lock at each
  // of its own.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // A thread that wakes under this policy waits for a free processor, and interrupts nobody: so a
  // loaded server goes through many answers at a time, with fewer changes of thread for each.
  const sched_param no_priority = {};
  if (sched_setscheduler(0, SCHED_BATCH, &no_priority) != 0) {
    log::Warning("cannot schedule threads in batches",
                 {{"error", std::generic_category().message(errno)}});
  }
}

}  // namespace tinykv
