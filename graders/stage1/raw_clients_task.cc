// 1-raw-clients: several clients at once, through the raw handlers, on the real storage in the
// simulation. One order of all requests must explain what they saw, and each scan is of one moment.
#include <array>
#include <ostream>

#include "common/status.h"
#include "common/strings.h"
#include "graders/check/recorder.h"
#include "graders/stage1/check_history.h"
#include "graders/stage1/sim_store.h"
#include "graders/stage1/tasks.h"
#include "graders/task/property.h"
#include "stage1-standalone/raw_handlers.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;

using check::Operation;

struct Request {
  enum class Type { kGet, kPut, kDelete, kScan };
  Type type = Type::kGet;
  int key = 0;  // not of a scan
};
using Requests = std::vector<Request>;

struct Program {
  uint64_t seed = 0;
  bool sync_writes = true;
  bool small_tables = false;
  std::vector<Requests> clients = {};
  // One more client writes 1, 2, … up to this, each first to kFirstRung, then to kSecondRung.
  int ladder_steps = 0;
};

constexpr int kKeys = 3;
constexpr char kFirstRung[] = "ladder-1";
constexpr char kSecondRung[] = "ladder-2";

std::ostream& operator<<(std::ostream& out, const Program& program) {
  constexpr std::array<std::string_view, 4> kNames = {"RawGet", "RawPut", "RawDelete", "RawScan"};
  out << "at the same time (order of turns drawn from " << program.seed
      << "), sync_writes = " << (program.sync_writes ? "true" : "false") << ":\n";
  for (size_t client = 0; client < program.clients.size(); ++client) {
    out << "client " << client + 1 << ':';
    for (const Request& request : program.clients[client]) {
      out << ' ' << kNames.at(static_cast<size_t>(request.type));
      if (request.type != Request::Type::kScan) out << ' ' << Quote(KeyOf(request.key));
      out << ';';
    }
    out << '\n';
  }
  if (program.ladder_steps > 0) {
    out << "one more client: for n from 1 to " << program.ladder_steps << ": RawPut " << kFirstRung
        << " = n; RawPut " << kSecondRung << " = n\n";
  }
  return out;
}

rc::Gen<Program> AnyProgram() {
  using Type = Request::Type;
  const auto request = gen::build<Request>(
      gen::set(&Request::type,
               gen::weightedElement<Type>(
                   {{4, Type::kGet}, {4, Type::kPut}, {1, Type::kDelete}, {2, Type::kScan}})),
      gen::set(&Request::key, InRange(0, kKeys)));
  const auto clients = gen::resize(
      6, gen::container<std::vector<Requests>>(gen::resize(10, gen::container<Requests>(request))));
  return gen::build<Program>(gen::set(&Program::seed, InRange<uint64_t>(0, 1000)),
                             gen::set(&Program::sync_writes, gen::element(true, false)),
                             gen::set(&Program::small_tables, gen::element(false, true)),
                             gen::set(&Program::clients, clients),
                             gen::set(&Program::ladder_steps, InRange(0, 6)));
}

// A storage that suspends around every call, so that others come in between wherever they may.
class SuspendingStorage : public Storage {
 public:
  SuspendingStorage(Storage& storage, sim::SimExecutor& executor)
      : storage_(storage), executor_(executor) {}

  asio::awaitable<absl::Status> Write(const kvrpcpb::Context& context, WriteSet writes) override {
    co_await sim::Yield(executor_);
    absl::Status status = co_await storage_.Write(context, std::move(writes));
    co_await sim::Yield(executor_);
    co_return status;
  }

  asio::awaitable<absl::StatusOr<std::unique_ptr<StorageReader>>> Reader(
      const kvrpcpb::Context& context) override {
    co_await sim::Yield(executor_);
    auto reader = co_await storage_.Reader(context);
    co_await sim::Yield(executor_);
    co_return reader;
  }

 private:
  Storage& storage_;
  sim::SimExecutor& executor_;
};

class Session {
 public:
  explicit Session(const Program& program)
      : program_(program),
        store_({.seed = program.seed,
                .sync_writes = program.sync_writes,
                .small_tables = program.small_tables}) {}

  Result Run() {
    if (const absl::Status status = store_.Start(); !status.ok()) return Wrong(status.ToString());
    SuspendingStorage storage(store_.storage(), store_.executor());
    RawHandlers handlers(storage, {});
    handlers_ = &handlers;
    Result finding = RunClients();
    if (!finding.has_value()) finding = CheckHistory(recorder_);
    if (!finding.has_value()) finding = CheckSnapshots();
    if (finding.has_value()) finding->events = check::ToEvents(recorder_.history());
    return finding;
  }

 private:
  Result RunClients() {
    std::vector<std::shared_ptr<sim::Pending<bool>>> running;
    for (size_t i = 0; i < program_.clients.size(); ++i) {
      const int client = static_cast<int>(i) + 1;
      running.push_back(sim::Spawn(store_.executor(), RunClient(client, program_.clients[i])));
    }
    running.push_back(sim::Spawn(store_.executor(), ClimbLadder()));
    while (store_.RunOne()) {
    }
    for (const auto& client : running) {
      if (!client->done()) return Stuck("a client waits for an answer that nobody will give");
      client->Take();
    }
    return finding_;
  }

