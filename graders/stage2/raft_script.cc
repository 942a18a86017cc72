#include "graders/stage2/raft_script.h"

#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "common/check.h"
#include "common/status.h"
#include "common/strings.h"
#include "graders/stage2/script_expect.h"
#include "graders/stage2/script_group.h"
#include "stage2-raftkv/raft/bootstrap.h"

namespace tinykv::grading {
namespace {

using Words = std::vector<std::string>;

struct Line {
  Words words = {};
  std::string text = {};     // without the comment
  std::string comment = {};  // what follows '#'
};

Line ParseLine(const std::string& raw) {
  Line line;
  const size_t hash = raw.find('#');
  line.text = raw.substr(0, hash);
  while (line.text.ends_with(' ')) line.text.pop_back();
  const size_t comment = raw.find_first_not_of("# ", std::min(hash, raw.size()));
  if (comment != std::string::npos) line.comment = raw.substr(comment);
  std::istringstream words(line.text);
  for (std::string word; words >> word;) line.words.push_back(word);
  return line;
}

// Who is meant: "2", or "all" who are up.
class ScriptRunner {
 public:
  explicit ScriptRunner(sim::Trace& trace) : trace_(trace) {}

  // Errors: kInvalidArgument: the line makes no sense. kFailedPrecondition: it is not as expected.
  absl::Status Run(const Line& line) {
    Words words = line.words;
    const std::string name = words[0];
    words.erase(words.begin());
    const auto command = Commands().find(name);
    if (command == Commands().end()) return InvalidArgument("there is no command ", Quote(name));
    if (name == "group" || name == "peer") return (this->*command->second)(words);
    StartAll();
    group_->Begin(line.text);
    absl::Status status = (this->*command->second)(words);
    group_->End();
    return status;
  }

  const std::optional<RaftViolation>& violation() const {
    static const std::optional<RaftViolation> none;
    return group_ ? group_->group().violation() : none;
  }

 private:
  using Command = absl::Status (ScriptRunner::*)(Words&);

  static const std::map<std::string, Command>& Commands() {
    static const std::map<std::string, Command> commands = {
        {"group", &ScriptRunner::Group},
        {"peer", &ScriptRunner::Peer},
        {"campaign", &ScriptRunner::Campaign},
        {"tick", &ScriptRunner::Tick},
        {"beat", &ScriptRunner::Beat},
        {"propose", &ScriptRunner::Propose},
        {"refuse-propose", &ScriptRunner::RefusePropose},
        {"deliver", &ScriptRunner::Deliver},
        {"drop", &ScriptRunner::Drop},
        {"duplicate", &ScriptRunner::Duplicate},
        {"send", &ScriptRunner::Send},
        {"cut", &ScriptRunner::Cut},
        {"isolate", &ScriptRunner::Isolate},
        {"mend", &ScriptRunner::Mend},
        {"crash", &ScriptRunner::Crash},
        {"start", &ScriptRunner::Start},
        {"restart", &ScriptRunner::Restart},
        {"compact", &ScriptRunner::Compact},
        {"switch", &ScriptRunner::Switch},
        {"read", &ScriptRunner::Read},
        {"expect", &ScriptRunner::Expectation},
    };
    return commands;
  }

  RaftGroup& group() { return group_->group(); }

  // "group 3 pre-vote": members 1 to 3 with empty logs, in term 0.
  absl::Status Group(Words& words) {
    const auto size = ParseNumber(words.at(0));
    if (!size.ok()) return size.status();
    raft::RaftOptions options;
    for (size_t i = 1; i < words.size(); ++i) {
      if (absl::Status status = SetOption(words[i], options); !status.ok()) return status;
    }
    group_.emplace(options, trace_);
    raft::Membership members;
    for (raft::PeerId id = 1; id <= *size; ++id) members.insert(id);
    for (const raft::PeerId id : members) stored_[id] = {.members = members};
    return absl::OkStatus();
  }

  static absl::Status SetOption(const std::string& word, raft::RaftOptions& options) {
    if (word == "pre-vote") {
      options.pre_vote = true;
    } else if (word == "check-quorum") {
      options.check_quorum = true;
    } else if (word == "fast-back-off") {
      options.fast_back_off = true;
    } else if (word == "commit-rides-along") {
      options.commit_rides_along = true;
    } else if (word == "one-in-flight") {
      options.flow.in_flight_messages_max = 1;
    } else if (word == "one-entry-appends") {
      options.flow.message_bytes_max = 1;
    } else {
      return InvalidArgument("there is no option ", Quote(word));
    }
    return absl::OkStatus();
  }

