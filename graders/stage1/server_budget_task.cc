// 1-server-budget: many requests, and then what is left of them in the server: snapshots of the
// engine, open files, memory.
#include <httplib.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/env/file_system.h"
#include "common/env/temporary_directory.h"
#include "common/mutex.h"
#include "common/status.h"
#include "common/strings.h"
#include "graders/stage1/running_server.h"
#include "graders/stage1/tasks.h"

namespace tinykv::grading {
namespace {

constexpr int kClients = 16;
constexpr int kRounds = 5;
constexpr int kRequestsInRound = 20'000;
// The first round fills caches and pools; what comes on top of it is a leak if it is more than
// this. Requests that leak as little as 500 bytes each come to 40 MB.
constexpr uint64_t kGrowthBytesMax = 32 << 20;
// Tables come and go as they are compacted; a leak of files is one a request or one a flush.
constexpr uint64_t kFilesMax = 200;

struct Resources {
  uint64_t snapshots = 0;
  uint64_t files = 0;
  uint64_t memory_bytes = 0;
};

// A number of kB in a line of /proc/PID/status.
uint64_t BytesOf(const std::string& text, const std::string& name) {
  const size_t line = text.find(name);
  return line == std::string::npos ? 0 : std::stoull(text.substr(line + name.size())) << 10;
}

absl::StatusOr<Resources> Measure(RunningServer& server) {
  const std::string process = Concat("/proc/", server.process().pid());
  TKV_ASSIGN_OR_RETURN(const auto files, PosixFileSystem().List(process + "/fd"));
  TKV_ASSIGN_OR_RETURN(const std::string memory, ReadFile(PosixFileSystem(), process + "/status"));
  const auto page = httplib::Client("http://" + server.status_address()).Get("/status");
  if (!page) return Unavailable("the server does not answer GET /status");
  const auto status = nlohmann::json::parse(page->body, nullptr, /*allow_exceptions=*/false);
  return Resources{.snapshots = status.value("/engine/live_snapshots"_json_pointer, uint64_t{1}),
                   .files = files.size(),
                   .memory_bytes = BytesOf(memory, "RssAnon:")};
}

// One after the other, a put, a get, a get of nothing, a scan and a delete.
absl::Status Request(RawStub& stub, int number) {
  const std::string key = Concat("key-", number % 1000);
  std::string error;
  switch (number % 5) {
    case 0: {
      TKV_ASSIGN_OR_RETURN(const auto response, stub.Put("", key, std::string(200, 'v')));
      error = response.error();
      break;
    }
    case 1: {
      TKV_ASSIGN_OR_RETURN(const auto response, stub.Get("", key));
      error = response.error();
      break;
    }
    case 2: {
      TKV_ASSIGN_OR_RETURN(const auto response, stub.Get("lock", key));
      error = response.error();
      break;
    }
    case 3: {
      TKV_ASSIGN_OR_RETURN(const auto response, stub.Scan("", key, 5));
      error = response.error();
      break;
    }
    default: {
      TKV_ASSIGN_OR_RETURN(const auto response, stub.Delete("", key));
      error = response.error();
    }
  }
  return error.empty() ? absl::OkStatus() : Internal(error);
}

// Errors: that of the first request that failed.
absl::Status RunRound(RawStub& stub) {
  Mutex mutex;
  absl::Status first_error;
  std::atomic<int> next = 0;
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([&] {
      for (int number = next++; number < kRequestsInRound; number = next++) {
        const absl::Status status = Request(stub, number);
        if (status.ok()) continue;
        MutexLock lock(mutex);
        first_error.Update(status);
        return;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  return first_error;
}

Result Judge(const Resources& before, const Resources& after) {
  const int requests = kRounds * kRequestsInRound;
  if (after.snapshots > 0) {
    return Wrong(Concat("after ", requests, " requests, all answered, the engine keeps ",
                        Counted(after.snapshots, "snapshot"), ": readers were not closed"));
  }
  if (after.files > kFilesMax) {
    return Wrong(Concat("after ", requests, " requests the server has ", after.files,
                        " files open; at most ", kFilesMax, " are fine"));
  }
  if (after.memory_bytes > before.memory_bytes + kGrowthBytesMax) {
    return Wrong(Concat("the server's memory has grown from ", before.memory_bytes >> 20, " to ",
                        after.memory_bytes >> 20, " MiB in the last ", requests - kRequestsInRound,
                        " requests, over the same 1,000 keys: something is not freed"));
  }
  return std::nullopt;
}

Result Run(uint64_t) {
  TemporaryDirectory directory;
  const auto server = RunningServer::Start(
      directory.path(),
      {"--sync-writes=false", "--engine.memtable-bytes=1MiB", "--engine.block-cache-bytes=1MiB"});
  if (!server.ok()) return Wrong(server.status().ToString());
  RawStub stub((*server)->address());
  absl::StatusOr<Resources> before, after;
  for (int round = 0; round < kRounds; ++round) {
    if (const absl::Status status = RunRound(stub); !status.ok()) {
      return WrongUnlessNotStarted(status, Concat("a request failed: ", MessageOf(status)));
    }
    after = Measure(**server);
    if (!after.ok()) return Wrong(after.status().ToString());
    if (round == 0) before = after;
  }
  return Judge(*before, *after);
}

}  // namespace

Task ServerBudget() { return {.id = "1-server-budget", .run = Run}; }

}  // namespace tinykv::grading
