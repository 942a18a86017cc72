#include "graders/stage2/script_group.h"

#include <algorithm>
#include <vector>

#include "common/strings.h"

namespace tinykv::grading {
namespace {

// More than any script needs.
constexpr int kDeliveriesMax = 20'000;

std::string LogToString(const raft::RaftLog& log) {
  std::string text = "log:";
  for (raft::Index index = log.first_index(); index <= log.last_index(); ++index) {
    text += Concat(' ', index, '@', log.At(index).term);
  }
  return text;
}

}  // namespace

sim::NodeView ViewOf(const RaftMember& member) {
  const raft::RaftCore& core = member.core();
  const raft::RaftLog& log = core.log();
  sim::NodeView view{.role = raft::ToString(core.role()), .term = core.term()};
  view.bars = {{"first", log.first_index()},
               {"last", log.last_index()},
               {"stable", log.stable()},
               {"commit", log.committed()},
               {"applied", member.applied().index}};
  if (core.vote() != raft::kNone) view.details.push_back(Concat("voted for ", core.vote()));
  if (core.leader() != raft::kNone) view.details.push_back(Concat("follows ", core.leader()));
  view.details.push_back(LogToString(log));
  for (const auto& [peer, progress] : core.progress()) {
    view.details.push_back(
        Concat("peer ", peer, ": match ", progress.match(), ", next ", progress.next()));
  }
  return view;
}

void ScriptGroup::Begin(const std::string& text) {
  now_ += std::chrono::milliseconds(1);
  trace_.AddNote(now_, 0, text);
}

void ScriptGroup::End() {
  NoteSent();
  if (!trace_.keeps()) return;
  for (raft::PeerId id = 1; id <= group_.size(); ++id) {
    trace_.SetView(id, group_.IsUp(id) ? ViewOf(group_.member(id)) : sim::NodeView{.up = false});
  }
  if (group_.violation()) {
    trace_.Add({.time = now_, .kind = sim::TraceEvent::Kind::kViolation},
               [&] { return group_.violation()->sentence; });
  }
}

sim::TraceEvent ScriptGroup::EventOf(sim::TraceEvent::Kind kind,
                                     const RaftGroup::Flying& flying) const {
  const bool arrives = kind == sim::TraceEvent::Kind::kReceive;
  const raft::Message& message = *flying.message;
  return {.time = now_,
          .kind = kind,
          .node = arrives ? message.to : message.from,
          .peer = arrives ? message.from : message.to,
          .message = flying.number};
}

void ScriptGroup::NoteSent() {
  for (const RaftGroup::Flying& flying : group_.flight()) {
    if (flying.number <= sent_) continue;
    sent_ = flying.number;
    trace_.Add(EventOf(sim::TraceEvent::Kind::kSend, flying),
               [&] { return raft::ToString(*flying.message); });
  }
}

void ScriptGroup::DeliverNumber(uint64_t number, RaftGroup::CrashPoint crash) {
  NoteSent();
  const auto& flight = group_.flight();
  const auto found = std::find_if(flight.begin(), flight.end(),
                                  [&](const auto& flying) { return flying.number == number; });
  if (found == flight.end()) return;
  const raft::Message& message = *found->message;
  const bool is_lost = cut_.contains({message.from, message.to}) || !group_.IsUp(message.to);
  trace_.Add(
      EventOf(is_lost ? sim::TraceEvent::Kind::kDrop : sim::TraceEvent::Kind::kReceive, *found),
      [&] { return raft::ToString(message); });
  const auto i = static_cast<size_t>(found - flight.begin());
  if (is_lost) {
    group_.Drop(i);
  } else {
    group_.Deliver(i, crash);
  }
}

size_t ScriptGroup::Deliver(const MessagePattern& pattern, bool only_first,
                            RaftGroup::CrashPoint crash) {
  std::vector<uint64_t> numbers;
  for (const RaftGroup::Flying& flying : group_.flight()) {
    if (pattern.Matches(*flying.message)) numbers.push_back(flying.number);
  }
  if (only_first && numbers.size() > 1) numbers.resize(1);
  for (const uint64_t number : numbers) DeliverNumber(number, crash);
  return numbers.size();
}

bool ScriptGroup::DeliverAll() {
  for (int i = 0; i < kDeliveriesMax; ++i) {
    if (group_.flight().empty()) return true;
    DeliverNumber(group_.flight().front().number, RaftGroup::CrashPoint::kNever);
  }
  return false;
}

size_t ScriptGroup::Drop(const MessagePattern& pattern) {
  size_t dropped = 0;
  for (size_t i = 0; i < group_.flight().size();) {
    if (!pattern.Matches(*group_.flight()[i].message)) {
      ++i;
      continue;
    }
    trace_.Add(EventOf(sim::TraceEvent::Kind::kDrop, group_.flight()[i]),
               [&] { return raft::ToString(*group_.flight()[i].message); });
    group_.Drop(i);
    ++dropped;
  }
  return dropped;
}

size_t ScriptGroup::Count(const MessagePattern& pattern) const {
  const auto& flight = group_.flight();
  return static_cast<size_t>(std::count_if(
      flight.begin(), flight.end(), [&](const auto& f) { return pattern.Matches(*f.message); }));
}

}  // namespace tinykv::grading
