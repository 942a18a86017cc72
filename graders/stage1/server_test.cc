// The stage 1 server as a process: what no task grades, because it is given.
#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/env/temporary_directory.h"
#include "common/mutex.h"
#include "common/strings.h"
#include "graders/stage1/running_server.h"

namespace tinykv::grading {
namespace {

std::unique_ptr<RunningServer> Start(const TemporaryDirectory& directory) {
  auto server = RunningServer::Start(directory.path());
  EXPECT_TRUE(server.ok()) << server.status();
  return server.ok() ? *std::move(server) : nullptr;
}

TEST(Termination, FinishesWhatRunsAndExitsWithZero) {
  TemporaryDirectory directory;
  auto server = Start(directory);
  ASSERT_NE(server, nullptr);
  RawStub stub(server->address());
  Mutex mutex;
  CondVar grown;
  std::vector<std::string> acknowledged;
  std::thread writer([&] {
    for (int i = 0;; ++i) {
      const std::string key = Concat("key", i);
      if (!stub.Put("", key, key).ok()) return;
      MutexLock lock(mutex);
      acknowledged.push_back(key);
      grown.NotifyAll();
    }
  });
  {
    MutexLock lock(mutex);
    while (acknowledged.size() < 100) grown.Wait(mutex);
  }
  server->process().Signal(SIGTERM);
  EXPECT_EQ(server->process().Wait(), 0) << server->log();
  writer.join();

  server = Start(directory);
  ASSERT_NE(server, nullptr);
  RawStub reader(server->address());
  for (const std::string& key : acknowledged) {
    const auto response = reader.Get("", key);
    ASSERT_TRUE(response.ok()) << response.status();
    ASSERT_EQ(response->value(), key);
  }
}

TEST(Start, RefusesADirectoryThatIsInUse) {
  TemporaryDirectory directory;
  const auto first = Start(directory);
  ASSERT_NE(first, nullptr);
  const auto second = RunningServer::Start(directory.path());
  ASSERT_FALSE(second.ok());
  const std::string message(second.status().message());
  EXPECT_NE(message.find("in use"), std::string::npos) << message;
  EXPECT_TRUE(RawStub(first->address()).Put("", "still", "there").ok());
}

}  // namespace
}  // namespace tinykv::grading
