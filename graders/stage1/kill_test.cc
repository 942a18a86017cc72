// The stage 1 server as a child process, with real files and real kills.
//
// Nothing here waits for a time: kills are timed by counting acknowledgements.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/client/raw_client.h"
#include "common/client/raw_scanner.h"
#include "common/env/file_system.h"
#include "common/env/temporary_directory.h"
#include "common/mutex.h"
#include "common/strings.h"
#include "graders/process/child_process.h"

namespace tinykv {
namespace {

// A server on ports of its own choice, over a directory that outlives it.
class RunningServer {
 public:
  explicit RunningServer(const std::string& directory, std::vector<std::string> flags = {}) {
    std::vector<std::string> arguments = {ProgramPath("stage1-server"), "--listen=127.0.0.1:0",
                                          "--status-listen=127.0.0.1:0",
                                          "--data=" + directory + "/data"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    auto started = ChildProcess::Start(arguments, directory + "/log");
    EXPECT_TRUE(started.ok()) << started.status();
    process_ = *std::move(started);
    auto line = process_->ReadLine();
    if (line.ok()) address_ = *line;
  }

  // Empty if the server ended before it served.
  const std::string& address() const { return address_; }
  ChildProcess& process() { return *process_; }

  std::unique_ptr<RawClient> NewClient(Duration deadline = std::chrono::seconds(30)) const {
    auto client = RawClient::Open({.address = address_, .deadline = deadline});
    EXPECT_TRUE(client.ok()) << client.status();
    return *std::move(client);
  }

 private:
  std::unique_ptr<ChildProcess> process_;
  std::string address_;
};

std::string LogOf(const TemporaryDirectory& directory) {
  return ReadFile(PosixFileSystem(), directory.path() + "/log").value_or("no log");
}

// Values are long enough that memtables fill and logs rotate during the load (the test makes them
// small).
std::string ValueOf(const std::string& key) { return key + std::string(500, '.'); }

// What several threads wrote and got an OK for.
class Acknowledged {
 public:
  void Add(std::string key) {
    MutexLock lock(mutex_);
    keys_.push_back(std::move(key));
    grown_.NotifyAll();
  }
  void WaitFor(size_t count) {
    MutexLock lock(mutex_);
    while (keys_.size() < count) grown_.Wait(mutex_);
  }
  std::vector<std::string> keys() {
    MutexLock lock(mutex_);
    return keys_;
  }

 private:
  Mutex mutex_;
  CondVar grown_;
  std::vector<std::string> keys_ ABSL_GUARDED_BY(mutex_);
};

// Writes keys of its own until the server is gone.
void WriteUntilKilled(RawClient& client, const std::string& prefix, Acknowledged& acknowledged) {
  for (int i = 0;; ++i) {
    const std::string key = Concat(prefix, i);
    if (!client.Put(key, ValueOf(key)).ok()) return;
    acknowledged.Add(key);
  }
}

TEST(KillNine, LosesNoAcknowledgedWrite) {
  TemporaryDirectory directory;
  // Small memtables: kills fall on flushes and compactions too.
  const std::vector<std::string> flags = {"--engine.memtable-bytes=256KiB"};
  Acknowledged acknowledged;
  for (int round = 0; round < 4; ++round) {
    RunningServer server(directory.path(), flags);
    ASSERT_NE(server.address(), "") << LogOf(directory);
    // A short deadline: once the server is killed, the writers should see it soon.
    const auto client = server.NewClient(std::chrono::seconds(2));
    std::vector<std::thread> writers;
    for (int w = 0; w < 16; ++w) {
      writers.emplace_back([&, w] {
        WriteUntilKilled(*client, Concat("round", round, "-writer", w, "-"), acknowledged);
      });
    }
    acknowledged.WaitFor(acknowledged.keys().size() + 1500);
    server.process().Kill();
    for (std::thread& writer : writers) writer.join();
  }

  RunningServer server(directory.path(), flags);
  ASSERT_NE(server.address(), "") << LogOf(directory);
  const auto client = server.NewClient();
  const std::vector<std::string> keys = acknowledged.keys();
  ASSERT_GE(keys.size(), 6000u);
  for (const std::string& key : keys) {
    const auto value = client->Get(key);
    ASSERT_TRUE(value.ok()) << value.status();
    ASSERT_EQ(*value, ValueOf(key)) << key;
  }
}

TEST(Termination, FinishesWhatRunsAndExitsWithZero) {
  TemporaryDirectory directory;
  RunningServer server(directory.path());
  ASSERT_NE(server.address(), "") << LogOf(directory);
  Acknowledged acknowledged;
  const auto client = server.NewClient(std::chrono::seconds(2));
  std::thread writer([&] { WriteUntilKilled(*client, "key", acknowledged); });
  acknowledged.WaitFor(100);
  server.process().Signal(SIGTERM);
  EXPECT_EQ(server.process().Wait(), 0) << LogOf(directory);
  writer.join();

  RunningServer again(directory.path());
  ASSERT_NE(again.address(), "") << LogOf(directory);
  const auto reader = again.NewClient();
  for (const std::string& key : acknowledged.keys()) {
    const auto value = reader->Get(key);
    ASSERT_TRUE(value.ok()) << value.status();
    ASSERT_EQ(*value, ValueOf(key));
  }
}

TEST(Restart, KeepsEveryColumnFamilyAndEveryByte) {
  TemporaryDirectory directory;
  const std::vector<ColumnFamily> families = {ColumnFamily::kDefault, ColumnFamily::kLock,
                                              ColumnFamily::kWrite};
  std::map<std::string, std::string> pairs;
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    pairs[std::string{c}] = std::string{c, '\0', c};
    pairs[std::string{c, c, '\0'}] = "";
  }
  {
    RunningServer server(directory.path());
    ASSERT_NE(server.address(), "") << LogOf(directory);
    const auto client = server.NewClient();
    for (const ColumnFamily family : families) {
      for (const auto& [key, value] : pairs) {
        ASSERT_TRUE(client->Put(key, value + std::string(NameOf(family)), family).ok());
      }
    }
    server.process().Kill();
  }
  RunningServer server(directory.path());
  ASSERT_NE(server.address(), "") << LogOf(directory);
  const auto client = server.NewClient();
  for (const ColumnFamily family : families) {
    RawScanner scanner(*client, {.column_family = family, .page_pairs_max = 100});
    std::map<std::string, std::string> found;
    for (;;) {
      const auto page = scanner.Next();
      ASSERT_TRUE(page.ok()) << page.status();
      if (page->empty()) break;
      for (const KeyValue& pair : *page) found[pair.key] = pair.value;
    }
    ASSERT_EQ(found.size(), pairs.size());
    for (const auto& [key, value] : pairs) {
      EXPECT_EQ(found[key], value + std::string(NameOf(family))) << Quote(key);
    }
  }
}

TEST(Start, RefusesADirectoryThatIsInUse) {
  TemporaryDirectory directory;
  RunningServer first(directory.path());
  ASSERT_NE(first.address(), "") << LogOf(directory);
  RunningServer second(directory.path());
  EXPECT_EQ(second.address(), "");
  EXPECT_EQ(second.process().Wait(), 1);
  EXPECT_TRUE(first.NewClient()->Put("still", "there").ok());
}

}  // namespace
}  // namespace tinykv
