// Coroutines in a simulation: started on a SimExecutor, whose seed decides who goes on when.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>

#include "common/env/coroutine.h"
#include "graders/sim/sim_executor.h"

namespace tinykv::sim {

// How a coroutine ended, if it has.
template <typename T>
class Pending {
 public:
  bool done() const { return error_ != nullptr || value_.has_value(); }

  // The result; throws what came out of the coroutine. REQUIRES: done(), and not taken yet.
  T Take() {
    if (error_ != nullptr) std::rethrow_exception(error_);
    return *std::move(value_);
  }

  void End(std::exception_ptr error, T value) {
    error_ = std::move(error);
    if (error_ == nullptr) value_ = std::move(value);
  }

 private:
  std::exception_ptr error_;
  std::optional<T> value_;
};

// Starts `coroutine` on `executor`, which must outlive it. It runs as the executor is run.
template <typename T>
std::shared_ptr<Pending<T>> Spawn(SimExecutor& executor, asio::awaitable<T> coroutine) {
  auto pending = std::make_shared<Pending<T>>();
  asio::co_spawn(AsioExecutor(executor), std::move(coroutine),
                 [pending](std::exception_ptr error, T value) {
                   pending->End(std::move(error), std::move(value));
                 });
  return pending;
}

// Suspends until everybody who is ready may have had a turn.
inline asio::awaitable<void> Yield(SimExecutor& executor) {
  co_await AwaitCallback<std::monostate>(
      [&executor](auto done) { executor.Post([done = std::move(done)]() mutable { done({}); }); });
}

}  // namespace tinykv::sim
