// 2a-vote, 2a-follower: a member that gets whatever it may get, beside a model that does what
// Figure 2 of the Raft paper says and nothing else.
#include <algorithm>
#include <optional>
#include <ostream>
#include <vector>

#include "common/strings.h"
#include "graders/stage2/message_pattern.h"
#include "graders/stage2/raft_group.h"
#include "graders/stage2/raft_history.h"
#include "graders/stage2/tasks.h"
#include "graders/stage2/told_program.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;
using raft::Entry;
using raft::Message;
using raft::MessageType;

struct Step {
  enum class Kind { kVote, kRestart, kAppend, kHeartbeat };
  Kind kind = Kind::kVote;
  uint64_t term = 1;  // of the sender, modulo how many there are
  uint64_t a = 0;
  uint64_t b = 0;
  uint64_t c = 0;
};

struct Program {
  std::vector<RaftReign> reigns = {};
  std::vector<Step> steps = {};
};

constexpr raft::PeerId kSelf = 1;

// What Figure 2 has under "state", and what it says under "receiver implementation".
struct Model {
  raft::HardState hard_state = {};
  std::vector<Entry> log = {};

  raft::EntryId last() const { return {log.size(), log.empty() ? 0 : log.back().term}; }

  // False: the message is of an older term.
  bool Admit(const Message& message) {
    if (message.term > hard_state.term) {
      hard_state.term = message.term;
      hard_state.vote = raft::kNone;
    }
    return message.term == hard_state.term;
  }

  bool OnRequestVote(const Message& message) {
    if (!Admit(message)) return false;
    const bool is_free = hard_state.vote == raft::kNone || hard_state.vote == message.from;
    const bool is_up_to_date = message.log_term > last().term ||
                               (message.log_term == last().term && message.index >= last().index);
    if (is_free && is_up_to_date) hard_state.vote = message.from;
    return is_free && is_up_to_date;
  }

  // The last index that the log now shares with the leader's; nothing if it refuses.
  std::optional<raft::Index> OnAppend(const Message& message) {
    if (!Admit(message)) return std::nullopt;
    if (message.index > log.size()) return std::nullopt;
    if (message.index > 0 && log[message.index - 1].term != message.log_term) return std::nullopt;
    for (const Entry& entry : message.entries) {
      if (entry.index <= log.size() && log[entry.index - 1].term == entry.term) continue;
      log.resize(entry.index - 1);
      log.push_back(entry);
    }
    const raft::Index shared = message.index + message.entries.size();
    hard_state.commit = std::max(hard_state.commit, std::min(message.commit, shared));
    return shared;
  }
};

std::string Describe(const raft::HardState& state) {
  return Concat("term ", state.term, ", vote ",
                state.vote == raft::kNone ? "for nobody" : Concat("for peer ", state.vote),
                ", commit ", state.commit);
}

class Session {
 public:
  explicit Session(const Program& program) : history_(program.reigns), group_(raft::RaftOptions()) {
    raft::Membership members = {kSelf};
    for (raft::Term term = 1; term <= history_.size() + 2; ++term) {
      members.insert(RaftHistory::LeaderOf(term));
    }
    group_.Add({.members = members});
    group_.Start(kSelf);
  }

  Result Do(const Step& step) {
    switch (step.kind) {
      case Step::Kind::kVote:
        return Vote(step);
      case Step::Kind::kRestart:
        done_.push_back("the member crashes, and starts again");
        group_.Crash(kSelf);
        group_.Start(kSelf);
        return Check();
      case Step::Kind::kAppend:
        return Append(step);
      case Step::Kind::kHeartbeat:
        return Heartbeat(step);
    }
    return std::nullopt;
  }

  const std::vector<std::string>& done() const { return done_; }

 private:
  // Its answer, if there is one.
  std::optional<Message> Give(const Message& message) {
    done_.push_back(grading::Describe(message));
    group_.Inject(message);
    group_.Deliver(group_.flight().size() - 1);
    std::optional<Message> answer;
    while (!group_.flight().empty()) {
      answer = *group_.flight().back().message;
      group_.Drop(group_.flight().size() - 1);
    }
    return answer;
  }

  // Two candidates a term, with any log.
  Result Vote(const Step& step) {
    const raft::Term term = 1 + step.term % (history_.size() + 2);
    const raft::EntryId last = model_.last();
    const raft::EntryId theirs{
        std::max<uint64_t>(last.index + step.a % 3, 1) - 1,
        std::min<uint64_t>(std::max<uint64_t>(last.term + step.b % 3, 1) - 1, term)};
    const Message request{
        .type = MessageType::kRequestVote,
        .to = kSelf,
        .from = RaftHistory::LeaderOf(1 + (term + step.c % 2) % (history_.size() + 2)),
        .term = term,
        .log_term = theirs.term,
        .index = theirs.index};
    const std::string before = Describe(model_.hard_state);
    const bool want = model_.OnRequestVote(request);
    const auto answer = Give(request);
    if (!answer || answer->type != MessageType::kRequestVoteResponse) {
      return Wrong(Concat(done_.back(), " is not answered; a refusal is an answer too"));
    }
    if (answer->reject == want) {
      return Wrong(Concat(done_.back(), " is ", want ? "refused" : "granted", "; it must be ",
                          want ? "granted" : "refused", ": before, it was in ", before,
                          ", its last entry ", raft::ToString(last)));
    }
    return CheckAnswer(*answer);
  }

