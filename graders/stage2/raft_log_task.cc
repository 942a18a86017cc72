// 2a-log: RaftLog beside a plain list of entries, through random operations.
#include <algorithm>
#include <optional>
#include <ostream>
#include <vector>

#include "common/strings.h"
#include "graders/stage2/tasks.h"
#include "graders/stage2/told_program.h"
#include "graders/task/property.h"
#include "stage2-raftkv/raft/raft_log.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;
using raft::Entry;
using raft::EntryId;
using raft::Index;
using raft::RaftLog;
using raft::Term;

// What is done next. Numbers are taken modulo what makes sense at that moment.
struct Operation {
  enum class Kind { kAppend, kTryAppend, kTryAppendElsewhere, kCommit, kStable, kApply, kCompact };
  Kind kind = Kind::kAppend;
  uint64_t a = 0;
  uint64_t b = 0;
  uint64_t c = 0;
};

// The same as RaftLog, by the simplest means: entries[i] has index i + 1, from the first one on.
struct Model {
  std::vector<Entry> entries = {};
  Index boundary = 0;
  Index committed = 0;
  Index stable = 0;
  Index applied = 0;

  Index last() const { return entries.size(); }
  Term TermOf(Index index) const { return index == 0 ? 0 : entries[index - 1].term; }
  void Put(const Entry& entry) {
    entries.resize(entry.index - 1);
    entries.push_back(entry);
    stable = std::min(stable, entry.index - 1);
  }
};

std::string Describe(const std::vector<Entry>& entries) {
  if (entries.empty()) return "no entries";
  std::string text = "entries";
  for (const Entry& entry : entries) text += Concat(' ', entry.index, '@', entry.term);
  return text;
}

std::string Describe(std::optional<Term> term) { return term ? Concat("term ", *term) : "nothing"; }

// One run of a program.
class Session {
 public:
  Session() : log_(RaftLog::Stored{}) {}

  Result Do(const Operation& op) {
    switch (op.kind) {
      case Operation::Kind::kAppend:
        return Append(op);
      case Operation::Kind::kTryAppend:
        return TryAppend(op, false);
      case Operation::Kind::kTryAppendElsewhere:
        return TryAppend(op, true);
      case Operation::Kind::kCommit:
        model_.committed += op.a % (model_.last() - model_.committed + 1);
        Note(Concat("CommitTo(", model_.committed, ")"));
        log_.CommitTo(model_.committed);
        return Check();
      case Operation::Kind::kStable:
        return Stable(op);
      case Operation::Kind::kApply:
        return Apply(op);
      case Operation::Kind::kCompact:
        model_.boundary += op.a % (model_.applied - model_.boundary + 1);
        Note(Concat("CompactTo(", model_.boundary, ")"));
        log_.CompactTo(model_.boundary);
        return Check();
    }
    return std::nullopt;
  }

  const std::vector<std::string>& done() const { return done_; }

 private:
  void Note(std::string text) { done_.push_back(std::move(text)); }

  Result Append(const Operation& op) {
    term_ = std::max(term_, model_.TermOf(model_.last())) + op.a % 2;
    const Entry entry{.term = term_, .index = model_.last() + 1, .data = Concat('d', ++data_)};
    Note(Concat("Append an entry of term ", term_));
    model_.Put(entry);
    log_.Append({.term = entry.term, .data = entry.data});
    return Check();
  }

  // As from a leader: it shares what is committed with this log, and whatever it sends again of a
  // term is the same. `elsewhere`: what the entries follow is not there, or of another term.
  Result TryAppend(const Operation& op, bool elsewhere) {
    const Index previous = op.a % (model_.last() + 1);
    const Index shared = std::max(previous, model_.committed);
    std::vector<Entry> entries;
    // Some that are there already, then perhaps some that are new, of a newer term.
    const Index known = std::min(model_.last(), shared + op.b % 4);
    for (Index index = previous + 1; index <= known; ++index) {
      entries.push_back(model_.entries[index - 1]);
    }
    if (op.c % 3 > 0) term_ = std::max(term_, model_.TermOf(model_.last())) + 1;
    for (uint64_t i = 0; i < op.c % 3; ++i) {
      entries.push_back(
          {.term = term_, .index = previous + entries.size() + 1, .data = Concat('d', ++data_)});
    }
    EntryId before{previous, model_.TermOf(previous)};
    if (elsewhere && previous > model_.committed) before.term += 1;
    if (elsewhere && previous <= model_.committed) before = {model_.last() + 1 + op.b % 3, term_};
    return DoTryAppend(before, std::move(entries), elsewhere);
  }

  Result DoTryAppend(const EntryId& before, std::vector<Entry> entries, bool elsewhere) {
    if (elsewhere) {
      for (size_t i = 0; i < entries.size(); ++i) entries[i].index = before.index + i + 1;
    }
    Note(Concat("TryAppend after ", before.index, '@', before.term, ": ", Describe(entries)));
    const std::optional<Index> got = log_.TryAppend(before, entries);
    if (elsewhere) {
      if (got) return Wrong(Concat(Last(), " is taken, and the log does not have that entry"));
      return Check();
    }
    for (const Entry& entry : entries) {
      const bool is_there =
          entry.index <= model_.last() && model_.TermOf(entry.index) == entry.term;
      if (!is_there) model_.Put(entry);
    }
    const Index want = before.index + entries.size();
    if (!got) return Wrong(Concat(Last(), " is refused, and the log has that entry"));
    if (*got != want) {
      return Wrong(Concat(Last(), " returns ", *got,
                          "; the message proves that the logs agree up to ", want,
                          ", no less and no more"));
    }
    return Check();
  }

