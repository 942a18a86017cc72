// Inbox: where the messages to an actor wait. The actor is given all that wait at once, and never
// twice at a time: so it needs no locks, and what it does for one message it does for many.
//
//   auto inbox = std::make_shared<Inbox<Message>>(
//       executor, [this](std::vector<Message> messages) { Handle(std::move(messages)); });
//   inbox->Post({…});
//
// It is shared with timers: one that fires after the actor is gone finds a closed inbox.
//
// Thread-safety: safe.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "common/env/executor.h"
#include "common/mutex.h"

namespace tinykv {

template <typename Message>
class Inbox : public std::enable_shared_from_this<Inbox<Message>> {
 public:
  using Handler = absl::AnyInvocable<void(std::vector<Message>)>;

  // `executor` must outlive the last call.
  Inbox(Executor& executor, Handler handler) : executor_(executor), handler_(std::move(handler)) {}

  // False if it is closed; the message is destroyed then, outside of any lock.
  bool Post(Message message) {
    MutexLock lock(mutex_);
    if (closed_) return false;
    waiting_.push_back(std::move(message));
    if (!running_) {
      running_ = true;
      executor_.Post([self = this->shared_from_this()] { self->HandleAll(); });
    }
    return true;
  }

  // Posts `message` once `delay` has passed.
  void PostAfter(Duration delay, Message message) {
    executor_.PostAfter(delay,
                        [self = this->shared_from_this(), message = std::move(message)]() mutable {
                          self->Post(std::move(message));
                        });
  }

  // From now on nothing is taken. Returns when what was posted before is handled; then the handler
  // is never called again. REQUIRES: not called by the handler.
  void Close() {
    MutexLock lock(mutex_);
    closed_ = true;
    while (running_) {
      mutex_.Unlock();
      const bool ran = executor_.RunOne();
      mutex_.Lock();
      if (!ran && running_) idle_.Wait(mutex_);
    }
  }

 private:
  void HandleAll() {
    std::vector<Message> messages;
    {
      MutexLock lock(mutex_);
      messages.swap(waiting_);
    }
    Turn turn{.inbox = *this};
    handler_(std::move(messages));
    turn.is_whole = true;
  }

  // Ends a turn also where the handler has thrown, which a hole of the course does: then it was the
  // last one.
  struct Turn {
    Inbox& inbox;
    bool is_whole = false;
    ~Turn() { inbox.EndTurn(is_whole); }
  };

  void EndTurn(bool is_whole) {
    std::vector<Message> dropped;  // destroyed outside of the lock
    MutexLock lock(mutex_);
    if (!is_whole) {
      closed_ = true;
      dropped.swap(waiting_);
    }
    if (waiting_.empty()) {
      running_ = false;
      idle_.NotifyAll();
    } else {
      executor_.Post([self = this->shared_from_this()] { self->HandleAll(); });
    }
  }

  Executor& executor_;
  Handler handler_;  // called by one task at a time
  Mutex mutex_;
  CondVar idle_;
  std::vector<Message> waiting_ ABSL_GUARDED_BY(mutex_);
  bool running_ ABSL_GUARDED_BY(mutex_) = false;  // HandleAll() is posted or runs
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tinykv
