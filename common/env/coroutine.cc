#include "common/env/coroutine.h"

#include <asio/execution.hpp>
#include <asio/execution_context.hpp>
#include <concepts>
#include <variant>

namespace tinykv {
namespace {

// Asio wants every executor to belong to a context, where it keeps its services. Ours use none.
asio::execution_context& EmptyContext() {
  static asio::execution_context context;
  return context;
}

class RunInline {
 public:
  template <typename Function>
  void execute(Function&& function) const {
    std::forward<Function>(function)();
  }

  asio::execution_context& query(asio::execution::context_t) const { return EmptyContext(); }
  static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) {
    return asio::execution::blocking.possibly;
  }
  const RunInline& require(asio::execution::blocking_t::never_t) const { return *this; }

  bool operator==(const RunInline&) const = default;
};

class RunOnExecutor {
 public:
  explicit RunOnExecutor(Executor& executor) : executor_(&executor) {}

  template <typename Function>
  void execute(Function&& function) const {
    executor_->Post(std::forward<Function>(function));
  }

  asio::execution_context& query(asio::execution::context_t) const { return EmptyContext(); }
  static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) {
    return asio::execution::blocking.never;
  }
  const RunOnExecutor& require(asio::execution::blocking_t::never_t) const { return *this; }

  bool operator==(const RunOnExecutor&) const = default;

 private:
  Executor* executor_;  // never null; a pointer because executors are assignable
};

}  // namespace

asio::any_io_executor InlineExecutor() { return RunInline(); }

asio::any_io_executor AsioExecutor(Executor& executor) { return RunOnExecutor(executor); }

asio::awaitable<void> SleepFor(Executor& executor, Duration delay) {
  co_await AwaitCallback<std::monostate>([&executor, delay](auto done) {
    executor.PostAfter(delay, [done = std::move(done)]() mutable { done({}); });
  });
}

}  // namespace tinykv
