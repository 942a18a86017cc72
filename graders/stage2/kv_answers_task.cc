// 2b-answers: who waits for a command or a read is told the truth, and everybody is told something.
#include <map>
#include <ostream>

#include "common/status.h"
#include "common/storage/region_error.h"
#include "common/strings.h"
#include "graders/stage2/kv_tasks.h"
#include "graders/task/property.h"
#include "stage2-raftkv/raftstore/proposals.h"
#include "stage2-raftkv/raftstore/waiting_reads.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;

// A leader comes and goes: each reign proposes some commands behind those that are decided, and
// then so many of all that are in the log are decided before the next reign, which overwrites the
// rest.
struct Reign {
  bool is_ours = true;  // else another member leads, and its commands are nobody's here
  int proposals = 1;
  int decided = 1;
};
struct Reigns {
  std::vector<Reign> reigns = {};
};

std::ostream& operator<<(std::ostream& out, const Reigns& program) {
  raft::Term term = 5;
  for (const Reign& reign : program.reigns) {
    out << "in term " << ++term << (reign.is_ours ? " this peer" : " another peer") << " leads; "
        << Counted(reign.proposals, "command") << " behind what is decided, of which "
        << std::min(reign.decided, reign.proposals) << " become decided\n";
  }
  return out;
}

rc::Gen<Reigns> AnyReigns() {
  const auto reign = gen::build<Reign>(
      gen::set(&Reign::is_ours, gen::weightedElement<bool>({{2, true}, {1, false}})),
      gen::set(&Reign::proposals, InRange(1, 5)), gen::set(&Reign::decided, InRange(0, 5)));
  return gen::build<Reigns>(
      gen::set(&Reigns::reigns, gen::resize(6, gen::container<std::vector<Reign>>(reign))));
}

struct Told {
  raft::EntryId id = {};
  bool is_decided = false;
  int answers = 0;
  absl::Status status = {};
};

Result CheckTold(const Told& told, bool at_the_end) {
  const std::string who = Concat("the command at ", raft::ToString(told.id));
  if (told.answers > 1) return Wrong(Concat(who, " was answered ", told.answers, " times"));
  if (told.is_decided && told.answers == 0)
    return Stuck(Concat(who, " is applied, and nobody says so"));
  if (told.answers == 0)
    return at_the_end ? Result(Stuck(Concat(who, " was never answered"))) : std::nullopt;
  if (told.is_decided == told.status.ok()) return std::nullopt;
  return Wrong(
      told.is_decided
          ? Concat(who, " is applied, and was answered: ", MessageOf(told.status))
          : Concat(who, " was answered with OK, and another leader's command has its place"));
}

// Plays the reigns; a last leader, in a later term, decides one more entry.
Result RunReigns(const Reigns& program) {
  raftstore::ProposalQueue queue;
  std::map<std::pair<raft::Term, raft::Index>, Told> told;
  raft::Term term = 5;
  raft::Index decided = 0;
  const auto decide = [&](const raft::EntryId& id) {
    const auto ours = told.find({id.term, id.index});
    if (ours != told.end()) ours->second.is_decided = true;
    if (auto done = queue.Take(id)) done(absl::OkStatus());
  };
  for (const Reign& reign : program.reigns) {
    ++term;
    for (int i = 1; reign.is_ours && i <= reign.proposals; ++i) {
      const raft::EntryId id{.index = decided + static_cast<raft::Index>(i), .term = term};
      Told& place = told[{id.term, id.index}];
      place.id = id;
      queue.Add(id, 0, [&place](absl::Status status) {
        ++place.answers;
        place.status = std::move(status);
      });
    }
    for (int i = 0; i < std::min(reign.decided, reign.proposals); ++i) {
      decide({.index = ++decided, .term = term});
    }
    for (const auto& [id, place] : told) {
      if (Result found = CheckTold(place, false)) return found;
    }
  }
  decide({.index = ++decided, .term = term + 1});
  for (const auto& [id, place] : told) {
    if (Result found = CheckTold(place, true)) return found;
  }
  return std::nullopt;
}

// Reads come in, Raft names an index for each, and entries become applied.
struct ReadStep {
  enum class Type { kAsk, kConfirm, kApply };
  Type type = Type::kAsk;
  uint64_t number = 0;  // kConfirm: which of those that wait, from the oldest; kApply: how many
};
struct Reads {
  std::vector<ReadStep> steps = {};
};

std::ostream& operator<<(std::ostream& out, const Reads& program) {
  for (const ReadStep& step : program.steps) {
    switch (step.type) {
      case ReadStep::Type::kAsk:
        out << "a read comes in\n";
        break;
      case ReadStep::Type::kConfirm:
        out << "Raft confirms a read, " << step.number % 3 << " entries ahead of what is applied\n";
        break;
      case ReadStep::Type::kApply:
        out << step.number % 3 << " entries more are applied\n";
        break;
    }
  }
  return out;
}

rc::Gen<Reads> AnyReads() {
  using Type = ReadStep::Type;
  const auto step = gen::build<ReadStep>(
      gen::set(&ReadStep::type, gen::element(Type::kAsk, Type::kConfirm, Type::kApply)),
      gen::set(&ReadStep::number, InRange<uint64_t>(0, 9)));
  return gen::build<Reads>(
      gen::set(&Reads::steps, gen::resize(20, gen::container<std::vector<ReadStep>>(step))));
}

Result RunReads(const Reads& program) {
  raftstore::WaitingReads reads;
  struct Asked {
    std::optional<raft::Index> needs = {};
    bool is_served = false;
  };
  std::map<uint64_t, Asked> asked;
  raft::Index applied = 5;
  Result found;
  for (const ReadStep& step : program.steps) {
    if (step.type == ReadStep::Type::kAsk) {
      const auto number = std::make_shared<uint64_t>(0);
      *number = reads.Add(0, [&, number](const absl::StatusOr<metapb::Region>&) {
        Asked& read = asked[*number];
        if (!read.needs || *read.needs > applied) {
          found = Wrong(Concat("a read that needs entry ", read.needs.value_or(0),
                               " was served when entry ", applied, " was the last one applied"));
        }
        read.is_served = true;
      });
      asked[*number] = {};
    } else if (step.type == ReadStep::Type::kConfirm) {
      for (auto& [number, read] : asked) {
        if (read.needs) continue;
        read.needs = applied + step.number % 3;
        reads.Confirm({.request = number, .index = *read.needs});
        break;
      }
    } else {
      applied += step.number % 3;
    }
    reads.Serve(applied, {});
    if (found) return found;
    for (const auto& [number, read] : asked) {
      if (read.needs && *read.needs <= applied && !read.is_served) {
        return Stuck(Concat("a read that needs entry ", *read.needs, " waits, and entry ", applied,
                            " is applied"));
      }
    }
  }
  return std::nullopt;
}

}  // namespace

Task KvAnswers() {
  return {.id = "2b-answers", .run = [](uint64_t seed) {
            if (Result found = CheckProgram<Reigns>(seed, AnyReigns(), RunReigns)) return found;
            return CheckProgram<Reads>(seed, AnyReads(), RunReads);
          }};
}

}  // namespace tinykv::grading
