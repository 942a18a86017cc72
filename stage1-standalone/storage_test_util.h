// A StandaloneStorage on a fresh folder, and a way to call coroutines from plain tests.
#pragma once

#include <memory>
#include <utility>

#include <asio/co_spawn.hpp>
#include <asio/use_future.hpp>

#include "common/env/coroutine.h"
#include "common/env/temporary_directory.h"
#include "stage1-standalone/standalone_storage.h"

namespace tinykv {

// Runs a coroutine to its end, which may come on another thread, and returns its result.
template <typename T>
T RunToEnd(asio::awaitable<T> coroutine) {
  return asio::co_spawn(InlineExecutor(), std::move(coroutine), asio::use_future).get();
}

class TestStorage {
 public:
  explicit TestStorage(bool sync_writes = true) : sync_writes_(sync_writes) { Open(); }

  void Reopen() {
    storage_.reset();
    Open();
  }

  StandaloneStorage& operator*() { return *storage_; }
  StandaloneStorage* operator->() { return storage_.get(); }

 private:
  void Open() {
    auto storage = StandaloneStorage::Open(
        {.engine = {.file_system = &PosixFileSystem(), .background = background_.get()},
         .writer = writer_.get(),
         .sync_writes = sync_writes_},
        directory_.path() + "/db");
    TKV_CHECK(storage.ok());
    storage_ = *std::move(storage);
  }

  const bool sync_writes_;
  TemporaryDirectory directory_;
  std::unique_ptr<Executor> background_ = MakeThreadExecutor({.threads = 2, .name = "background"});
  std::unique_ptr<Executor> writer_ = MakeThreadExecutor({.threads = 1, .name = "writer"});
  std::unique_ptr<StandaloneStorage> storage_;
};

}  // namespace tinykv