  Result Append(const Step& step) {
    if (history_.size() == 0) return std::nullopt;
    const Message append =
        history_.AppendOf(1 + step.term % history_.size(), step.a, step.b % 5, step.c);
    const auto want = model_.OnAppend(append);
    const auto answer = Give(append);
    if (!answer || answer->type != MessageType::kAppendResponse) {
      return Wrong(Concat(done_.back(), " is not answered; a refusal is an answer too"));
    }
    if (answer->reject == want.has_value()) {
      return Wrong(Concat(done_.back(), " is ", want ? "refused" : "accepted", "; it must be ",
                          want ? "accepted" : "refused"));
    }
    if (want && answer->index != *want) {
      return Wrong(Concat(done_.back(), " is acknowledged up to ", answer->index,
                          "; it proves that the logs agree up to ", *want));
    }
    return CheckAnswer(*answer);
  }

  Result Heartbeat(const Step& step) {
    if (history_.size() == 0) return std::nullopt;
    const raft::Term term = 1 + step.term % history_.size();
    const Message heartbeat{.type = MessageType::kHeartbeat,
                            .to = kSelf,
                            .from = RaftHistory::LeaderOf(term),
                            .term = term,
                            .commit = step.a % 2 == 0 ? history_.CommitOf(term) : 0,
                            .round = 1 + step.b % 9};
    const bool is_current = model_.Admit(heartbeat);
    const auto answer = Give(heartbeat);
    if (!answer || answer->type != MessageType::kHeartbeatResponse) {
      return Wrong(Concat(done_.back(), " is not answered"));
    }
    if (is_current &&
        (answer->round != heartbeat.round || answer->commit != model_.hard_state.commit)) {
      return Wrong(Concat(done_.back(), ", round ", heartbeat.round, ", is answered with round ",
                          answer->round, " and commit ", answer->commit, "; the commit index is ",
                          model_.hard_state.commit));
    }
    return CheckAnswer(*answer);
  }

  Result CheckAnswer(const Message& answer) const {
    if (answer.term != model_.hard_state.term) {
      return Wrong(Concat(done_.back(), " is answered in term ", answer.term,
                          "; the member must be in term ", model_.hard_state.term));
    }
    return Check();
  }

  // Is the member as the model is, in memory and on its disk?
  Result Check() const {
    if (group_.violation()) {
      return Wrong(Concat(group_.violation()->invariant, ": ", group_.violation()->sentence));
    }
    const raft::RaftCore& core = group_.member(kSelf).core();
    if (!(core.hard_state() == model_.hard_state)) {
      return Wrong(Concat("after ", done_.back(), " the member has ", Describe(core.hard_state()),
                          "; it should have ", Describe(model_.hard_state)));
    }
    if (!(group_.disk(kSelf).hard_state == model_.hard_state)) {
      return Wrong(Concat("after ", done_.back(), " the disk has ",
                          Describe(group_.disk(kSelf).hard_state), "; it should have ",
                          Describe(model_.hard_state)));
    }
    if (core.role() != raft::Role::kFollower) {
      return Wrong(Concat("after ", done_.back(), " the member is a ", raft::ToString(core.role()),
                          "; nobody has asked it to be one"));
    }
    if (group_.disk(kSelf).entries != model_.log) {
      return Wrong(Concat("after ", done_.back(), " the log on the disk has terms ",
                          TermsOf(group_.disk(kSelf).entries), "; they should be ",
                          TermsOf(model_.log)));
    }
    return std::nullopt;
  }

  static std::string TermsOf(const std::vector<Entry>& entries) {
    std::string text;
    for (const Entry& entry : entries) text += Concat(text.empty() ? "" : " ", entry.term);
    return text.empty() ? "none" : text;
  }

  RaftHistory history_;
  RaftGroup group_;
  Model model_;
  std::vector<std::string> done_;
};

Result Run(const Program& program, std::vector<std::string>& done) {
  Session session(program);
  for (const Step& step : program.steps) {
    Result finding = session.Do(step);
    done = session.done();
    if (finding) return finding;
  }
  return std::nullopt;
}

std::ostream& operator<<(std::ostream& out, const Program& program) {
  return TellProgram<Program>(out, program, Run);
}

rc::Gen<Program> AnyProgram(bool with_leaders) {
  using Kind = Step::Kind;
  const auto kind =
      with_leaders
          ? gen::weightedElement<Kind>(
                {{2, Kind::kVote}, {1, Kind::kRestart}, {8, Kind::kAppend}, {1, Kind::kHeartbeat}})
          : gen::weightedElement<Kind>({{5, Kind::kVote}, {1, Kind::kRestart}});
  const auto step = gen::build<Step>(
      gen::set(&Step::kind, kind), gen::set(&Step::term, InRange<uint64_t>(0, 8)),
      gen::set(&Step::a, InRange<uint64_t>(0, 40)), gen::set(&Step::b, InRange<uint64_t>(0, 40)),
      gen::set(&Step::c, InRange<uint64_t>(0, 40)));
  return gen::build<Program>(
      gen::set(&Program::reigns, AnyReigns(5)),
      gen::set(&Program::steps, gen::resize(40, gen::container<std::vector<Step>>(step))));
}

Task FollowerTask(std::string id, bool with_leaders) {
  return {.id = std::move(id), .run = [with_leaders](uint64_t seed) {
            return CheckToldProgram<Program>(seed, AnyProgram(with_leaders), Run);
          }};
}

}  // namespace

Task RaftVote() { return FollowerTask("2a-vote", false); }
Task RaftFollower() { return FollowerTask("2a-follower", true); }

}  // namespace tinykv::grading
