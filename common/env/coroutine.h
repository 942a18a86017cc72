// Coroutines: where request handlers run, and how they wait for actors.
//
// A handler is an asio::awaitable<T>, started by asio::co_spawn on one of the two executors below.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/dispatch.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "common/env/clock.h"
#include "common/env/executor.h"

namespace tinykv {

// Runs whatever it is given at once, on the calling thread, before the call returns. A coroutine
// spawned here starts inside co_spawn(), and if it never suspends it has also ended there; where it
// does suspend, it goes on on the thread that resumes it.
//
// It breaks one promise of Asio's executors, knowingly: requiring blocking.never of it gives itself
// back, so that asio::post() runs inline as well. co_spawn() posts, and a post to a queue is what
// this executor is there to save.
asio::any_io_executor InlineExecutor();

// `executor` as one of Asio's: everything is posted. `executor` must outlive what runs on it.
asio::any_io_executor AsioExecutor(Executor& executor);

// How an actor answers a coroutine:
//
//   absl::Status status = co_await AwaitCallback<absl::Status>([&](auto done) {
//     peer.Post(Proposal{.command = …, .done = std::move(done)});
//   });
//
// Calls `start` with a callback of type absl::AnyInvocable<void(T)>, suspends until somebody, on
// whatever thread, calls it, and returns what it was given. The coroutine goes on on its own
// executor: on InlineExecutor() that is inside the call of the callback.
// REQUIRES: the callback is called exactly once, inside `start` or later. If it is destroyed
// uncalled, the coroutine and all that wait for it are destroyed where they stand.
template <typename T, typename Start>
asio::awaitable<T> AwaitCallback(Start start) {
  // What is moved in here stands in the coroutine's frame, which is gone as soon as another thread
  // calls back, perhaps before `start` has returned: hence the move to the stack.
  auto initiation = [start = std::move(start)](auto handler) mutable {
    Start running = std::move(start);
    auto executor = asio::get_associated_executor(handler);
    running(absl::AnyInvocable<void(T)>([executor = std::move(executor),
                                         handler = std::move(handler)](T value) mutable {
      asio::dispatch(executor, [handler = std::move(handler), value = std::move(value)]() mutable {
        std::move(handler)(std::move(value));
      });
    }));
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(std::move(initiation),
                                                                      asio::use_awaitable);
}

// Suspends until `delay` has passed on `executor`.
asio::awaitable<void> SleepFor(Executor& executor, Duration delay);

}  // namespace tinykv
