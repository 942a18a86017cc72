#include "graders/stage2/raft_search.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/coding.h"
#include "common/strings.h"
#include "graders/stage2/message_pattern.h"
#include "graders/stage2/offer_trace.h"
#include "graders/stage2/script_group.h"

namespace tinykv::grading {
namespace {

using CrashPoint = RaftGroup::CrashPoint;
using raft::PeerId;

struct Action {
  enum class Kind : uint8_t { kStart, kDeliver, kTimeout, kPropose, kBeat, kCrash };
  Kind kind = Kind::kStart;
  CrashPoint crash = CrashPoint::kNever;
  PeerId peer = raft::kNone;  // not for messages
  uint32_t message = 0;       // place in flight
};

struct State {
  RaftGroup group;
  SearchBudget budget;
};

// How a state was reached first.
struct Step {
  size_t before;
  Action action;
};

PeerId ActorOf(const RaftGroup& group, const Action& action) {
  return action.kind == Action::Kind::kDeliver ? group.flight()[action.message].message->to
                                               : action.peer;
}

// What the action does to one member, or to the messages.
void DoTo(RaftGroup& group, const Action& action) {
  const auto local = [&](raft::MessageType type) {
    group.Input(
        action.peer, [type](raft::RaftCore& core) { core.Step({.type = type}); }, action.crash);
  };
  switch (action.kind) {
    case Action::Kind::kStart:
      return;
    case Action::Kind::kDeliver:
      group.Deliver(action.message, action.crash);
      return;
    case Action::Kind::kTimeout:
      local(raft::MessageType::kHup);
      return;
    case Action::Kind::kBeat:
      local(raft::MessageType::kBeat);
      return;
    case Action::Kind::kPropose:
      group.Input(action.peer, [](raft::RaftCore& core) {
        // All proposals are told apart by where they stand.
        core.Propose(raft::EntryType::kNormal, {raft::Payload("x")}).IgnoreError();
      });
      return;
    case Action::Kind::kCrash:
      group.Crash(action.peer);
      return;
  }
}

void Do(State& state, const Action& action) {
  const PeerId actor = ActorOf(state.group, action);
  DoTo(state.group, action);
  // Who crashes is there again before anything else happens: a pause is a message that is late.
  if (actor != raft::kNone && !state.group.IsUp(actor)) state.group.Start(actor);
  state.budget.timeouts -= action.kind == Action::Kind::kTimeout ? 1 : 0;
  state.budget.proposals -= action.kind == Action::Kind::kPropose ? 1 : 0;
  state.budget.beats -= action.kind == Action::Kind::kBeat ? 1 : 0;
  const bool crashes = action.kind == Action::Kind::kCrash || action.crash != CrashPoint::kNever;
  state.budget.crashes -= crashes ? 1 : 0;
}

std::string ToText(const RaftGroup& group, const Action& action) {
  const auto message = [&] { return Describe(*group.flight()[action.message].message); };
  const char* crash = action.crash == CrashPoint::kBeforeWrite
                          ? "; peer crashes before this is on its disk, and starts again"
                      : action.crash == CrashPoint::kAfterWrite
                          ? "; peer crashes when this is on its disk, and starts again"
                          : "";
  switch (action.kind) {
    case Action::Kind::kStart:
      return "all start";
    case Action::Kind::kDeliver:
      return Concat("arrives: ", message(), crash);
    case Action::Kind::kTimeout:
      return Concat("peer ", action.peer, " times out", crash);
    case Action::Kind::kPropose:
      return Concat("peer ", action.peer, " is asked to append an entry");
    case Action::Kind::kBeat:
      return Concat("peer ", action.peer, " sends heartbeats");
    case Action::Kind::kCrash:
      return Concat("peer ", action.peer, " crashes and starts again");
  }
  return "?";
}

// Everything that may happen next.
class Choices {
 public:
  explicit Choices(const State& state) : state_(state) {
    AddMessages();
    for (PeerId id = 1; id <= state.group.size(); ++id) AddInputs(id);
  }

  std::vector<Action> Take() { return std::move(actions_); }

 private:
  void Add(Action action) {
    actions_.push_back(action);
    // Crashes in the middle of what has to be remembered. Elsewhere they are crashes in between.
    const bool matters =
        action.kind == Action::Kind::kDeliver || action.kind == Action::Kind::kTimeout;
    if (!matters || state_.budget.crashes == 0) return;
    for (const CrashPoint crash : {CrashPoint::kBeforeWrite, CrashPoint::kAfterWrite}) {
      action.crash = crash;
      actions_.push_back(action);
    }
  }

  void AddMessages() {
    const auto& flight = state_.group.flight();
    for (uint32_t i = 0; i < flight.size(); ++i) {
      Add({.kind = Action::Kind::kDeliver, .message = i});
    }
  }

  void AddInputs(PeerId id) {
    const bool leads = state_.group.member(id).core().role() == raft::Role::kLeader;
    if (!leads && state_.budget.timeouts > 0) Add({.kind = Action::Kind::kTimeout, .peer = id});
    if (leads && state_.budget.proposals > 0) Add({.kind = Action::Kind::kPropose, .peer = id});
    if (leads && state_.budget.beats > 0) Add({.kind = Action::Kind::kBeat, .peer = id});
    if (state_.budget.crashes > 0) Add({.kind = Action::Kind::kCrash, .peer = id});
  }

