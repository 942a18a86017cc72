// 2c-log: a CompactLog forgets only entries whose effect outlives a power failure, whenever it
// comes and whatever it says.
#include <algorithm>
#include <ostream>

#include "common/status.h"
#include "common/strings.h"
#include "graders/stage2/applier_bench.h"
#include "graders/stage2/kv_tasks.h"
#include "graders/task/property.h"
#include "stage2-raftkv/raftstore/bootstrap.h"
#include "stage2-raftkv/raftstore/compact_log.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;

constexpr raft::Term kTerm = 6;

// Entries are applied in pieces; each writes, or compacts the log.
struct Entry {
  bool is_compaction = false;
  // The log is compacted to so many entries before this one; below 1: to itself, or to what comes
  // after it.
  int back = 1;
};

struct Piece {
  std::vector<Entry> entries = {};
  bool crash = false;  // then the power fails, and what is lost is applied again
};

struct Program {
  uint64_t seed = 0;
  std::vector<Piece> pieces = {};
};

std::ostream& operator<<(std::ostream& out, const Program& program) {
  int index = 0;
  for (const Piece& piece : program.pieces) {
    for (const Entry& entry : piece.entries) {
      out << "  entry " << ++index << ": ";
      if (entry.is_compaction) {
        out << "compact the log to entry " << std::max(0, index - entry.back) << '\n';
      } else {
        out << "a write\n";
      }
    }
    out << (piece.crash ? "applied; then the power fails\n" : "applied\n");
  }
  return out;
}

rc::Gen<Program> AnyProgram() {
  const auto entry = gen::build<Entry>(
      gen::set(&Entry::is_compaction, gen::weightedElement<bool>({{2, false}, {1, true}})),
      gen::set(&Entry::back, InRange(-1, 12)));
  const auto piece = gen::build<Piece>(
      gen::set(&Piece::entries, gen::resize(5, gen::container<std::vector<Entry>>(entry))),
      gen::set(&Piece::crash, gen::weightedElement<bool>({{2, false}, {1, true}})));
  return gen::build<Program>(
      gen::set(&Program::seed, gen::noShrink(InRange<uint64_t>(0, 1000))),
      gen::set(&Program::pieces, gen::resize(10, gen::container<std::vector<Piece>>(piece))));
}

class Session {
 public:
  explicit Session(const Program& program)
      : program_(program),
        handlers_{{raft_cmdpb::CompactLog, raftstore::CompactLogHandler()}},
        bench_(program.seed, handlers_) {}

  Result Run() {
    if (absl::Status status = bench_.Open(); !status.ok()) return Wrong(status.ToString());
    Start({});
    for (const Piece& piece : program_.pieces) {
      log_.insert(log_.end(), piece.entries.begin(), piece.entries.end());
      if (Result found = ApplyAll()) return found;
      if (piece.crash) {
        if (Result found = Crash()) return found;
      }
    }
    return std::nullopt;
  }

 private:
  void Start(raft_serverpb::RaftApplyState state) {
    applied_ = state.applied_index();
    bench_.Start({.region = raftstore::FirstRegion({1}),
                  .state = std::move(state),
                  .applied_term = applied_ == 0 ? 0 : kTerm},
                 {.applied = [this](const raftstore::Applied& applied) { OnApplied(applied); },
                  .failed = [](const absl::Status&) {}});
  }

  // From now on the store deletes entries up to `applied.truncated`.
  void OnApplied(const raftstore::Applied& applied) {
    if (applied.truncated) deleted_to_ = std::max(deleted_to_, applied.truncated->index);
  }

  raft::Index TargetOf(raft::Index index) const {
    const int target = static_cast<int>(index) - log_[index - 1].back;
    return static_cast<raft::Index>(std::max(0, target));
  }

  raft::Entry EntryAt(raft::Index index) const {
    raft_cmdpb::RaftCmdRequest command;
    command.mutable_header()->set_region_id(1);
    if (log_[index - 1].is_compaction) {
      *command.mutable_admin_request() =
          raftstore::CompactLogRequest({.index = TargetOf(index), .term = kTerm});
    } else {
      raft_cmdpb::Request& request = *command.add_requests();
      request.set_cmd_type(raft_cmdpb::Put);
      request.mutable_put()->set_cf("default");
      request.mutable_put()->set_key(Concat("key ", index));
    }
    return {.term = kTerm, .index = index, .data = command.SerializeAsString()};
  }

  // Where the log begins once the first `count` entries are applied.
  raft::Index TruncatedAfter(raft::Index count) const {
    raft::Index truncated = 0;
    for (raft::Index index = 1; index <= count; ++index) {
      const raft::Index target = TargetOf(index);
      if (log_[index - 1].is_compaction && target < index) truncated = std::max(truncated, target);
    }
    return truncated;
  }

  Result ApplyAll() {
    if (applied_ == log_.size()) return std::nullopt;
    raftstore::ApplyEntries apply{.region = 1};
    for (raft::Index index = applied_ + 1; index <= log_.size(); ++index) {
      apply.entries.push_back({EntryAt(index), nullptr});
    }
    bench_.applier().Apply(std::move(apply));
    bench_.Work();
    applied_ = log_.size();
    const raft::Index wanted = TruncatedAfter(applied_);
    if (deleted_to_ > wanted) {
      return Wrong(Concat("the store may delete its log up to entry ", deleted_to_,
                          ", and no command has compacted it so far; entry ", wanted,
                          " is the last that may go"));
    }
    return CheckState();
  }

  // The stored apply state says what the entries made that it counts as applied.
  Result CheckState() {
    const auto state = bench_.ApplyState(1);
    if (!state.ok()) return Wrong(state.status().ToString());
    const raft::Index wanted = TruncatedAfter(state->applied_index());
    if (state->truncated_state().index() == wanted) return std::nullopt;
    return Wrong(Concat("after entry ", state->applied_index(), " the log is compacted to entry ",
                        wanted, ", and the apply state says ", state->truncated_state().index()));
  }

  Result Crash() {
    bench_.FailPower();
    if (absl::Status status = bench_.Open(); !status.ok()) return Wrong(status.ToString());
    const auto state = bench_.ApplyState(1);
    if (!state.ok()) return Wrong(state.status().ToString());
    if (state->applied_index() < deleted_to_) {
      return Wrong(Concat("after a power failure entries up to ", state->applied_index(),
                          " are applied, and those up to ", deleted_to_,
                          " were deleted from the log: what is between is lost"));
    }
    if (Result found = CheckState()) return found;
    Start(*state);
    return ApplyAll();
  }

  const Program& program_;
  const raftstore::AdminHandlers handlers_;
  ApplierBench bench_;
  std::vector<Entry> log_;
  raft::Index applied_ = 0;
  raft::Index deleted_to_ = 0;
};

Result Run(const Program& program) {
  Session session(program);
  return session.Run();
}

}  // namespace

Task KvLog() {
  return {.id = "2c-log",
          .run = [](uint64_t seed) { return CheckProgram<Program>(seed, AnyProgram(), Run); }};
}

}  // namespace tinykv::grading
