#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/env/clock.h"
#include "common/env/executor.h"

namespace tinykv {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(ThreadExecutor, RunsTasksOfOneThreadInOrder) {
  std::vector<int> seen;  // touched by the executor's only thread, read after its end
  auto executor = MakeThreadExecutor({.threads = 1});
  for (int i = 0; i < 1000; ++i) executor->Post([&seen, i] { seen.push_back(i); });
  executor.reset();
  ASSERT_EQ(seen.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(seen[i], i);
}

TEST(ThreadExecutor, RunsAsManyTasksAtOnceAsItHasThreads) {
  auto executor = MakeThreadExecutor({.threads = 2});
  std::promise<void> first, second;
  // Each waits for the other: one thread could not finish them.
  executor->Post([&] {
    first.set_value();
    second.get_future().wait();
  });
  executor->Post([&] {
    second.set_value();
    first.get_future().wait();
  });
  executor.reset();
}

TEST(ThreadExecutor, DestructorRunsWhatWasPostedEvenByTasks) {
  std::atomic<int> runs = 0;
  auto executor = MakeThreadExecutor({.threads = 3});
  Executor& borrowed = *executor;
  for (int i = 0; i < 100; ++i) {
    executor->Post([&] {
      ++runs;
      borrowed.Post([&] { ++runs; });
    });
  }
  executor.reset();
  EXPECT_EQ(runs, 200);
}

TEST(ThreadExecutor, DestructorDropsTimersThatAreNotDue) {
  const auto token = std::make_shared<int>();
  bool ran = false;
  auto executor = MakeThreadExecutor({.threads = 2});
  Executor& borrowed = *executor;
  executor->PostAfter(hours(1), [&ran, token] { ran = true; });
  executor->Post(
      [&borrowed, &ran, token] { borrowed.PostAfter(hours(1), [&ran, token] { ran = true; }); });
  executor.reset();  // returns at once, not in an hour
  EXPECT_FALSE(ran);
  EXPECT_EQ(token.use_count(), 1);  // what the tasks held is freed
}

TEST(ThreadExecutor, RunsDelayedTasksInOrderOfTimeAndNeverEarly) {
  auto executor = MakeThreadExecutor({.threads = 1});
  std::vector<int> seen;
  std::promise<void> done;
  const Duration start = SystemClock().Now();
  Duration end{};
  executor->PostAfter(milliseconds(20), [&] {
    seen.push_back(2);
    end = SystemClock().Now();
    done.set_value();
  });
  executor->PostAfter(milliseconds(1), [&] { seen.push_back(1); });
  done.get_future().wait();
  EXPECT_GE(end - start, milliseconds(20));
  EXPECT_EQ(seen, (std::vector<int>{1, 2}));
}

TEST(ThreadExecutor, NeverRunsATaskInsidePost) {
  auto executor = MakeThreadExecutor({.threads = 1});
  Executor& borrowed = *executor;
  bool inside = false, nested = false;  // touched by the executor's only thread
  executor->Post([&] {
    inside = true;
    borrowed.Post([&] { nested |= inside; });
    borrowed.PostAfter(Duration(0), [&] { nested |= inside; });
    inside = false;
  });
  EXPECT_FALSE(executor->RunOne());
  executor.reset();
  EXPECT_FALSE(nested);
}

TEST(ThreadExecutor, NamesItsThreads) {
  auto executor = MakeThreadExecutor({.threads = 1, .name = "a name that is too long"});
  std::promise<std::string> name;
  executor->Post([&] {
    char text[16] = {};
    pthread_getname_np(pthread_self(), text, sizeof(text));
    name.set_value(text);
  });
  EXPECT_EQ(name.get_future().get(), "a name that is ");
}

TEST(ThreadExecutor, TakesTasksFromManyThreads) {
  auto target = MakeThreadExecutor({.threads = 2});
  auto sources = MakeThreadExecutor({.threads = 4});
  std::atomic<int> runs = 0;
  for (int i = 0; i < 4; ++i) {
    sources->Post([&] {
      for (int j = 0; j < 500; ++j) {
        target->Post([&] { ++runs; });
        target->PostAfter(Duration(j), [&] { ++runs; });
      }
    });
  }
  sources.reset();
  while (runs < 4000) std::this_thread::yield();
  target.reset();
  EXPECT_EQ(runs, 4000);
}

}  // namespace
}  // namespace tinykv
