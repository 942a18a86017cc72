// 1-server-api: the whole server over gRPC: what each request answers, one after the other; many
// clients at once; and a restart in good order.
#include <csignal>
#include <limits>
#include <thread>

#include "common/env/temporary_directory.h"
#include "common/mutex.h"
#include "common/random.h"
#include "common/status.h"
#include "common/strings.h"
#include "graders/check/recorder.h"
#include "graders/stage1/check_history.h"
#include "graders/stage1/running_server.h"
#include "graders/stage1/tasks.h"

namespace tinykv::grading {
namespace {

using check::Operation;

// A request did not even get a response.
Finding NoResponse(const std::string& what, const absl::Status& status) {
  if (status.code() == absl::StatusCode::kDeadlineExceeded) {
    return Stuck(Concat(what, " was not answered within a minute"));
  }
  return WrongUnlessNotStarted(
      status, Concat(what, " was answered with the gRPC status ", status.ToString(),
                     "; trouble of a request goes into the response"));
}

// Steps of a script: each does one request and says what is wrong with the answer. After the first
// finding the rest do nothing.
class Script {
 public:
  explicit Script(RawStub& stub) : stub_(stub) {}

  Script& PutWorks(const std::string& cf, const std::string& key, const std::string& value) {
    const std::string what = Concat("RawPut ", Place(cf, key), " = ", Quote(value, 12));
    return Step(
        what, [&] { return stub_.Put(cf, key, value); }, [](const auto&) { return ""; });
  }
  Script& DeleteWorks(const std::string& cf, const std::string& key) {
    return Step(
        Concat("RawDelete ", Place(cf, key)), [&] { return stub_.Delete(cf, key); },
        [](const auto&) { return ""; });
  }
  Script& GetFinds(const std::string& cf, const std::string& key, const std::string& value) {
    return Step(
        Concat("RawGet ", Place(cf, key)), [&] { return stub_.Get(cf, key); },
        [&](const kvrpcpb::RawGetResponse& response) -> std::string {
          if (response.not_found()) return Concat("not_found; it is ", Quote(value, 12));
          if (response.value() == value) return "";
          return Concat(Quote(response.value(), 12), "; it is ", Quote(value, 12));
        });
  }
  Script& GetFindsNothing(const std::string& cf, const std::string& key) {
    return Step(
        Concat("RawGet ", Place(cf, key)), [&] { return stub_.Get(cf, key); },
        [](const kvrpcpb::RawGetResponse& response) -> std::string {
          if (response.not_found()) return "";
          return Concat("the value ", Quote(response.value(), 12), "; there is none");
        });
  }
  Script& ScanFinds(const std::string& cf, const std::string& start, uint32_t limit,
                    const std::vector<std::string>& keys) {
    return Step(
        Concat("RawScan ", Place(cf, start), " with limit ", limit),
        [&] { return stub_.Scan(cf, start, limit); },
        [&](const kvrpcpb::RawScanResponse& response) -> std::string {
          std::vector<std::string> found;
          for (const auto& pair : response.kvs()) found.push_back(pair.key());
          if (found == keys) return "";
          return Concat("the keys ", Join(found), "; they are ", Join(keys));
        });
  }
  // Each of the four requests must be refused in its response, with a text that has `part` in it.
  Script& AreRefused(const std::string& cf, const std::string& key, const std::string& part) {
    Refused(Concat("RawGet ", Place(cf, key)), part, [&] { return stub_.Get(cf, key); });
    Refused(Concat("RawPut ", Place(cf, key)), part, [&] { return stub_.Put(cf, key, "v"); });
    Refused(Concat("RawDelete ", Place(cf, key)), part, [&] { return stub_.Delete(cf, key); });
    return *this;
  }

  const Result& finding() const { return finding_; }

 private:
  // `call` makes the request, `complaint` says what is wrong with a response that has no error.
  template <typename Call, typename Complaint>
  Script& Step(const std::string& what, Call call, Complaint complaint) {
    if (finding_.has_value()) return *this;
    const auto response = call();
    if (!response.ok()) {
      finding_ = NoResponse(what, response.status());
    } else if (response->has_region_error() || !response->error().empty()) {
      finding_ = Wrong(Concat(what, " was answered with the error ", Quote(response->error()),
                              response->has_region_error() ? " and a region error" : "",
                              "; nothing is wrong with it"));
    } else if (const std::string wrong = complaint(*response); !wrong.empty()) {
      finding_ = Wrong(Concat(what, " was answered with ", wrong));
    }
    return *this;
  }

  template <typename Call>
  void Refused(const std::string& what, const std::string& part, Call call) {
    if (finding_.has_value()) return;
    const auto response = call();
    if (!response.ok()) {
      finding_ = NoResponse(what, response.status());
    } else if (response->error().find(part) == std::string::npos) {
      finding_ = Wrong(Concat(what, " was answered with the error ", Quote(response->error()),
                              "; it must be refused with a text that has ", Quote(part), " in it"));
    }
  }

  static std::string Place(const std::string& cf, const std::string& key) {
    return Concat(Quote(key, 12), " in cf ", Quote(cf));
  }
  static std::string Join(const std::vector<std::string>& keys) {
    std::string text;
    for (const std::string& key : keys) text += Concat(text.empty() ? "" : ", ", Quote(key, 12));
    return text.empty() ? "(none)" : text;
  }