  // "peer 2 boundary 3@1 log 1 1 2 data a b c term 2 vote 1 commit 4": what is on its disk.
  absl::Status Peer(Words& words) {
    const auto id = ParseNumber(words.at(0));
    if (!id.ok() || !stored_.contains(*id)) return InvalidArgument("no peer ", words.at(0));
    raft::StoredState& stored = stored_[*id];
    for (size_t i = 1; i < words.size();) {
      const std::string name = words[i++];
      Words values;
      while (i < words.size() && !IsPeerField(words[i])) values.push_back(words[i++]);
      if (absl::Status status = SetPeerField(name, values, stored); !status.ok()) return status;
    }
    stored.applied = stored.boundary.index;
    stored.hard_state.commit = std::max(stored.hard_state.commit, stored.applied);
    for (const raft::Entry& entry : stored.entries) {
      stored.hard_state.term = std::max(stored.hard_state.term, entry.term);
    }
    return absl::OkStatus();
  }

  static bool IsPeerField(const std::string& word) {
    return word == "boundary" || word == "log" || word == "data" || word == "term" ||
           word == "vote" || word == "commit";
  }

  static absl::Status SetPeerField(const std::string& name, const Words& values,
                                   raft::StoredState& stored) {
    if (name == "boundary") {
      const auto boundary = ParseEntryId(values.at(0));
      if (!boundary.ok()) return boundary.status();
      stored.boundary = *boundary;
      return absl::OkStatus();
    }
    if (name == "data") {
      for (size_t i = 0; i < values.size(); ++i) {
        if (values[i] != "-") stored.entries.at(i).data = values[i];
      }
      return absl::OkStatus();
    }
    std::vector<uint64_t> numbers;
    for (const std::string& value : values) {
      const auto number = ParseNumber(value);
      if (!number.ok()) return number.status();
      numbers.push_back(*number);
    }
    if (name == "log") {
      for (const raft::Term term : numbers) {
        const raft::Index index = stored.boundary.index + stored.entries.size() + 1;
        stored.entries.push_back({.term = term, .index = index});
      }
      return absl::OkStatus();
    }
    if (name == "term") stored.hard_state.term = numbers.at(0);
    if (name == "vote") stored.hard_state.vote = numbers.at(0);
    if (name == "commit") stored.hard_state.commit = numbers.at(0);
    return absl::OkStatus();
  }

  // The first command after "group" and "peer".
  void StartAll() {
    TKV_CHECK(group_.has_value() && "a script begins with its group");
    if (is_started_) return;
    is_started_ = true;
    for (const auto& [id, stored] : stored_) group().Add(stored);
    for (const auto& [id, stored] : stored_) group().Start(id);
  }

  // Takes the words "unwritten" or "written" from the front.
  static RaftGroup::CrashPoint TakeCrashPoint(Words& words) {
    if (words.empty()) return RaftGroup::CrashPoint::kNever;
    const bool unwritten = words[0] == "unwritten";
    if (!unwritten && words[0] != "written") return RaftGroup::CrashPoint::kNever;
    words.erase(words.begin());
    return unwritten ? RaftGroup::CrashPoint::kBeforeWrite : RaftGroup::CrashPoint::kAfterWrite;
  }

  // Takes the number of a peer that is up from the front.
  absl::StatusOr<raft::PeerId> TakePeer(Words& words) {
    if (words.empty()) return InvalidArgument("which peer?");
    const auto id = ParseNumber(words[0]);
    if (!id.ok()) return id.status();
    if (!group().IsUp(*id)) return InvalidArgument("peer ", *id, " is not up");
    words.erase(words.begin());
    return *id;
  }

  absl::Status Input(Words& words, absl::FunctionRef<void(raft::RaftCore&)> input) {
    const RaftGroup::CrashPoint crash = TakeCrashPoint(words);
    const auto id = TakePeer(words);
    if (!id.ok()) return id.status();
    group().Input(*id, input, crash);
    return absl::OkStatus();
  }

