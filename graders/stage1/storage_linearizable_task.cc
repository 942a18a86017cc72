// 1-storage-linearizable: clients read and write a few keys at the same time, the process may die
// in the middle, and one order of all operations must explain what everybody saw.
//
// Each put writes its value to two column families in one write set, and each get reads both with
// one reader, so that a write or a reader that is not of one moment shows, too.
#include <algorithm>
#include <array>
#include <ostream>

#include "common/status.h"
#include "common/strings.h"
#include "graders/check/recorder.h"
#include "graders/stage1/check_history.h"
#include "graders/stage1/sim_store.h"
#include "graders/stage1/tasks.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;

using check::Operation;

struct Request {
  Operation::Type type = Operation::Type::kGet;
  int key = 0;
};
using Requests = std::vector<Request>;

struct Program {
  uint64_t seed = 0;
  bool small_tables = false;
  // What each client does, one request after the other; then again after the process died.
  std::vector<Requests> clients = {};
  std::vector<Requests> clients_after_crash = {};
  // After so many turns the process dies. 0: it does not, and nothing comes after.
  int crash_after_turns = 0;
};

constexpr int kKeys = 3;

void PrintClients(std::ostream& out, const std::vector<Requests>& clients) {
  constexpr std::array<std::string_view, 3> kNames = {"get", "put", "delete"};
  for (size_t client = 0; client < clients.size(); ++client) {
    out << "client " << client + 1 << ':';
    for (const Request& request : clients[client]) {
      out << ' ' << kNames.at(static_cast<size_t>(request.type)) << ' ' << Quote(KeyOf(request.key))
          << ';';
    }
    out << '\n';
  }
}

std::ostream& operator<<(std::ostream& out, const Program& program) {
  out << "at the same time (order of turns drawn from " << program.seed << "):\n";
  PrintClients(out, program.clients);
  if (program.crash_after_turns > 0) {
    out << "after turn " << program.crash_after_turns << " the process dies; it restarts, then:\n";
    PrintClients(out, program.clients_after_crash);
  }
  return out;
}

rc::Gen<Program> AnyProgram() {
  using Type = Operation::Type;
  const auto request = gen::build<Request>(
      gen::set(&Request::type,
               gen::weightedElement<Type>({{4, Type::kGet}, {4, Type::kPut}, {1, Type::kDelete}})),
      gen::set(&Request::key, InRange(0, kKeys)));
  const auto clients = gen::resize(
      6, gen::container<std::vector<Requests>>(gen::resize(12, gen::container<Requests>(request))));
  const auto turns = gen::weightedOneOf<int>({{1, gen::just(0)}, {1, InRange(1, 80)}});
  return gen::build<Program>(gen::set(&Program::seed, InRange<uint64_t>(0, 1000)),
                             gen::set(&Program::small_tables, gen::element(false, true)),
                             gen::set(&Program::clients, clients),
                             gen::set(&Program::clients_after_crash, clients),
                             gen::set(&Program::crash_after_turns, turns));
}

class Session {
 public:
  explicit Session(const Program& program)
      : program_(program), store_({.seed = program.seed, .small_tables = program.small_tables}) {}

  Result Run() {
    Result finding = Live(program_.clients, program_.crash_after_turns);
    if (!finding.has_value() && program_.crash_after_turns > 0) {
      store_.End(SimStore::Crash::kProcess);
      finding = Live(program_.clients_after_crash, 0);
    }
    if (!finding.has_value()) finding = CheckHistory(recorder_);
    if (finding.has_value()) finding->events = check::ToEvents(recorder_.history());
    return finding;
  }

 private:
  // From a start of the process to its end.
  Result Live(const std::vector<Requests>& clients, int turns_max) {
    if (const absl::Status status = store_.Start(); !status.ok()) return Wrong(status.ToString());
    std::vector<std::shared_ptr<sim::Pending<bool>>> running;
    for (const Requests& requests : clients) {
      running.push_back(sim::Spawn(store_.executor(), RunClient(++clients_, requests)));
    }
    int turns = 0;
    while ((turns_max == 0 || turns < turns_max) && store_.RunOne()) ++turns;
    for (const auto& client : running) {
      if (client->done()) {
        client->Take();
      } else if (turns_max == 0) {
        return Stuck("a client waits for an answer that nobody will give");
      }
    }
    return finding_;
  }

  asio::awaitable<bool> RunClient(int client, const Requests& requests) {
    for (const Request& request : requests) {
      co_await sim::Yield(store_.executor());
      if (store_.ended()) co_return true;
      absl::Status status;
      if (request.type == Operation::Type::kGet) {
        status = co_await Get(client, request);
      } else {
        status = co_await Write(client, request);
      }
      if (store_.ended()) co_return true;
      if (!status.ok()) {
        finding_ = Wrong(
            Concat("client ", client, " got an error, and nothing is wrong: ", MessageOf(status)));
      }
      if (finding_.has_value()) co_return false;
    }
    co_return true;
  }

  asio::awaitable<absl::Status> Write(int client, Request request) {
    const std::string key = KeyOf(request.key);
    WriteSet writes;
    Operation operation{.client = client, .type = request.type, .key = key};
    for (const ColumnFamily family : {ColumnFamily::kDefault, ColumnFamily::kLock}) {
      if (request.type == Operation::Type::kDelete) {
        writes.Delete(family, key);
      } else {
        operation.value = Concat('v', values_ + 1);
        writes.Put(family, key, *operation.value);
      }
    }
    ++values_;
    const size_t number = recorder_.Call(operation);
    absl::Status status = co_await store_.storage().Write(context_, std::move(writes));
    if (status.ok() && !store_.ended()) recorder_.Return(number);
    co_return status;
  }

  asio::awaitable<absl::Status> Get(int client, Request request) {
    const std::string key = KeyOf(request.key);
    const size_t number =
        recorder_.Call({.client = client, .type = Operation::Type::kGet, .key = key});
    TKV_CO_ASSIGN_OR_RETURN(const auto reader, co_await store_.storage().Reader(context_));
    TKV_CO_ASSIGN_OR_RETURN(auto first, reader->Get(ColumnFamily::kDefault, key));
    co_await sim::Yield(store_.executor());
    if (store_.ended()) co_return absl::OkStatus();
    TKV_CO_ASSIGN_OR_RETURN(const auto second, reader->Get(ColumnFamily::kLock, key));
    if (first != second) {
      finding_ =
          Wrong(Concat("one reader of client ", client, " found ", ToText(first), " at cf default ",
                       Quote(key), " and ", ToText(second), " at cf lock ", Quote(key),
                       "; every write set gives both the same value, so the reader or the "
                       "write was not of one moment"));
    }
    recorder_.Return(number, std::move(first));
    co_return absl::OkStatus();
  }

  const Program& program_;
  const kvrpcpb::Context context_;
  SimStore store_;
  check::Recorder recorder_;
  Result finding_;  // the first of any client
  int clients_ = 0;
  int values_ = 0;
};

Result Run(const Program& program) {
  Session session(program);
  return session.Run();
}

}  // namespace

Task StorageLinearizable() {
  return {.id = "1-storage-linearizable",
          .run = [](uint64_t seed) { return CheckProgram<Program>(seed, AnyProgram(), Run); }};
}

}  // namespace tinykv::grading
