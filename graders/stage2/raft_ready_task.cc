// 2a-ready: the contract of Ready and Advance (ready.h), with inputs, and crashes, at every point
// of it.
#include <algorithm>
#include <optional>
#include <ostream>
#include <vector>

#include "common/strings.h"
#include "graders/stage2/message_pattern.h"
#include "graders/stage2/raft_history.h"
#include "graders/stage2/raft_member.h"
#include "graders/stage2/tasks.h"
#include "graders/stage2/told_program.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;
using raft::Entry;
using raft::Index;

struct Step {
  enum class Kind { kAppend, kVote, kPropose, kTake, kAdvance, kCrash };
  Kind kind = Kind::kTake;
  uint64_t a = 0;
  uint64_t b = 0;
  uint64_t c = 0;
};

struct Program {
  bool is_alone = false;  // a group of one, which leads; else a follower
  std::vector<RaftReign> reigns = {};
  std::vector<Step> steps = {};
};

class Session {
 public:
  explicit Session(const Program& program)
      : is_alone_(program.is_alone),
        history_(program.reigns),
        disk_({.members = is_alone_ ? raft::Membership{1} : raft::Membership{1, 10, 11, 12, 13}}),
        core_(std::in_place, raft::RaftOptions{.id = 1}, disk_.Load()) {
    if (is_alone_) core_->Step({.type = raft::MessageType::kHup});
  }

  Result Do(const Step& step) {
    switch (step.kind) {
      case Step::Kind::kAppend:
        return Append(step);
      case Step::Kind::kVote:
        return Vote(step);
      case Step::Kind::kPropose:
        if (!is_alone_ || core_->role() != raft::Role::kLeader) return std::nullopt;
        done_.push_back("Propose");
        core_->Propose(raft::EntryType::kNormal, {raft::Payload(Concat('p', ++proposals_))})
            .IgnoreError();
        return std::nullopt;
      case Step::Kind::kTake:
        return ready_ ? std::nullopt : Take();
      case Step::Kind::kAdvance:
        return ready_ ? Advance() : std::nullopt;
      case Step::Kind::kCrash:
        return Crash(step);
    }
    return std::nullopt;
  }

  // There must come an end, with all on disk and all handed out.
  Result Finish() {
    for (int i = 0; i < 10; ++i) {
      if (ready_) {
        if (Result finding = Advance()) return finding;
      }
      if (!core_->HasReady()) return CheckFinished();
      if (Result finding = Take()) return finding;
    }
    return Stuck("with no further input, after ten Readys there still is one");
  }

  const std::vector<std::string>& done() const { return done_; }

 private:
  Result Append(const Step& step) {
    if (is_alone_ || history_.size() == 0) return std::nullopt;
    const raft::Message append =
        history_.AppendOf(1 + step.a % history_.size(), step.b, 1 + step.c % 4, step.b + step.c);
    done_.push_back(grading::Describe(append));
    core_->Step(append);
    return std::nullopt;
  }

  Result Vote(const Step& step) {
    if (is_alone_) return std::nullopt;
    const raft::Message request{.type = raft::MessageType::kRequestVote,
                                .to = 1,
                                .from = 10 + step.a % 4,
                                .term = 1 + step.b % 6,
                                .log_term = step.c % 6,
                                .index = step.c};
    done_.push_back(grading::Describe(request));
    core_->Step(request);
    return std::nullopt;
  }

  // How much of the log is on the disk.
  Index Written() const {
    Index index = 0;
    while (index < disk_.last_index() &&
           core_->log().TermAt(index + 1) == disk_.TermAt(index + 1)) {
      ++index;
    }
    return index;
  }

  Result Take() {
    done_.push_back("TakeReady");
    const Index written = Written();
    const Index stable = core_->log().stable();
    if (stable > written) {
      return Wrong(Concat("the log counts entries up to ", stable,
                          " as stable, and those on disk "
                          "end with ",
                          written));
    }
    ready_ = core_->TakeReady();
    if (!ready_->entries.empty() && ready_->entries.front().index <= stable) {
      return Wrong(Concat("the Ready has ", Describe(ready_->entries), ", and those up to ", stable,
                          " are on disk already"));
    }
    if (Result finding = CheckHardState()) return finding;
    if (Result finding = CheckEntries(written)) return finding;
    return CheckCommitted(written);
  }

  Result CheckHardState() const {
    const bool differs = !(core_->hard_state() == disk_.hard_state);
    if (!ready_->hard_state && differs) {
      return Wrong(Concat("the Ready has no hard state, though ", Describe(core_->hard_state()),
                          " is not what is on disk, ", Describe(disk_.hard_state)));
    }
    if (ready_->hard_state && !(*ready_->hard_state == core_->hard_state())) {
      return Wrong(Concat("the Ready's hard state is ", Describe(*ready_->hard_state),
                          "; the core's is ", Describe(core_->hard_state())));
    }
    if (ready_->hard_state && !differs) {
      return Wrong("the Ready has a hard state that is on disk already: each one costs a write");
    }
    return std::nullopt;
  }