  absl::Status Campaign(Words& words) {
    return Input(words, [](raft::RaftCore& core) { core.Step({.type = raft::MessageType::kHup}); });
  }

  absl::Status Beat(Words& words) {
    return Input(words,
                 [](raft::RaftCore& core) { core.Step({.type = raft::MessageType::kBeat}); });
  }

  // "tick 1", "tick 1 20".
  absl::Status Tick(Words& words) {
    const auto id = TakePeer(words);
    if (!id.ok()) return id.status();
    const auto count = words.empty() ? absl::StatusOr<uint64_t>(1) : ParseNumber(words[0]);
    if (!count.ok()) return count.status();
    for (uint64_t i = 0; i < *count; ++i) {
      group().Input(*id, [](raft::RaftCore& core) { core.Tick(); });
    }
    return absl::OkStatus();
  }

  // "propose 1 x y": two entries at once.
  absl::Status Propose(Words& words) { return DoPropose(words, true); }
  absl::Status RefusePropose(Words& words) { return DoPropose(words, false); }

  absl::Status DoPropose(Words& words, bool wanted) {
    absl::Status result;
    absl::Status status = Input(words, [&](raft::RaftCore& core) {
      result = core.Propose(raft::EntryType::kNormal,
                            std::vector<raft::Payload>(words.begin(), words.end()));
    });
    if (!status.ok()) return status;
    if (result.ok() == wanted) return absl::OkStatus();
    return FailedPrecondition(wanted ? Concat("the proposal is refused: ", MessageOf(result))
                                     : std::string("the proposal is taken"));
  }

  // "read 1 7": asks peer 1 for a read, which is known as 7.
  absl::Status Read(Words& words) {
    absl::Status result;
    absl::Status status = Input(words, [&](raft::RaftCore& core) {
      result = core.ReadIndex(ParseNumber(words.at(0)).value_or(0));
    });
    if (!status.ok()) return status;
    return result.ok() ? result : FailedPrecondition("the read is refused: ", MessageOf(result));
  }

  // "deliver all", "deliver PATTERN", "deliver first unwritten PATTERN".
  absl::Status Deliver(Words& words) {
    if (words == Words{"all"}) {
      if (group_->DeliverAll()) return absl::OkStatus();
      return FailedPrecondition("there is no end of messages that answer messages");
    }
    const bool only_first = !words.empty() && words[0] == "first";
    if (only_first) words.erase(words.begin());
    const RaftGroup::CrashPoint crash = TakeCrashPoint(words);
    const auto pattern = MessagePattern::Parse(words);
    if (!pattern.ok()) return pattern.status();
    if (!words.empty()) return InvalidArgument("no message has ", Quote(words[0]));
    if (group_->Deliver(*pattern, only_first, crash) > 0) return absl::OkStatus();
    return FailedPrecondition("there is no such message in flight");
  }

  absl::Status Drop(Words& words) {
    if (words == Words{"all"}) words.clear();
    const auto pattern = MessagePattern::Parse(words);
    if (!pattern.ok()) return pattern.status();
    group_->Drop(*pattern);
    return absl::OkStatus();
  }

  absl::Status Duplicate(Words& words) {
    const auto pattern = MessagePattern::Parse(words);
    if (!pattern.ok()) return pattern.status();
    const size_t count = group().flight().size();
    for (size_t i = 0; i < count; ++i) {
      if (pattern->Matches(*group().flight()[i].message)) group().Duplicate(i);
    }
    if (group().flight().size() > count) return absl::OkStatus();
    return FailedPrecondition("there is no such message in flight");
  }

  // "send 2->1 Append term 2 prev 3@2 entries 4@2:x commit 3": arrives at once.
  absl::Status Send(Words& words) {
    const auto pattern = MessagePattern::Parse(words);
    if (!pattern.ok()) return pattern.status();
    if (!pattern->from || !pattern->to || !pattern->type || !words.empty()) {
      return InvalidArgument("what is sent needs sender, receiver and type");
    }
    raft::Message message = pattern->ToMessage();
    if (pattern->snapshot) {
      message.snapshot = AppliedState{.index = pattern->snapshot->index}.ToSnapshot(
          pattern->snapshot->term, stored_[1].members);
    }
    group().Inject(message);
    group().Deliver(group().flight().size() - 1);
    return absl::OkStatus();
  }

