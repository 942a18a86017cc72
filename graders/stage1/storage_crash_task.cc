// 1-storage-crash: clients write at the same time, and something happens at a change of a file;
// then what of it for every change in turn: the process dies, the machine loses power, or the disk
// refuses.
#include <array>
#include <memory>
#include <ostream>

#include "common/status.h"
#include "common/strings.h"
#include "graders/stage1/sim_store.h"
#include "graders/stage1/tasks.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;

struct Program {
  uint64_t seed = 0;
  bool sync_writes = true;
  bool small_tables = false;
  // What each client writes, one write after the other, to keys of its own.
  std::vector<std::vector<PlannedWrite>> clients = {};
};

std::string ClientPrefix(size_t client) { return Concat("client", client + 1, '-'); }
std::string NameOf(size_t client, size_t write) { return Concat("c", client + 1, "w", write + 1); }

std::ostream& operator<<(std::ostream& out, const Program& program) {
  out << "a storage with sync_writes = " << (program.sync_writes ? "true" : "false") << '\n';
  for (size_t client = 0; client < program.clients.size(); ++client) {
    const auto& writes = program.clients[client];
    for (size_t i = 0; i < writes.size(); ++i) {
      const NamedWrite write{writes[i], NameOf(client, i), ClientPrefix(client)};
      out << "client " << client + 1 << ": Write " << write.name << ": " << ToText(write) << '\n';
    }
  }
  return out;
}

rc::Gen<Program> AnyProgram() {
  const auto writes = gen::resize(5, gen::container<std::vector<PlannedWrite>>(AnyWrite(5)));
  return gen::build<Program>(
      gen::set(&Program::seed, InRange<uint64_t>(0, 1000)),
      gen::set(&Program::sync_writes, gen::weightedElement<bool>({{3, true}, {1, false}})),
      gen::set(&Program::small_tables, gen::element(false, true)),
      gen::set(&Program::clients,
               gen::resize(4, gen::container<std::vector<std::vector<PlannedWrite>>>(writes))));
}

enum class Trouble { kProcessDies, kPowerLoss, kFailedChange };
constexpr std::array kTroubles = {Trouble::kProcessDies, Trouble::kPowerLoss,
                                  Trouble::kFailedChange};

struct Incident {
  Trouble trouble = Trouble::kProcessDies;
  uint64_t at_change = 0;  // 0: nothing happens
};

std::string ToText(const Incident& incident) {
  std::string at = Concat(" at change ", incident.at_change, " of a file");
  switch (incident.trouble) {
    case Trouble::kProcessDies:
      return Concat("the process died", at);
    case Trouble::kPowerLoss:
      return Concat("the machine lost power", at);
    case Trouble::kFailedChange:
      return Concat("the disk failed", at, " (EIO)");
  }
  return at;
}

// How far a client has come.
struct Progress {
  size_t acknowledged = 0;
  bool refused = false;  // a write returned an error, and the client stopped there
};

// One run of a program with one incident.
class Session {
 public:
  Session(const Program& program, const Incident& incident)
      : program_(program),
        incident_(incident),
        store_({.seed = program.seed + incident.at_change,
                .sync_writes = program.sync_writes,
                .small_tables = program.small_tables}),
        progress_(program.clients.size()) {}

  Result Run() {
    if (const absl::Status status = store_.Start(); !status.ok()) return Wrong(status.ToString());
    AnnounceIncident();
    Result finding = RunClients();
    changes_ = store_.disk().changes();
    if (!finding.has_value()) finding = Stop();
    // What the restart does to files would only push these out.
    const std::vector<std::string> events = store_.disk().recent_operations();
    if (!finding.has_value()) finding = Restart();
    if (finding.has_value()) finding->events = events;
    return finding;
  }

  // That the clients made, before the restart.
  uint64_t changes() const { return changes_; }

 private:
  void AnnounceIncident() {
    if (incident_.trouble == Trouble::kFailedChange && incident_.at_change > 0) {
      store_.disk().SetFaults({.failed_change = {{.at = incident_.at_change}}});
    } else {
      store_.disk().SetFaults({.halt_at_change = incident_.at_change});
    }
  }

  Result RunClients() {
    std::vector<std::shared_ptr<sim::Pending<bool>>> clients;
    for (size_t client = 0; client < program_.clients.size(); ++client) {
      clients.push_back(sim::Spawn(store_.executor(), RunClient(client)));
    }
    while (!store_.disk().halted() && store_.RunOne()) {
    }
    if (store_.disk().halted()) store_.End(EndOf(incident_.trouble));
    for (size_t client = 0; client < clients.size(); ++client) {
      if (!clients[client]->done()) {
        if (incident_.trouble != Trouble::kFailedChange && incident_.at_change > 0) continue;
        return Stuck(Concat(Before(), "write ", NameOf(client, progress_[client].acknowledged),
                            " is never answered"));
      }
      clients[client]->Take();
      if (incident_.at_change == 0 && progress_[client].refused) {
        return Wrong(Concat("Write ", NameOf(client, progress_[client].acknowledged),
                            " was answered with an error, and nothing is wrong with it"));
      }
    }
    return std::nullopt;
  }

  static SimStore::Crash EndOf(Trouble trouble) {
    return trouble == Trouble::kPowerLoss ? SimStore::Crash::kPower : SimStore::Crash::kProcess;
  }

