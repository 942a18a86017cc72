// 1-server-kill: the server is killed in the middle of writes, again and again, and must have what
// it acknowledged. Kills are timed by counting acknowledgements, not by a clock.
#include <set>
#include <thread>

#include "common/env/temporary_directory.h"
#include "common/mutex.h"
#include "common/status.h"
#include "common/strings.h"
#include "graders/stage1/running_server.h"
#include "graders/stage1/tasks.h"

namespace tinykv::grading {
namespace {

constexpr int kRounds = 4;
constexpr int kWriters = 16;
constexpr size_t kWritesInRound = 1000;

// Long enough that memtables fill and logs rotate in the middle of it all (they are made small).
std::string ValueOf(const std::string& key) { return key + std::string(500, '.'); }

// What several threads wrote and got an OK for, and how many of them still write.
class Acknowledged {
 public:
  void Add(std::string key) {
    MutexLock lock(mutex_);
    keys_.push_back(std::move(key));
    changed_.NotifyAll();
  }

  void StartWriters(int writers) {
    MutexLock lock(mutex_);
    writers_ = writers;
  }

  // A writer ends. `status` is what its last write got.
  void EndWriter(const absl::Status& status) {
    MutexLock lock(mutex_);
    --writers_;
    last_error_ = status;
    changed_.NotifyAll();
  }

  // Waits for so many keys in all. Errors: that of the last writer, if all ended before.
  absl::Status WaitFor(size_t count) {
    MutexLock lock(mutex_);
    while (keys_.size() < count && writers_ > 0) changed_.Wait(mutex_);
    return keys_.size() < count ? last_error_ : absl::OkStatus();
  }

  std::vector<std::string> keys() {
    MutexLock lock(mutex_);
    return keys_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::string> keys_ ABSL_GUARDED_BY(mutex_);
  int writers_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status last_error_ ABSL_GUARDED_BY(mutex_);
};

// Puts keys of its own until the server is gone, or refuses.
void WriteUntilKilled(RawStub& stub, const std::string& prefix, Acknowledged& acknowledged) {
  for (int i = 0;; ++i) {
    const std::string key = Concat(prefix, i);
    const auto response = stub.Put("", key, ValueOf(key));
    if (!response.ok()) return acknowledged.EndWriter(response.status());
    if (!response->error().empty()) return acknowledged.EndWriter(Internal(response->error()));
    acknowledged.Add(key);
  }
}

Result WriteAndKill(const std::string& directory, int round, Acknowledged& acknowledged) {
  const auto server = RunningServer::Start(directory, {"--engine.memtable-bytes=256KiB"});
  if (!server.ok()) {
    return Wrong(Concat("after ", round, " kills, ", MessageOf(server.status())));
  }
  RawStub stub((*server)->address());
  acknowledged.StartWriters(kWriters);
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      WriteUntilKilled(stub, Concat("round", round, "-writer", w, "-"), acknowledged);
    });
  }
  const absl::Status status = acknowledged.WaitFor((round + 1) * kWritesInRound);
  (*server)->process().Kill();
  for (std::thread& writer : writers) writer.join();
  if (status.ok()) return std::nullopt;
  return WrongUnlessNotStarted(
      status, Concat("a RawPut failed though the server was up: ", MessageOf(status)));
}

Result CheckKeys(const std::string& directory, const std::vector<std::string>& keys) {
  const auto server = RunningServer::Start(directory);
  if (!server.ok()) return Wrong(Concat("after the last kill, ", MessageOf(server.status())));
  RawStub stub((*server)->address());
  for (const std::string& key : keys) {
    const auto response = stub.Get("", key);
    if (!response.ok()) {
      return WrongUnlessNotStarted(
          response.status(),
          Concat("RawGet ", Quote(key), " failed: ", MessageOf(response.status())));
    }
    if (response->value() == ValueOf(key)) continue;
    return Wrong(Concat("the put of ", Quote(key), " was acknowledged, and after kill -9 and a ",
                        "restart there is ", response->not_found() ? "nothing" : "another value",
                        ": what is acknowledged must be in the log before"));
  }
  return std::nullopt;
}

Result Run(uint64_t) {
  TemporaryDirectory directory;
  Acknowledged acknowledged;
  for (int round = 0; round < kRounds; ++round) {
    if (Result finding = WriteAndKill(directory.path(), round, acknowledged)) return finding;
  }
  return CheckKeys(directory.path(), acknowledged.keys());
}

}  // namespace

Task ServerKill() { return {.id = "1-server-kill", .run = Run}; }

}  // namespace tinykv::grading