  Result CheckEntries(Index written) const {
    RaftDisk after = disk_;
    after.Write(*ready_);
    const raft::RaftLog& log = core_->log();
    bool is_same = after.last_index() == log.last_index();
    for (Index index = 1; is_same && index <= log.last_index(); ++index) {
      is_same = after.entries[index - 1] == log.At(index);
    }
    if (!is_same) {
      return Wrong(
          Concat("the Ready has ", Describe(ready_->entries),
                 "; with these written the disk does not have the log, whose last index is ",
                 log.last_index(), "; ", written, " of it were on disk before"));
    }
    return std::nullopt;
  }

  Result CheckCommitted(Index written) const {
    Index next = applied_ + 1;
    for (const Entry& entry : ready_->committed) {
      if (entry.index != next) {
        return Wrong(Concat("the Ready hands out entry ", entry.index, " where ", next,
                            " is the next to be applied: each once, in order, none left out"));
      }
      ++next;
    }
    const Index last = next - 1;
    if (last > applied_ && last > core_->log().committed()) {
      return Wrong(Concat("the Ready hands out entries up to ", last, ", and the commit index is ",
                          core_->log().committed()));
    }
    if (last > applied_ && last > written) {
      return Wrong(Concat("the Ready hands out entries up to ", last,
                          ", and those on disk end with ", written,
                          ": a crash now, and this member has applied what it does not have"));
    }
    return std::nullopt;
  }

  Result Advance() {
    done_.push_back("write, and Advance");
    disk_.Write(*ready_);
    if (!ready_->committed.empty()) applied_ = ready_->committed.back().index;
    core_->Advance(*ready_);
    ready_.reset();
    return std::nullopt;
  }

  // Before or after what the Ready has is on disk.
  Result Crash(const Step& step) {
    const bool is_written = ready_ && step.a % 2 == 0;
    done_.push_back(is_written ? "write, and crash before Advance; start again"
                               : "crash; start again");
    if (is_written) disk_.Write(*ready_);
    ready_.reset();
    disk_.applied.index = std::min(applied_, disk_.hard_state.commit);
    core_.emplace(raft::RaftOptions{.id = 1}, disk_.Load());
    applied_ = disk_.applied.index;
    return CheckRestart();
  }

  // What was on disk must be what the core has, and there is nothing to be written.
  Result CheckRestart() {
    if (!(core_->hard_state() == disk_.hard_state)) {
      return Wrong(Concat("a core that is started with ", Describe(disk_.hard_state), " has ",
                          Describe(core_->hard_state())));
    }
    Result finding = Take();
    if (finding) return finding;
    if (!ready_->messages.empty()) return Wrong("a core that has just started sends something");
    return Advance();
  }

  Result CheckFinished() const {
    if (Written() != core_->log().last_index()) {
      return Wrong(Concat("there is no Ready, and the disk has the log up to ", Written(), " of ",
                          core_->log().last_index()));
    }
    if (applied_ == core_->log().committed()) return std::nullopt;
    return Wrong(Concat("there is no Ready, and of the committed entries, up to ",
                        core_->log().committed(), ", those behind ", applied_,
                        " were never handed out"));
  }

  static std::string Describe(const raft::HardState& state) {
    return Concat("term ", state.term, " vote ", state.vote, " commit ", state.commit);
  }
  static std::string Describe(const std::vector<Entry>& entries) {
    if (entries.empty()) return "no entries";
    return Concat("entries ", entries.front().index, " to ", entries.back().index);
  }

  const bool is_alone_;
  RaftHistory history_;
  RaftDisk disk_;
  std::optional<raft::RaftCore> core_;
  std::optional<raft::Ready> ready_;
  Index applied_ = 0;
  uint64_t proposals_ = 0;
  std::vector<std::string> done_;
};

Result Run(const Program& program, std::vector<std::string>& done) {
  Session session(program);
  Result finding;
  for (const Step& step : program.steps) {
    finding = session.Do(step);
    if (finding) break;
  }
  if (!finding) finding = session.Finish();
  done = session.done();
  return finding;
}

std::ostream& operator<<(std::ostream& out, const Program& program) {
  out << (program.is_alone ? "a group of one, which leads\n" : "a follower\n");
  return TellProgram<Program>(out, program, Run);
}

rc::Gen<Program> AnyProgram() {
  using Kind = Step::Kind;
  const auto step = gen::build<Step>(
      gen::set(&Step::kind, gen::weightedElement<Kind>({{6, Kind::kAppend},
                                                        {2, Kind::kVote},
                                                        {4, Kind::kPropose},
                                                        {4, Kind::kTake},
                                                        {4, Kind::kAdvance},
                                                        {1, Kind::kCrash}})),
      gen::set(&Step::a, InRange<uint64_t>(0, 40)), gen::set(&Step::b, InRange<uint64_t>(0, 40)),
      gen::set(&Step::c, InRange<uint64_t>(0, 40)));
  return gen::build<Program>(
      gen::set(&Program::is_alone, gen::weightedElement<bool>({{2, false}, {1, true}})),
      gen::set(&Program::reigns, AnyReigns(4)),
      gen::set(&Program::steps, gen::resize(40, gen::container<std::vector<Step>>(step))));
}

}  // namespace

Task RaftReady() {
  return {.id = "2a-ready",
          .run = [](uint64_t seed) { return CheckToldProgram<Program>(seed, AnyProgram(), Run); }};
}

}  // namespace tinykv::grading
