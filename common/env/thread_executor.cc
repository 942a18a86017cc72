#include <pthread.h>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <cstdint>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/env/executor.h"
#include "common/mutex.h"

namespace tinykv {
namespace {

// Threads that run one asio::io_context. They return when the context is out of work, and it has
// work for as long as `work_` or a timer exists.
class ThreadExecutor final : public Executor {
 public:
  explicit ThreadExecutor(const ThreadExecutorOptions& options)
      : context_(options.threads), work_(context_.get_executor()) {
    TKV_CHECK(options.threads > 0);
    for (int i = 0; i < options.threads; ++i) {
      threads_.emplace_back([this, name = options.name.substr(0, kThreadNameBytesMax)] {
        pthread_setname_np(pthread_self(), name.c_str());
        context_.run();
      });
    }
  }

  ~ThreadExecutor() override {
    {
      MutexLock lock(mutex_);
      closing_ = true;
      for (auto& [id, timer] : timers_) timer.cancel();
    }
    work_.reset();
    for (std::thread& thread : threads_) thread.join();
    // A task may run, and its answer may lead somebody to destroy us, before the Post() that
    // brought it has returned. That takes microseconds at most.
    while (calls_inside_.load(std::memory_order_acquire) > 0) std::this_thread::yield();
  }

  void Post(Task task) override {
    const InsideCall inside(calls_inside_);
    asio::post(context_, std::move(task));
  }

  void PostAfter(Duration delay, Task task) override {
    const InsideCall inside(calls_inside_);
    MutexLock lock(mutex_);
    if (closing_) return;
    const uint64_t id = ++last_timer_id_;
    asio::steady_timer& timer = timers_.try_emplace(id, context_, delay).first->second;
    timer.async_wait([this, id, task = std::move(task)](const asio::error_code& error) mutable {
      Forget(id);
      if (!error) task();  // an error means cancelled
    });
  }

  bool RunOne() override { return false; }

 private:
  // Counts a call for as long as it may touch the executor.
  class InsideCall {
   public:
    explicit InsideCall(std::atomic<int>& calls) : calls_(calls) {
      calls_.fetch_add(1, std::memory_order_relaxed);
    }
    ~InsideCall() { calls_.fetch_sub(1, std::memory_order_release); }

   private:
    std::atomic<int>& calls_;
  };

  static constexpr size_t kThreadNameBytesMax = 15;  // the kernel's limit

  void Forget(uint64_t timer_id) {
    MutexLock lock(mutex_);
    timers_.erase(timer_id);
  }

  std::atomic<int> calls_inside_ = 0;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::vector<std::thread> threads_;

  Mutex mutex_;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t last_timer_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, asio::steady_timer> timers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Executor> MakeThreadExecutor(const ThreadExecutorOptions& options) {
  return std::make_unique<ThreadExecutor>(options);
}

}  // namespace tinykv
