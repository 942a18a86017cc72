#include "common/env/coroutine.h"

#include <gtest/gtest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/status.h"

namespace tinykv {
namespace {

asio::awaitable<int> Twice(int value) { co_return value * 2; }

asio::awaitable<absl::StatusOr<std::string>> Describe(int value) {
  if (value < 0) co_return InvalidArgument("negative ", value);
  const int doubled = co_await Twice(value);
  co_return std::to_string(doubled);
}

// Spawns `awaitable` inline; `result` is filled when it ends.
template <typename T>
void SpawnInline(asio::awaitable<T> awaitable, std::optional<T>& result) {
  asio::co_spawn(InlineExecutor(), std::move(awaitable),
                 [&result](std::exception_ptr error, T value) {
                   ASSERT_EQ(error, nullptr);
                   result = std::move(value);
                 });
}

TEST(InlineExecutor, RunsACoroutineThatNeverWaitsInsideCoSpawn) {
  std::optional<absl::StatusOr<std::string>> result;
  SpawnInline(Describe(21), result);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(**result, "42");
  SpawnInline(Describe(-1), result);
  EXPECT_EQ(result->status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(InlineExecutor, PassesExceptionsToTheOneWhoSpawned) {
  const auto throws = []() -> asio::awaitable<int> {
    throw std::runtime_error("thrown");
    co_return 0;
  };
  std::string text;
  asio::co_spawn(InlineExecutor(), throws(), [&](std::exception_ptr error, int) {
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& caught) {
      text = caught.what();
    }
  });
  EXPECT_EQ(text, "thrown");
}

TEST(AwaitCallback, TakesAnAnswerGivenAtOnce) {
  const auto coroutine = []() -> asio::awaitable<absl::Status> {
    co_return co_await AwaitCallback<absl::Status>([](auto done) { done(Unavailable("busy")); });
  };
  std::optional<absl::Status> result;
  SpawnInline(coroutine(), result);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(MessageOf(*result), "busy");
}

TEST(AwaitCallback, SuspendsUntilTheAnswerCame) {
  absl::AnyInvocable<void(std::unique_ptr<int>)> answer;
  const auto coroutine = [&]() -> asio::awaitable<int> {
    const std::unique_ptr<int> number =
        co_await AwaitCallback<std::unique_ptr<int>>([&](auto done) { answer = std::move(done); });
    co_return *number;
  };
  std::optional<int> result;
  SpawnInline(coroutine(), result);
  EXPECT_FALSE(result.has_value());
  answer(std::make_unique<int>(7));
  EXPECT_EQ(result, 7);
}

TEST(AwaitCallback, FreesACoroutineThatIsNeverAnswered) {
  const auto token = std::make_shared<int>();
  absl::AnyInvocable<void(int)> answer;
  const auto coroutine = [&](std::shared_ptr<int>) -> asio::awaitable<int> {
    co_return co_await AwaitCallback<int>([&](auto done) { answer = std::move(done); });
  };
  asio::co_spawn(InlineExecutor(), coroutine(token), asio::detached);
  EXPECT_GT(token.use_count(), 1);
  answer = nullptr;
  EXPECT_EQ(token.use_count(), 1);
}

// The answer may come from another thread before `start` has returned. Under ASan and TSan this
// finds anything that start's caller still touches.
TEST(AwaitCallback, TakesAnswersThatRaceWithItsStart) {
  auto home = MakeThreadExecutor({.threads = 2, .name = "home"});  // outlives its callers
  auto actor = MakeThreadExecutor({.threads = 2, .name = "actor"});
  const auto coroutine = [&](int rounds) -> asio::awaitable<int> {
    int sum = 0;
    for (int i = 0; i < rounds; ++i) {
      sum += co_await AwaitCallback<int>([&actor, i](auto done) {
        actor->Post([i, done = std::move(done)]() mutable { done(i); });
      });
    }
    co_return sum;
  };
  for (const bool inline_start : {true, false}) {
    std::vector<std::future<int>> sums;
    for (int i = 0; i < 20; ++i) {
      std::promise<int> sum;
      sums.push_back(sum.get_future());
      asio::co_spawn(
          inline_start ? InlineExecutor() : AsioExecutor(*home), coroutine(200),
          [sum = std::move(sum)](std::exception_ptr, int value) mutable { sum.set_value(value); });
    }
    for (auto& sum : sums) EXPECT_EQ(sum.get(), 199 * 200 / 2);
  }
}

TEST(AwaitCallback, GoesOnOnTheCoroutinesOwnExecutor) {
  auto home = MakeThreadExecutor({.threads = 1, .name = "home"});
  auto actor = MakeThreadExecutor({.threads = 1, .name = "actor"});
  std::promise<std::thread::id> home_thread;
  home->Post([&] { home_thread.set_value(std::this_thread::get_id()); });
  const auto coroutine = [&]() -> asio::awaitable<std::thread::id> {
    co_await AwaitCallback<int>(
        [&](auto done) { actor->Post([done = std::move(done)]() mutable { done(0); }); });
    co_return std::this_thread::get_id();
  };
  std::promise<std::thread::id> after;
  asio::co_spawn(AsioExecutor(*home), coroutine(),
                 [&](std::exception_ptr, std::thread::id id) { after.set_value(id); });
  EXPECT_EQ(after.get_future().get(), home_thread.get_future().get());
}

TEST(SleepFor, SleepsAtLeastThatLong) {
  auto executor = MakeThreadExecutor({.threads = 1});
  const Duration start = SystemClock().Now();
  std::promise<Duration> end;
  asio::co_spawn(AsioExecutor(*executor), SleepFor(*executor, std::chrono::milliseconds(5)),
                 [&](std::exception_ptr) { end.set_value(SystemClock().Now()); });
  EXPECT_GE(end.get_future().get() - start, std::chrono::milliseconds(5));
}

}  // namespace
}  // namespace tinykv
