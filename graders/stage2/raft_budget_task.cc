// 2a-budget: what it may cost to bring a member up to date, and to wait for one that does not
// answer.
#include <algorithm>

#include "common/strings.h"
#include "graders/stage2/raft_group.h"
#include "graders/stage2/tasks.h"

namespace tinykv::grading {
namespace {

using raft::Message;
using raft::MessageType;

constexpr uint64_t kEntries = 2000;
constexpr size_t kEntryBytes = 100;
// Messages that follow from one input; the reference sends a tenth of them.
constexpr int kDeliveriesMax = 20'000;

raft::StoredState Stored(raft::Term term, uint64_t entries) {
  raft::StoredState stored{.hard_state = {.term = term}, .members = {1, 2, 3}};
  for (raft::Index index = 1; index <= entries; ++index) {
    stored.entries.push_back(
        {.term = term, .index = index, .data = raft::Payload(std::string(kEntryBytes, 'x'))});
  }
  return stored;
}

raft::RaftOptions Options() {
  raft::RaftOptions options;
  options.flow = {.in_flight_messages_max = 8,
                  .in_flight_bytes_max = 64 * kEntryBytes,
                  .message_bytes_max = 16 * kEntryBytes};
  return options;
}

// Peer 1 leads, with all of its log on peer 2; peer 3 is the one that costs.
class Case {
 public:
  explicit Case(const raft::StoredState& third) : group_(Options()) {
    group_.Add(Stored(1, kEntries));
    group_.Add(Stored(1, kEntries));
    group_.Add(third);
    for (raft::PeerId id = 1; id <= 3; ++id) group_.Start(id);
    Do(MessageType::kHup);
  }

  // Delivers everything, in order, but what comes from or goes to peer 3 only if it `answers`.
  void Deliver(bool answers) {
    for (int i = 0; i < kDeliveriesMax && !group_.flight().empty(); ++i) {
      const Message& message = *group_.flight().front().message;
      Count(message);
      const bool is_third = message.to == 3 || message.from == 3;
      if (is_third && !answers) {
        group_.Drop(0);
      } else {
        group_.Deliver(0);
      }
    }
  }

  void Do(MessageType type) {
    group_.Input(1, [type](raft::RaftCore& core) { core.Step({.type = type}); });
  }
  // The heartbeat reaches peer 3, and so does its answer; appends to it get lost.
  void AnswerHeartbeatOnly() {
    Do(MessageType::kBeat);
    for (int i = 0; i < kDeliveriesMax && !group_.flight().empty(); ++i) {
      const Message& message = *group_.flight().front().message;
      Count(message);
      if (message.to == 3 && message.type == MessageType::kAppend) {
        group_.Drop(0);
      } else {
        group_.Deliver(0);
      }
    }
  }
  void Propose() {
    group_.Input(1, [](raft::RaftCore& core) {
      core.Propose(raft::EntryType::kNormal, {raft::Payload(std::string(kEntryBytes, 'y'))})
          .IgnoreError();
    });
  }

  RaftGroup& group() { return group_; }
  uint64_t entries_sent() const { return entries_sent_; }
  uint64_t appends_sent() const { return appends_sent_; }
  void ForgetCounts() { entries_sent_ = appends_sent_ = 0; }
  Result violation() const {
    if (!group_.flight().empty()) {
      return Stuck(Concat("after ", kDeliveriesMax, " messages there is still one under way: ",
                          raft::ToString(*group_.flight().front().message)));
    }
    if (!group_.violation()) return std::nullopt;
    return Wrong(Concat(group_.violation()->invariant, ": ", group_.violation()->sentence));
  }

 private:
  void Count(const Message& message) {
    if (message.to != 3 || message.type != MessageType::kAppend) return;
    ++appends_sent_;
    entries_sent_ += message.entries.size();
  }

  RaftGroup group_;
  uint64_t entries_sent_ = 0;
  uint64_t appends_sent_ = 0;
};

Result CatchUp(const char* who, const raft::StoredState& third, uint64_t missing, uint64_t bound) {
  Case test(third);
  test.Deliver(true);
  for (int i = 0; i < 3; ++i) {
    test.Do(MessageType::kBeat);
    test.Deliver(true);
  }
  if (Result finding = test.violation()) return finding;
  const raft::Index last = test.group().member(1).core().log().last_index();
  if (test.group().disk(3).last_index() != last) {
    return Stuck(Concat(who, " has entries up to ", test.group().disk(3).last_index(),
                        " after three heartbeats on a network that loses nothing; the leader has ",
                        last));
  }
  if (test.entries_sent() <= bound) return std::nullopt;
  return Wrong(Concat(who, " misses ", missing, " entries, and is sent ", test.entries_sent(),
                      "; a refusal must not make the leader send again what the member has "
                      "acknowledged (at most ",
                      bound, " here)"));
}

// A member that accepts nothing: what is under way to it must not grow with the log, nor with every
// heartbeat.
Result Silent() {
  Case test(Stored(1, kEntries));
  test.Deliver(true);
  test.ForgetCounts();
  for (int i = 0; i < 500; ++i) {
    test.Propose();
    test.Deliver(false);
  }
  const size_t in_flight = test.group().member(1).core().progress().at(3).in_flight_bytes();
  const uint64_t sent = test.entries_sent();
  if (sent > 100) {
    return Wrong(Concat("to a member that acknowledges nothing a leader sends ", sent,
                        " entries of 500; with a limit of 64 in flight it must stop soon after (",
                        in_flight, " bytes are counted as being in flight)"));
  }
  test.ForgetCounts();
  constexpr uint64_t kBeats = 50;
  for (uint64_t i = 0; i < kBeats; ++i) test.AnswerHeartbeatOnly();
  if (Result finding = test.violation()) return finding;
  if (test.appends_sent() > 2 * kBeats || test.entries_sent() > 20 * kBeats) {
    return Wrong(Concat("a member whose appends are all lost answers ", kBeats,
                        " heartbeats, and is sent ", test.appends_sent(), " appends with ",
                        test.entries_sent(),
                        " entries for them; one append of 16 entries for "
                        "each answer is enough to find out what it has"));
  }
  return std::nullopt;
}

Result Run() {
  // The first probe may carry a message's worth that is refused.
  if (Result finding = CatchUp("a member with half of the log", Stored(1, kEntries / 2),
                               kEntries / 2, kEntries / 2 + 50)) {
    return finding;
  }
  if (Result finding =
          CatchUp("a member with all but ten entries", Stored(1, kEntries - 10), 10, 60)) {
    return finding;
  }
  if (Result finding =
          CatchUp("a member with an empty log", Stored(1, 0), kEntries, kEntries + 50)) {
    return finding;
  }
  return Silent();
}

}  // namespace

Task RaftBudget() {
  return {.id = "2a-budget", .run = [](uint64_t) { return Run(); }};
}

}  // namespace tinykv::grading
