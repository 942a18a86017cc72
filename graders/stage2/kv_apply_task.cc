// 2b-apply: what an applier makes of committed commands, against a model of a few lines, through
// crashes: each command is whole or not at all, and takes effect once.
#include <algorithm>
#include <ostream>

#include "common/status.h"
#include "common/storage/column_family.h"
#include "common/strings.h"
#include "graders/stage2/applier_bench.h"
#include "graders/stage2/kv_tasks.h"
#include "graders/task/property.h"
#include "stage2-raftkv/raftstore/bootstrap.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;

// The region that commands are for has the keys [b, m).
constexpr char kKeys[] = "abclmz";
constexpr raft::Term kTerm = 6;

struct Change {
  bool is_put = true;
  int family = 0;
  int key = 0;
};

struct Entry {
  std::vector<Change> changes = {};
  bool is_old = false;  // its epoch is that of before a split
  bool is_noop = false;
};

struct Step {
  std::vector<Entry> entries = {};
  // Then the power fails, and what is lost is applied again.
  bool crash = false;
};

struct Program {
  uint64_t seed = 0;
  std::vector<Step> steps = {};
};

std::string KeyOf(int key) { return {kKeys[key]}; }
bool IsInRegion(int key) { return KeyOf(key) >= "b" && KeyOf(key) < "m"; }

// What the entry is worth, if it is applied.
bool IsRefused(const Entry& entry) {
  if (entry.is_old) return true;
  return std::any_of(entry.changes.begin(), entry.changes.end(),
                     [](const Change& change) { return !IsInRegion(change.key); });
}

std::ostream& operator<<(std::ostream& out, const Entry& entry) {
  if (entry.is_noop) return out << "  an empty entry\n";
  out << "  a command" << (entry.is_old ? " of an old epoch" : "") << ':';
  for (const Change& change : entry.changes) {
    out << (change.is_put ? " put " : " delete ") << kColumnFamilyNames[change.family] << ' '
        << KeyOf(change.key) << ';';
  }
  return out << '\n';
}

std::ostream& operator<<(std::ostream& out, const Program& program) {
  out << "the region has the keys from b to before m; committed, and to be applied:\n";
  for (const Step& step : program.steps) {
    for (const Entry& entry : step.entries) out << entry;
    out << (step.crash ? "the power fails; the log is applied again from where it must\n" : "");
  }
  return out;
}

rc::Gen<Program> AnyProgram() {
  const auto change = gen::build<Change>(
      gen::set(&Change::is_put, gen::weightedElement<bool>({{3, true}, {1, false}})),
      gen::set(&Change::family, InRange(0, 3)),
      gen::set(&Change::key,
               gen::weightedElement<int>({{6, 1}, {6, 2}, {6, 3}, {1, 0}, {1, 4}, {1, 5}})));
  const auto entry = gen::build<Entry>(
      gen::set(&Entry::changes, gen::resize(4, gen::container<std::vector<Change>>(change))),
      gen::set(&Entry::is_old, gen::weightedElement<bool>({{6, false}, {1, true}})),
      gen::set(&Entry::is_noop, gen::weightedElement<bool>({{8, false}, {1, true}})));
  const auto step = gen::build<Step>(
      gen::set(&Step::entries, gen::resize(5, gen::container<std::vector<Entry>>(entry))),
      gen::set(&Step::crash, gen::weightedElement<bool>({{3, false}, {1, true}})));
  return gen::build<Program>(
      gen::set(&Program::seed, gen::noShrink(InRange<uint64_t>(0, 1000))),
      gen::set(&Program::steps, gen::resize(10, gen::container<std::vector<Step>>(step))));
}

// A store's kv engine and applier, on a simulated disk, and what they should hold.
class Session {
 public:
  explicit Session(const Program& program) : program_(program), bench_(program.seed, handlers_) {}

  Result Run() {
    if (absl::Status status = Begin(); !status.ok()) return Wrong(status.ToString());
    for (const Step& step : program_.steps) {
      for (const Entry& entry : step.entries) log_.push_back(entry);
      if (Result found = ApplyTo(log_.size())) return found;
      if (step.crash) {
        if (Result found = Crash()) return found;
      }
    }
    return std::nullopt;
  }

 private:
  absl::Status Begin() {
    TKV_RETURN_IF_ERROR(bench_.Open());
    raftstore::AppliedRegion region{.region = raftstore::FirstRegion({1})};
    region.region.set_start_key("b");
    region.region.set_end_key("m");
    region.region.mutable_region_epoch()->set_version(2);
    StartApplier(std::move(region));
    return absl::OkStatus();
  }