  Result Stable(const Operation& op) {
    const Index written = std::max(model_.stable, op.a % (model_.last() + 1));
    // Sometimes what was written has been replaced meanwhile.
    const bool is_stale = op.b % 4 == 0 && written > 0;
    const EntryId id{written, model_.TermOf(written) + (is_stale ? 100 : 0)};
    if (!is_stale) model_.stable = std::max(model_.stable, written);
    Note(Concat("StableTo(", id.index, '@', id.term, ")"));
    log_.StableTo(id);
    return Check();
  }

  Result Apply(const Operation& op) {
    const size_t bytes = op.a % 2 == 0 ? 1 : 1'000'000;
    Note(Concat("NextToApply(", bytes, " bytes)"));
    const std::vector<Entry> got = log_.NextToApply(bytes);
    const Index end = std::min(model_.committed, model_.stable);
    std::vector<Entry> want;
    if (end > model_.applied) {
      const auto first = model_.entries.begin() + static_cast<ptrdiff_t>(model_.applied);
      want.assign(first, model_.entries.begin() + static_cast<ptrdiff_t>(end));
    }
    if (bytes == 1 && want.size() > 1) want.resize(1);
    if (got != want) {
      return Wrong(Concat(Last(), " returns ", Describe(got), "; it should be ", Describe(want),
                          ": applied is ", model_.applied, ", committed ", model_.committed,
                          ", stable ", model_.stable));
    }
    if (want.empty()) return std::nullopt;
    model_.applied = want.back().index;
    log_.AppliedTo(model_.applied);
    return Check();
  }

  // Is the log as the model is?
  Result Check() const {
    if (log_.last_index() != model_.last()) {
      return Wrong(Concat("after ", Last(), " the last index is ", log_.last_index(),
                          "; it should be ", model_.last()));
    }
    for (Index index = 0; index <= model_.last() + 2; ++index) {
      std::optional<Term> want;
      if (index >= model_.boundary && index <= model_.last()) want = model_.TermOf(index);
      if (const auto got = log_.TermAt(index); got != want) {
        return Wrong(Concat("after ", Last(), ", TermAt(", index, ") is ", Describe(got),
                            "; it should be ", Describe(want), ": the boundary is ",
                            model_.boundary, ", the last index ", model_.last()));
      }
    }
    for (Index index = model_.boundary + 1; index <= model_.last(); ++index) {
      if (!(log_.At(index) == model_.entries[index - 1])) {
        return Wrong(
            Concat("after ", Last(), ", entry ", index, " is not the one that belongs there"));
      }
    }
    if (log_.stable() != model_.stable) {
      return Wrong(Concat("after ", Last(), ", stable is ", log_.stable(), "; it should be ",
                          model_.stable));
    }
    return CheckIsUpToDate();
  }

  Result CheckIsUpToDate() const {
    const EntryId mine{model_.last(), model_.TermOf(model_.last())};
    for (const int64_t term_step : {-1, 0, 1}) {
      for (const int64_t index_step : {-1, 0, 1}) {
        const EntryId other{mine.index + static_cast<uint64_t>(index_step),
                            mine.term + static_cast<uint64_t>(term_step)};
        if ((mine.index == 0 && index_step < 0) || (mine.term == 0 && term_step < 0)) continue;
        const bool want = term_step > 0 || (term_step == 0 && index_step >= 0);
        if (log_.IsUpToDate(other) == want) continue;
        return Wrong(Concat("after ", Last(), ", a log that ends with ", raft::ToString(other),
                            want ? " is" : " is not",
                            " at least as up-to-date as one that ends with ", raft::ToString(mine),
                            ", and IsUpToDate() says the opposite"));
      }
    }
    return std::nullopt;
  }

  std::string Last() const { return done_.back(); }

  RaftLog log_;
  Model model_;
  Term term_ = 1;
  uint64_t data_ = 0;
  std::vector<std::string> done_;
};

struct Program {
  std::vector<Operation> operations = {};
};

Result Run(const Program& program, std::vector<std::string>& done) {
  Session session;
  for (const Operation& operation : program.operations) {
    Result finding = session.Do(operation);
    done = session.done();
    if (finding) return finding;
  }
  return std::nullopt;
}

std::ostream& operator<<(std::ostream& out, const Program& program) {
  return TellProgram<Program>(out, program, Run);
}

rc::Gen<Program> AnyProgram() {
  using Kind = Operation::Kind;
  const auto operation = gen::build<Operation>(
      gen::set(&Operation::kind, gen::weightedElement<Kind>({{3, Kind::kAppend},
                                                             {4, Kind::kTryAppend},
                                                             {2, Kind::kTryAppendElsewhere},
                                                             {2, Kind::kCommit},
                                                             {2, Kind::kStable},
                                                             {2, Kind::kApply},
                                                             {1, Kind::kCompact}})),
      gen::set(&Operation::a, InRange<uint64_t>(0, 60)),
      gen::set(&Operation::b, InRange<uint64_t>(0, 60)),
      gen::set(&Operation::c, InRange<uint64_t>(0, 60)));
  return gen::build<Program>(gen::set(
      &Program::operations, gen::resize(40, gen::container<std::vector<Operation>>(operation))));
}

}  // namespace

Task RaftLogTask() {
  return {.id = "2a-log",
          .run = [](uint64_t seed) { return CheckToldProgram<Program>(seed, AnyProgram(), Run); }};
}

}  // namespace tinykv::grading
