// Executor: the door to threads and timers. Actors and background work of the project run on one.
//
// In production an executor is a pool of threads (MakeThreadExecutor); in a simulation it is a
// queue under virtual time, and one real thread runs everything.
#pragma once

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "common/env/clock.h"

namespace tinykv {

using Task = absl::AnyInvocable<void()>;

// Thread-safety: safe.
class Executor {
 public:
  virtual ~Executor() = default;

  // Runs `task` later, never inside this call. With one thread, tasks run in the order they were
  // posted.
  virtual void Post(Task task) = 0;

  // Runs `task` once `delay` has passed.
  virtual void PostAfter(Duration delay, Task task) = 0;

  // For a caller that must wait for posted work. A cooperative executor (of a simulation) runs one
  // ready task inside this call and returns true. An executor with threads of its own returns
  // false: the work goes on by itself, and the caller may sleep on a CondVar.
  virtual bool RunOne() = 0;
};

struct ThreadExecutorOptions {
  int threads = 1;
  // Shown by debuggers and top, at most 15 characters.
  std::string name = "executor";
};

// The destructor runs what has been posted, drops timers that are not due, and joins the threads.
// REQUIRES of the destructor: it runs on none of these threads, and no other thread calls the
// executor any more (a call whose task has run already may still be returning).
std::unique_ptr<Executor> MakeThreadExecutor(const ThreadExecutorOptions& options);

}  // namespace tinykv