  void StartApplier(raftstore::AppliedRegion region) {
    region_ = region.region;
    applied_ = region.state.applied_index();
    bench_.Start(std::move(region), {.applied = [](const auto&) {}, .failed = [](const auto&) {}});
  }

  // Entries applied_ + 1 to `last` of the log, in one piece.
  Result ApplyTo(size_t last) {
    raftstore::ApplyEntries apply{.region = region_.id()};
    std::vector<std::optional<absl::Status>> answers(last + 1);
    for (size_t index = applied_ + 1; index <= last; ++index) {
      apply.entries.push_back(
          {EntryAt(index), [&answers, index](absl::Status status) { answers[index] = status; }});
    }
    const size_t first = applied_ + 1;
    if (first <= last) bench_.applier().Apply(std::move(apply));
    bench_.Work();
    for (size_t index = first; index <= last; ++index) {
      if (Result found = CheckAnswer(index, answers[index])) return found;
    }
    applied_ = last;
    return CheckContent(last);
  }

  raft::Entry EntryAt(size_t index) const {
    const Entry& entry = log_[index - 1];
    raft::Entry out{.term = kTerm, .index = index};
    if (entry.is_noop) return out;
    raft_cmdpb::RaftCmdRequest command;
    command.mutable_header()->set_region_id(region_.id());
    command.mutable_header()->mutable_region_epoch()->set_version(entry.is_old ? 1 : 2);
    for (const Change& change : entry.changes) AddTo(command, change, index);
    out.data = command.SerializeAsString();
    return out;
  }

  static void AddTo(raft_cmdpb::RaftCmdRequest& command, const Change& change, size_t index) {
    raft_cmdpb::Request& request = *command.add_requests();
    const std::string family(kColumnFamilyNames[change.family]);
    request.set_cmd_type(change.is_put ? raft_cmdpb::Put : raft_cmdpb::Delete);
    if (change.is_put) {
      request.mutable_put()->set_cf(family);
      request.mutable_put()->set_key(KeyOf(change.key));
      request.mutable_put()->set_value(Concat('v', index));
    } else {
      request.mutable_delete_()->set_cf(family);
      request.mutable_delete_()->set_key(KeyOf(change.key));
    }
  }

  Result CheckAnswer(size_t index, const std::optional<absl::Status>& answer) {
    if (!answer) return Stuck(Concat("who waits for entry ", index, " was not answered"));
    const bool is_refused = IsRefused(log_[index - 1]) && !log_[index - 1].is_noop;
    if (answer->ok() == !is_refused) return std::nullopt;
    return Wrong(Concat("entry ", index, is_refused ? " must be refused, and " : " is right, and ",
                        "the answer was: ", answer->ok() ? "OK" : std::string(MessageOf(*answer))));
  }

  // What the first `count` entries make.
  KvContent ContentAfter(size_t count) const {
    KvContent content;
    for (size_t index = 1; index <= count; ++index) {
      const Entry& entry = log_[index - 1];
      if (entry.is_noop || IsRefused(entry)) continue;
      for (const Change& change : entry.changes) {
        const std::string place = Concat(kColumnFamilyNames[change.family], ' ', KeyOf(change.key));
        content.erase(place);
        if (change.is_put) content[place] = Concat('v', index);
      }
    }
    return content;
  }

  Result CheckContent(size_t count) {
    const auto found = bench_.Content();
    if (!found.ok()) return Wrong(found.status().ToString());
    const KvContent wanted = ContentAfter(count);
    if (*found == wanted) return std::nullopt;
    return Wrong(Concat("after entry ", count, " the data must be: ", ToString(wanted),
                        "; and is: ", ToString(*found)));
  }

  // The power fails. What the apply state says is applied must be just what the data shows.
  Result Crash() {
    bench_.FailPower();
    if (absl::Status status = bench_.Open(); !status.ok()) return Wrong(status.ToString());
    const auto stored = bench_.ApplyState(region_.id());
    if (!stored.ok()) return Wrong(stored.status().ToString());
    raftstore::AppliedRegion region{.region = region_, .state = *stored};
    const size_t applied = region.state.applied_index();
    region.applied_term = applied == 0 ? 0 : kTerm;
    if (Result found = CheckContent(applied)) return found;
    StartApplier(std::move(region));
    return ApplyTo(log_.size());
  }

  const Program& program_;
  const raftstore::AdminHandlers handlers_;
  ApplierBench bench_;
  metapb::Region region_;
  std::vector<Entry> log_;
  size_t applied_ = 0;
};

Result Run(const Program& program) {
  Session session(program);
  return session.Run();
}

}  // namespace

Task KvApply() {
  return {.id = "2b-apply",
          .run = [](uint64_t seed) { return CheckProgram<Program>(seed, AnyProgram(), Run); }};
}

}  // namespace tinykv::grading