  const State& state_;
  std::vector<Action> actions_;
};

// A message about the log, where the case has elections only.
bool IsLost(const SearchCase& search, const raft::Message& message) {
  return search.only_votes && message.type != raft::MessageType::kRequestVote &&
         message.type != raft::MessageType::kRequestVoteResponse;
}

void DropLost(const SearchCase& search, RaftGroup& group) {
  for (size_t i = group.flight().size(); i > 0; --i) {
    if (IsLost(search, *group.flight()[i - 1].message)) group.Drop(i - 1);
  }
}

State Beginning(const SearchCase& search) {
  State state{.group = RaftGroup(search.options), .budget = search.budget};
  RaftGroup& group = state.group;
  for (const auto& [id, stored] : search.stored) group.Add(stored);
  for (const auto& [id, stored] : search.stored) group.Start(id);
  if (search.begins_with_leader) {
    DoTo(group, {.kind = Action::Kind::kTimeout, .peer = 1});
    while (!group.flight().empty()) group.Deliver(0);
  }
  group.KeepMessages();
  return state;
}

class Searcher {
 public:
  explicit Searcher(const SearchCase& search) : search_(search) {}

  SearchReport Run() {
    steps_.push_back({.before = 0, .action = {}});
    Enqueue(Beginning(search_), 0, 0);
    while (!queue_.empty() && !report_.finding && report_.states < search_.states_max) {
      const Waiting next = std::move(queue_.front());
      queue_.pop_front();
      report_.depth = next.depth;
      for (const Action& action : Choices(next.state).Take()) {
        if (next.depth == 0 && search_.is_symmetric && action.peer > 1) continue;
        Try(next, action);
        if (report_.finding) break;
      }
    }
    report_.is_complete = queue_.empty();
    return std::move(report_);
  }

 private:
  struct Waiting {
    State state;
    size_t step;
    uint64_t depth;
  };

  void Enqueue(State state, size_t step, uint64_t depth) {
    std::string left;
    for (const int number : {state.budget.timeouts, state.budget.proposals, state.budget.beats,
                             state.budget.crashes}) {
      PutVarint64(&left, static_cast<uint64_t>(number));
    }
    if (!seen_.insert(Combine(state.group.Print(), FingerprintOf(left))).second) return;
    ++report_.states;
    queue_.push_back({.state = std::move(state), .step = step, .depth = depth});
  }

  void Try(const Waiting& from, const Action& action) {
    ++report_.transitions;
    const Fingerprint effect = EffectOf(from.state.group, action);
    if (without_effect_.contains(effect)) return;
    State state = from.state;
    Result thrown = Guarded([&]() -> Result {
      Do(state, action);
      return std::nullopt;
    });
    DropLost(search_, state.group);
    if (!thrown && IsSame(from.state, state)) {
      without_effect_.insert(effect);
      return;
    }
    const size_t step = steps_.size();
    steps_.push_back({.before = from.step, .action = action});
    if (thrown) {
      report_.finding = Tell(step, std::move(*thrown));
    } else if (const auto& violation = state.group.violation()) {
      report_.finding = Tell(step, Wrong(Concat(violation->invariant, ": ", violation->sentence)));
    } else {
      Enqueue(std::move(state), step, from.depth + 1);
    }
    // A step that leads nowhere new is not needed any more.
    if (!report_.finding && (queue_.empty() || queue_.back().step != step)) steps_.pop_back();
  }

  // What an action does depends on nothing but the member and the message.
  static Fingerprint EffectOf(const RaftGroup& group, const Action& action) {
    if (action.kind != Action::Kind::kDeliver || action.crash != CrashPoint::kNever) return {};
    const auto& flying = group.flight()[action.message];
    return Combine(group.PrintOf(flying.message->to), flying.print);
  }

  // Most messages that arrive again change nothing.
  static bool IsSame(const State& before, const State& after) {
    return before.budget == after.budget && !after.group.violation() &&
           before.group.Print() == after.group.Print();
  }

  // The way to `step`, with a trace.
  Finding Tell(size_t step, Finding finding) const {
    if (finding.verdict == Verdict::kNotStarted) return finding;
    std::vector<Action> way;
    for (; step != 0; step = steps_[step].before) way.push_back(steps_[step].action);
    std::reverse(way.begin(), way.end());

    const auto trace = std::make_shared<sim::Trace>(true);
    OfferTraceOf(trace);
    finding.program = Concat("case: ", search_.name, "\n") + Replay(way, *trace);
    finding.events = trace->LastEvents(30);
    finding.sentence += Concat(" (", Counted(way.size(), "step"), ", the shortest way there)");
    return finding;
  }

  std::string Replay(const std::vector<Action>& way, sim::Trace& trace) const {
    ScriptGroup script(search_.options, trace);
    State state = Beginning(search_);
    script.group() = state.group;
    script.Begin("all start");
    script.End();
    std::string program;
    for (const Action& action : way) {
      const std::string text = ToText(script.group(), action);
      program += text + '\n';
      script.Begin(text);
      State copy{.group = script.group(), .budget = search_.budget};
      Guarded([&]() -> Result {
        Do(copy, action);
        return std::nullopt;
      });
      DropLost(search_, copy.group);
      script.group() = std::move(copy.group);
      script.End();
    }
    return program;
  }

  const SearchCase& search_;
  SearchReport report_;
  std::deque<Waiting> queue_;
  std::vector<Step> steps_;  // 0: the beginning
  std::unordered_set<Fingerprint, FingerprintHash> seen_;
  std::unordered_set<Fingerprint, FingerprintHash> without_effect_;
};

}  // namespace

SearchReport Search(const SearchCase& search) { return Searcher(search).Run(); }

}  // namespace tinykv::grading