  RawStub& stub_;
  Result finding_;
};

Result CheckAnswers(RawStub& stub) {
  const std::string large(1 << 20, 'x');
  const std::string binary("\0\xff\0", 3);
  Script script(stub);
  for (const char* cf : {"", "default", "lock", "write"}) script.GetFindsNothing(cf, "99");
  script.PutWorks("default", "99", "42").GetFinds("default", "99", "42").GetFinds("", "99", "42");
  script.PutWorks("write", "99", "44").GetFinds("write", "99", "44").GetFinds("", "99", "42");
  script.GetFindsNothing("lock", "99");
  script.PutWorks("", "99", "43").GetFinds("", "99", "43");
  script.DeleteWorks("", "99").GetFindsNothing("", "99").GetFinds("write", "99", "44");
  script.DeleteWorks("", "never there").PutWorks("", "empty", "").GetFinds("", "empty", "");
  script.PutWorks("lock", "large", large).GetFinds("lock", "large", large);
  script.PutWorks("lock", binary, binary).GetFinds("lock", binary, binary);

  for (const char* key : {"1", "2", "3", "4"}) script.PutWorks("write", key, key);
  script.ScanFinds("write", "1", 3, {"1", "2", "3"}).ScanFinds("write", "15", 1, {"2"});
  script.PutWorks("write", "5", "5").ScanFinds("write", "1", 5, {"1", "2", "3", "4", "5"});
  script.DeleteWorks("write", "3").ScanFinds("write", "1", 3, {"1", "2", "4"});
  script.ScanFinds("write", "1", 0, {}).ScanFinds("write", "zzz", 10, {});
  script.ScanFinds("write", "", std::numeric_limits<uint32_t>::max(), {"1", "2", "4", "5", "99"});

  script.AreRefused("writes", "99", "\"writes\"").AreRefused("", "", "key is empty");
  return script.finding();
}

// Clients on real threads, which work on the same few keys.
class Crowd {
 public:
  Crowd(RawStub& stub, uint64_t seed) : stub_(stub), seed_(seed) {}

  Result Run() {
    std::vector<std::thread> threads;
    for (int client = 0; client < kClients; ++client) {
      threads.emplace_back([this, client] { RunClient(client); });
    }
    for (std::thread& thread : threads) thread.join();
    MutexLock lock(mutex_);
    if (finding_.has_value()) return finding_;
    return CheckHistory(recorder_);
  }

 private:
  static constexpr int kClients = 8;
  static constexpr int kRequests = 100;
  static constexpr uint64_t kKeys = 4;

  void RunClient(int client) {
    Random random(seed_ * kClients + static_cast<uint64_t>(client));
    for (int i = 0; i < kRequests; ++i) {
      const std::string key = Concat("shared-", random.Uniform(kKeys));
      const absl::Status status = random.OneIn(2) ? Get(client, key)
                                  : random.OneIn(5)
                                      ? Delete(client, key)
                                      : Put(client, key, Concat("client", client, "-", i));
      if (status.ok()) continue;
      MutexLock lock(mutex_);
      finding_ = NoResponse(Concat("a request of client ", client), status);
      return;
    }
  }

  absl::Status Get(int client, const std::string& key) {
    const size_t number = Call({.client = client, .type = Operation::Type::kGet, .key = key});
    TKV_ASSIGN_OR_RETURN(const auto response, stub_.Get("", key));
    MutexLock lock(mutex_);
    recorder_.Return(number, response.not_found() ? std::nullopt : std::optional(response.value()));
    return absl::OkStatus();
  }
  absl::Status Put(int client, const std::string& key, const std::string& value) {
    const size_t number =
        Call({.client = client, .type = Operation::Type::kPut, .key = key, .value = value});
    TKV_ASSIGN_OR_RETURN(const auto response, stub_.Put("", key, value));
    MutexLock lock(mutex_);
    if (response.error().empty()) recorder_.Return(number);
    return absl::OkStatus();
  }
  absl::Status Delete(int client, const std::string& key) {
    const size_t number = Call({.client = client, .type = Operation::Type::kDelete, .key = key});
    TKV_ASSIGN_OR_RETURN(const auto response, stub_.Delete("", key));
    MutexLock lock(mutex_);
    if (response.error().empty()) recorder_.Return(number);
    return absl::OkStatus();
  }
  size_t Call(const Operation& operation) {
    MutexLock lock(mutex_);
    return recorder_.Call(operation);
  }

  RawStub& stub_;
  const uint64_t seed_;
  Mutex mutex_;
  check::Recorder recorder_ ABSL_GUARDED_BY(mutex_);
  Result finding_ ABSL_GUARDED_BY(mutex_);
};

Result Run(uint64_t seed) {
  TemporaryDirectory directory;
  auto server = RunningServer::Start(directory.path());
  if (!server.ok()) return Wrong(server.status().ToString());
  RawStub stub((*server)->address());
  if (Result finding = CheckAnswers(stub)) return finding;
  if (Result finding = Crowd(stub, seed).Run()) return finding;

  (*server)->process().Signal(SIGTERM);
  if (const int exit_status = (*server)->process().Wait(); exit_status != 0) {
    return Wrong(Concat("asked to end (SIGTERM), the server ended with status ", exit_status,
                        "; its log:\n", (*server)->log()));
  }
  server = RunningServer::Start(directory.path());
  if (!server.ok()) return Wrong(server.status().ToString());
  RawStub stub_after((*server)->address());
  Script script(stub_after);
  script.GetFinds("write", "99", "44").GetFindsNothing("", "99").GetFinds("", "empty", "");
  return script.finding();
}

}  // namespace

Task ServerApi() { return {.id = "1-server-api", .run = Run}; }

}  // namespace tinykv::grading