  // "cut 1->2" one way, "cut 1-2" both.
  absl::Status Cut(Words& words) {
    const std::string& link = words.at(0);
    const size_t dash = link.find('-');
    const bool one_way = link.find("->") != std::string::npos;
    const auto a = ParseNumber(link.substr(0, dash));
    const auto b = ParseNumber(link.substr(dash + (one_way ? 2 : 1)));
    if (!a.ok() || !b.ok()) return InvalidArgument(Quote(link), " is no link");
    group_->Cut(*a, *b);
    if (!one_way) group_->Cut(*b, *a);
    return absl::OkStatus();
  }

  absl::Status Isolate(Words& words) {
    const auto id = ParseNumber(words.at(0));
    if (!id.ok()) return id.status();
    for (const auto& [other, stored] : stored_) {
      group_->Cut(*id, other);
      group_->Cut(other, *id);
    }
    return absl::OkStatus();
  }

  absl::Status Mend(Words&) {
    group_->MendAll();
    return absl::OkStatus();
  }

  absl::Status Crash(Words& words) {
    const auto id = TakePeer(words);
    if (!id.ok()) return id.status();
    group().Crash(*id);
    return absl::OkStatus();
  }

  absl::Status Start(Words& words) {
    const auto id = ParseNumber(words.at(0));
    if (!id.ok() || group().IsUp(*id)) return InvalidArgument("who is to be started must be down");
    group().Start(*id);
    return absl::OkStatus();
  }

  absl::Status Restart(Words& words) {
    const auto id = TakePeer(words);
    if (!id.ok()) return id.status();
    group().Crash(*id);
    group().Start(*id);
    return absl::OkStatus();
  }

  // "compact 1 5": peer 1 has its state on disk and forgets entries up to 5.
  absl::Status Compact(Words& words) {
    const auto id = TakePeer(words);
    const auto index = ParseNumber(words.at(0));
    if (!id.ok() || !index.ok()) return InvalidArgument("compact PEER INDEX");
    group().Checkpoint(*id, *index);
    return absl::OkStatus();
  }

  // "switch 1 1 2 3": peer 1 has the members 1, 2 and 3 from now on.
  absl::Status Switch(Words& words) {
    raft::Membership members;
    for (size_t i = 1; i < words.size(); ++i) {
      members.insert(ParseNumber(words[i]).value_or(raft::kNone));
    }
    return Input(words, [&](raft::RaftCore& core) { core.SwitchMembership(members); });
  }

  absl::Status Expectation(Words& words) { return Expect(*group_, words); }

  sim::Trace& trace_;
  std::optional<ScriptGroup> group_;
  std::map<raft::PeerId, raft::StoredState> stored_;
  bool is_started_ = false;
};

// The script with a mark at line number `at`.
std::string Marked(const std::vector<std::string>& lines, size_t at) {
  std::string text;
  for (size_t i = 0; i <= at; ++i) text += Concat(i == at ? "> " : "  ", lines[i], "\n");
  return text;
}

std::string WhyOf(const Line& line) { return line.comment.empty() ? "" : ": " + line.comment; }

}  // namespace

Result RunScript(const RaftScript& script, sim::Trace& trace) {
  std::vector<std::string> lines;
  std::istringstream text(script.text);
  for (std::string line; std::getline(text, line);) lines.push_back(line);

  ScriptRunner runner(trace);
  for (size_t i = 0; i < lines.size(); ++i) {
    const Line line = ParseLine(lines[i]);
    if (line.words.empty()) continue;
    const absl::Status status = runner.Run(line);
    std::optional<Finding> finding;
    if (runner.violation()) {
      finding = Wrong(Concat(runner.violation()->invariant, ": ", runner.violation()->sentence));
    } else if (absl::IsFailedPrecondition(status)) {
      finding =
          Wrong(Concat("\"", line.text, "\" does not hold: ", MessageOf(status), WhyOf(line)));
    } else if (!status.ok()) {
      finding = Finding{.verdict = Verdict::kCrashed,
                        .sentence = Concat("the script itself is wrong: ", MessageOf(status))};
    }
    if (!finding) continue;
    finding->sentence += Concat(" (script ", script.name, ", line ", i + 1, ")");
    finding->program = Marked(lines, i);
    finding->events = trace.LastEvents(30);
    return finding;
  }
  return std::nullopt;
}

}  // namespace tinykv::grading
