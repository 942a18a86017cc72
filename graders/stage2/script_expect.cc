#include "graders/stage2/script_expect.h"

#include <map>
#include <utility>

#include "common/status.h"
#include "common/strings.h"

namespace tinykv::grading {
namespace {

using Words = std::vector<std::string>;

std::string Joined(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string NameOf(raft::PeerId peer) {
  return peer == raft::kNone ? std::string("none") : Concat(peer);
}

Words TermsOf(const raft::RaftLog& log) {
  Words terms;
  for (raft::Index i = log.first_index(); i <= log.last_index(); ++i) {
    terms.push_back(Concat(log.At(i).term));
  }
  return terms;
}

Words DataOf(const raft::RaftLog& log) {
  Words data;
  for (raft::Index i = log.first_index(); i <= log.last_index(); ++i) {
    data.push_back(log.At(i).data.empty() ? "-" : std::string(log.At(i).data.view()));
  }
  return data;
}

Words MembersOf(const raft::RaftCore& core) {
  Words members;
  for (const raft::PeerId member : core.members()) members.push_back(Concat(member));
  return members;
}

// "2=5 3=7": of the progress of each member but the leader itself.
Words ProgressOf(const raft::RaftCore& core, raft::Index (raft::Progress::*position)() const) {
  Words progress;
  for (const auto& [peer, of_peer] : core.progress()) {
    if (peer != core.id()) progress.push_back(Concat(peer, '=', (of_peer.*position)()));
  }
  return progress;
}

using Observation = Words (*)(const RaftMember& member);

// What can be said of a member besides its role: a name, and how it is.
const std::map<std::string, Observation>& Observations() {
  static const std::map<std::string, Observation> observations = {
      {"term", [](const RaftMember& m) { return Words{Concat(m.core().term())}; }},
      {"vote", [](const RaftMember& m) { return Words{NameOf(m.core().vote())}; }},
      {"knows", [](const RaftMember& m) { return Words{NameOf(m.core().leader())}; }},
      {"commit", [](const RaftMember& m) { return Words{Concat(m.core().log().committed())}; }},
      {"applied", [](const RaftMember& m) { return Words{Concat(m.applied().index)}; }},
      {"last", [](const RaftMember& m) { return Words{Concat(m.core().log().last_index())}; }},
      {"log", [](const RaftMember& m) { return TermsOf(m.core().log()); }},
      {"data", [](const RaftMember& m) { return DataOf(m.core().log()); }},
      {"members", [](const RaftMember& m) { return MembersOf(m.core()); }},
      {"match", [](const RaftMember& m) { return ProgressOf(m.core(), &raft::Progress::match); }},
      {"next", [](const RaftMember& m) { return ProgressOf(m.core(), &raft::Progress::next); }},
  };
  return observations;
}

absl::Status ExpectRole(const raft::RaftCore& core, const std::string& role) {
  const bool negative = role.starts_with("not-");
  const std::string wanted = negative ? role.substr(4) : role;
  if ((raft::ToString(core.role()) == wanted) != negative) return absl::OkStatus();
  return FailedPrecondition("peer ", core.id(), " is a ", raft::ToString(core.role()));
}

bool IsRole(const std::string& word) {
  const std::string role = word.starts_with("not-") ? word.substr(4) : word;
  return role == "leader" || role == "follower" || role == "candidate" || role == "pre-candidate";
}

absl::Status ExpectOfMember(const ScriptGroup& group, raft::PeerId id, Words words) {
  if (!group.group().Has(id)) return InvalidArgument("there is no peer ", id);
  if (!group.group().IsUp(id)) {
    return words.at(0) == "down" ? absl::OkStatus() : FailedPrecondition("peer ", id, " is down");
  }
  const RaftMember& member = group.group().member(id);
  if (IsRole(words.at(0))) return ExpectRole(member.core(), words.at(0));
  const auto observation = Observations().find(words.at(0));
  if (observation == Observations().end()) {
    return InvalidArgument("nothing is known of ", Quote(words.at(0)));
  }
  words.erase(words.begin());
  if (words == Words{"empty"}) words.clear();
  const Words found = observation->second(member);
  if (found == words) return absl::OkStatus();
  return FailedPrecondition(observation->first, " of peer ", id, " is ",
                            found.empty() ? "empty" : Joined(found));
}

absl::Status ExpectOfAll(const ScriptGroup& group, const Words& words) {
  for (raft::PeerId id = 1; id <= group.group().size(); ++id) {
    if (!group.group().IsUp(id)) continue;
    if (absl::Status status = ExpectOfMember(group, id, words); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// "no leader", "one leader".
absl::Status ExpectLeaders(const ScriptGroup& group, size_t count) {
  Words leaders;
  for (raft::PeerId id = 1; id <= group.group().size(); ++id) {
    if (!group.group().IsUp(id)) continue;
    if (group.group().member(id).core().role() == raft::Role::kLeader) {
      leaders.push_back(Concat(id));
    }
  }
  if (leaders.size() == count) return absl::OkStatus();
  return FailedPrecondition("there are ", leaders.size(), " leaders: ", Joined(leaders));
}

std::string FlightOf(const ScriptGroup& group, const MessagePattern& pattern) {
  const MessagePattern link{.from = pattern.from, .to = pattern.to, .type = pattern.type};
  std::string text;
  for (const RaftGroup::Flying& flying : group.group().flight()) {
    if (link.Matches(*flying.message))
      text += (text.empty() ? "" : "; ") + Describe(*flying.message);
  }
  return text.empty() ? "nothing of the kind is in flight" : "in flight is " + text;
}

// "message PATTERN", "message PATTERN x2", "no message PATTERN".
absl::Status ExpectMessage(const ScriptGroup& group, Words words, bool is_negative) {
  auto pattern = MessagePattern::Parse(words);
  if (!pattern.ok()) return pattern.status();
  std::optional<uint64_t> wanted;
  if (!words.empty() && words[0].starts_with('x')) {
    const auto number = ParseNumber(words[0].substr(1));
    if (!number.ok()) return number.status();
    wanted = *number;
    words.erase(words.begin());
  }
  if (!words.empty()) return InvalidArgument("no message has ", Quote(words[0]));
  if (is_negative) wanted = 0;
  const size_t found = group.Count(*pattern);
  if (wanted ? found == *wanted : found > 0) return absl::OkStatus();
  return FailedPrecondition(FlightOf(group, *pattern));
}

}  // namespace

absl::Status Expect(const ScriptGroup& group, Words words) {
  if (words.size() < 2) return InvalidArgument("an expectation has at least two words");
  const std::string first = words[0];
  Words rest(words.begin() + 1, words.end());
  if (first == "all") return ExpectOfAll(group, rest);
  if (first == "message") return ExpectMessage(group, rest, false);
  if (first == "no" || first == "one") {
    if (rest[0] == "leader") return ExpectLeaders(group, first == "no" ? 0 : 1);
    if (rest[0] != "message") return InvalidArgument("no or one what? not ", Quote(rest[0]));
    rest.erase(rest.begin());
    return ExpectMessage(group, rest, true);
  }
  const auto id = ParseNumber(first);
  if (!id.ok()) return id.status();
  return ExpectOfMember(group, *id, std::move(rest));
}

}  // namespace tinykv::grading