  asio::awaitable<bool> RunClient(int client, const Requests& requests) {
    for (const Request& request : requests) {
      const std::string value = Concat('v', ++values_);
      absl::Status status;
      switch (request.type) {
        case Request::Type::kGet:
          status = co_await Get(client, KeyOf(request.key));
          break;
        case Request::Type::kPut:
          status = co_await Put(client, KeyOf(request.key), value);
          break;
        case Request::Type::kDelete:
          status = co_await Delete(client, KeyOf(request.key));
          break;
        case Request::Type::kScan:
          status = co_await Scan(client);
          break;
      }
      if (!Went(client, status)) co_return false;
    }
    co_return true;
  }

  asio::awaitable<bool> ClimbLadder() {
    constexpr int kClient = 0;
    for (int step = 1; step <= program_.ladder_steps; ++step) {
      absl::Status status = co_await Put(kClient, kFirstRung, Concat(step));
      if (!Went(kClient, status)) co_return false;
      status = co_await Put(kClient, kSecondRung, Concat(step));
      if (!Went(kClient, status)) co_return false;
    }
    co_return true;
  }

  // Notes an error, and tells whether a client should go on.
  bool Went(int client, const absl::Status& status) {
    if (!status.ok() && !finding_.has_value()) {
      finding_ = Wrong(
          Concat("client ", client, " got an error, and nothing is wrong: ", MessageOf(status)));
    }
    return !finding_.has_value();
  }

  asio::awaitable<absl::Status> Get(int client, std::string key) {
    const size_t number = recorder_.Call(OperationOf(client, Operation::Type::kGet, key));
    kvrpcpb::RawGetRequest request;
    request.set_key(key);
    TKV_CO_ASSIGN_OR_RETURN(const auto response, co_await handlers_->RawGet(request));
    recorder_.Return(number, response.not_found() ? std::nullopt : std::optional(response.value()));
    co_return absl::OkStatus();
  }

  asio::awaitable<absl::Status> Put(int client, std::string key, std::string value) {
    Operation operation = OperationOf(client, Operation::Type::kPut, key);
    operation.value = value;
    const size_t number = recorder_.Call(operation);
    kvrpcpb::RawPutRequest request;
    request.set_key(key);
    request.set_value(value);
    TKV_CO_ASSIGN_OR_RETURN(const auto response, co_await handlers_->RawPut(request));
    if (response.error().empty()) recorder_.Return(number);
    co_return absl::OkStatus();
  }

  asio::awaitable<absl::Status> Delete(int client, std::string key) {
    const size_t number = recorder_.Call(OperationOf(client, Operation::Type::kDelete, key));
    kvrpcpb::RawDeleteRequest request;
    request.set_key(key);
    TKV_CO_ASSIGN_OR_RETURN(const auto response, co_await handlers_->RawDelete(request));
    if (response.error().empty()) recorder_.Return(number);
    co_return absl::OkStatus();
  }

  // To the checker a scan is a get of every key.
  asio::awaitable<absl::Status> Scan(int client) {
    std::vector<size_t> numbers;
    for (int key = 0; key < kKeys; ++key) {
      numbers.push_back(recorder_.Call(OperationOf(client, Operation::Type::kGet, KeyOf(key))));
    }
    kvrpcpb::RawScanRequest request;
    request.set_limit(100);
    TKV_CO_ASSIGN_OR_RETURN(const auto response, co_await handlers_->RawScan(request));
    std::map<std::string, std::string> found;
    for (const auto& pair : response.kvs()) found[pair.key()] = pair.value();
    for (int key = 0; key < kKeys; ++key) {
      const auto at = found.find(KeyOf(key));
      recorder_.Return(numbers[key], at == found.end() ? std::nullopt : std::optional(at->second));
    }
    CheckLadder(client, found[kFirstRung], found[kSecondRung]);
    co_return absl::OkStatus();
  }

  // At each moment the first rung is where the second is, or one step ahead.
  void CheckLadder(int client, const std::string& first, const std::string& second) {
    const int ahead = StepOf(first) - StepOf(second);
    if ((ahead == 0 || ahead == 1) || finding_.has_value()) return;
    finding_ = Wrong(Concat("a scan of client ", client, " found ", kFirstRung, " = ",
                            first.empty() ? "nothing" : first, " and ", kSecondRung, " = ",
                            second.empty() ? "nothing" : second,
                            "; there was no moment when it was so: ", kFirstRung,
                            " is always written first"));
  }

  static int StepOf(const std::string& value) { return value.empty() ? 0 : std::stoi(value); }

  static Operation OperationOf(int client, Operation::Type type, const std::string& key) {
    return {.client = client, .type = type, .key = key};
  }

  Result CheckSnapshots() {
    const uint64_t snapshots = store_.storage().GetStatistics().live_snapshots;
    if (snapshots == 0) return std::nullopt;
    return Wrong(Concat("all requests are answered, and the engine still keeps ",
                        Counted(snapshots, "snapshot"), ": readers were not closed"));
  }

  const Program& program_;
  SimStore store_;
  RawHandlers* handlers_ = nullptr;  // set while it runs
  check::Recorder recorder_;
  Result finding_;  // the first of any client
  int values_ = 0;
};

Result Run(const Program& program) {
  Session session(program);
  return session.Run();
}

}  // namespace

Task RawClients() {
  return {.id = "1-raw-clients",
          .run = [](uint64_t seed) { return CheckProgram<Program>(seed, AnyProgram(), Run); }};
}

}  // namespace tinykv::grading