  asio::awaitable<bool> RunClient(size_t client) {
    const kvrpcpb::Context context;
    const auto& writes = program_.clients[client];
    for (size_t i = 0; i < writes.size(); ++i) {
      co_await sim::Yield(store_.executor());
      if (store_.ended()) co_return true;
      WriteSet write = ToWriteSet({writes[i], NameOf(client, i), ClientPrefix(client)});
      const absl::Status status = co_await store_.storage().Write(context, std::move(write));
      if (store_.ended() && !status.ok()) co_return true;
      if (!status.ok()) {
        progress_[client].refused = true;
        co_return true;
      }
      ++progress_[client].acknowledged;
    }
    co_return true;
  }

  // Ends the process in good order, unless it has ended already.
  Result Stop() {
    if (store_.ended()) return std::nullopt;
    // Errors of closing are fine on a disk that has failed; loss would not be.
    const absl::Status status = store_.Stop();
    if (!status.ok() && incident_.at_change == 0) return Wrong(status.ToString());
    if (store_.disk().halted()) store_.End(EndOf(incident_.trouble));  // while it closed
    return std::nullopt;
  }

  // Every client must find its acknowledged writes, and the one it had no answer to whole or not
  // at all.
  Result Restart() {
    const auto found = store_.ReadEngine();
    if (!found.ok()) {
      return Wrong(
          Concat(Before(), "the engine cannot be opened again: ", MessageOf(found.status())));
    }
    for (size_t client = 0; client < program_.clients.size(); ++client) {
      if (Result finding = CheckClient(client, OfClient(*found, client))) return finding;
    }
    return std::nullopt;
  }

  Result CheckClient(size_t client, const Content& found) const {
    const auto& writes = program_.clients[client];
    const size_t acknowledged = progress_[client].acknowledged;
    const Content before = StateAfter(client, acknowledged);
    std::string difference = Difference(before, found);
    if (difference.empty()) return std::nullopt;
    if (acknowledged == writes.size()) return Lost(client, difference);
    const Content after = StateAfter(client, acknowledged + 1);
    if (Difference(after, found).empty()) return std::nullopt;
    return IsMixture(before, after, found) ? HalfApplied(client, found, before, after)
                                           : Lost(client, difference);
  }

  // Is each place as it was before the last write, or as that write makes it?
  static bool IsMixture(const Content& before, const Content& after, const Content& found) {
    Content places = before;
    places.insert(after.begin(), after.end());
    places.insert(found.begin(), found.end());
    for (const auto& [place, value] : places) {
      const bool is_old = ValueAt(found, place) == ValueAt(before, place);
      const bool is_new = ValueAt(found, place) == ValueAt(after, place);
      if (!is_old && !is_new) return false;
    }
    return true;
  }

  static std::optional<std::string> ValueAt(const Content& content, const Place& place) {
    const auto at = content.find(place);
    if (at == content.end()) return std::nullopt;
    return at->second;
  }

  Result Lost(size_t client, const std::string& difference) const {
    const size_t acknowledged = progress_[client].acknowledged;
    return Wrong(Concat(Before(), difference, ": client ", client + 1, " had an OK for ",
                        acknowledged == 0 ? "nothing" : "every write up to ",
                        acknowledged == 0 ? "" : NameOf(client, acknowledged - 1),
                        ", and what is acknowledged must survive"));
  }

  Result HalfApplied(size_t client, const Content& found, const Content& before,
                     const Content& after) const {
    return Wrong(Concat(Before(), "write ", NameOf(client, progress_[client].acknowledged),
                        " is there in part (of the new: ", Difference(before, found),
                        "; of the old: ", Difference(after, found),
                        "): a write set is applied whole or not at all"));
  }

  Content StateAfter(size_t client, size_t writes) const {
    Content content;
    for (size_t i = 0; i < writes; ++i) {
      Apply({program_.clients[client][i], NameOf(client, i), ClientPrefix(client)}, content);
    }
    return content;
  }

  static Content OfClient(const Content& content, size_t client) {
    Content own;
    for (const auto& [place, value] : content) {
      if (place.second.starts_with(ClientPrefix(client))) own.emplace(place, value);
    }
    return own;
  }

  // How a sentence begins.
  std::string Before() const {
    return incident_.at_change == 0 ? "" : Concat("after ", ToText(incident_), ", ");
  }

  const Program& program_;
  const Incident incident_;
  SimStore store_;
  std::vector<Progress> progress_;
  uint64_t changes_ = 0;
};

Result Run(const Program& program) {
  Session calm(program, {});
  if (Result finding = calm.Run()) return finding;
  for (const Trouble trouble : kTroubles) {
    if (trouble == Trouble::kPowerLoss && !program.sync_writes) continue;  // it may lose those
    for (uint64_t at = 1; at <= calm.changes(); ++at) {
      Session session(program, {.trouble = trouble, .at_change = at});
      if (Result finding = session.Run()) return finding;
    }
  }
  return std::nullopt;
}

}  // namespace

Task StorageCrash() {
  return {.id = "1-storage-crash",
          .run = [](uint64_t seed) { return CheckProgram<Program>(seed, AnyProgram(), Run); }};
}

}  // namespace tinykv::grading
