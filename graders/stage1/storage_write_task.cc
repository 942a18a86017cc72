// 1-storage-write: write sets one after the other, and what the engine holds in the end.
#include <ostream>

#include "common/status.h"
#include "common/strings.h"
#include "graders/stage1/sim_store.h"
#include "graders/stage1/tasks.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;

struct Program {
  uint64_t seed = 0;
  bool sync_writes = true;
  bool small_tables = false;
  std::vector<PlannedWrite> writes = {};
};

std::string NameOf(size_t write) { return Concat('w', write + 1); }

std::ostream& operator<<(std::ostream& out, const Program& program) {
  out << "a storage with sync_writes = " << (program.sync_writes ? "true" : "false") << '\n';
  for (size_t i = 0; i < program.writes.size(); ++i) {
    out << "Write " << NameOf(i) << ": " << ToText({program.writes[i], NameOf(i)}) << '\n';
  }
  return out;
}

rc::Gen<Program> AnyProgram() {
  return gen::build<Program>(
      gen::set(&Program::seed, InRange<uint64_t>(0, 1000)),
      gen::set(&Program::sync_writes, gen::element(true, false)),
      gen::set(&Program::small_tables, gen::element(false, true)),
      gen::set(&Program::writes, gen::container<std::vector<PlannedWrite>>(AnyWrite(8))));
}

Result Run(const Program& program) {
  SimStore store({.seed = program.seed,
                  .sync_writes = program.sync_writes,
                  .small_tables = program.small_tables});
  if (const absl::Status status = store.Start(); !status.ok()) return Wrong(status.ToString());

  Content expected;
  const kvrpcpb::Context context;
  for (size_t i = 0; i < program.writes.size(); ++i) {
    const NamedWrite write{program.writes[i], NameOf(i)};
    const uint64_t batches = store.storage().GetStatistics().writes;
    const uint64_t turns = store.executor().run_count();
    const auto status = store.RunToEnd(store.storage().Write(context, ToWriteSet(write)));
    if (!status.has_value()) {
      return Stuck(Concat("Write ", NameOf(i), " (", ToText(write), ") is never answered"));
    }
    if (!status->ok()) {
      return Wrong(Concat("Write ", NameOf(i), " (", ToText(write),
                          ") was answered with an error (", MessageOf(*status),
                          "), and nothing is wrong with it"));
    }
    if (store.storage().GetStatistics().writes > batches + 1) {
      return Wrong(Concat("Write ", NameOf(i), " (", ToText(write),
                          ") came to the engine as several batches; a write set is one batch, or a "
                          "crash in the middle leaves a half of it"));
    }
    // The start of the coroutine, the turn of the write actor, the end of the coroutine. An empty
    // write set has nothing to wait for.
    const bool waits = program.sync_writes && !write.plan.modifies.empty();
    if (waits && store.executor().run_count() < turns + 3) {
      return Wrong(
          Concat("Write ", NameOf(i), " (", ToText(write),
                 ") was answered without anybody else having had a turn: either it did not wait "
                 "for the disk, or the thread of the request did so itself; co_await Commit() "
                 "leaves that to the write actor"));
    }
    Apply(write, expected);
  }

  if (const absl::Status status = store.Stop(); !status.ok()) return Wrong(status.ToString());
  const auto found = store.ReadEngine();
  if (!found.ok()) return Wrong(found.status().ToString());
  const std::string difference = Difference(expected, *found);
  if (difference.empty()) return std::nullopt;
  return Wrong(Concat("after all these writes, ", difference,
                      ": every modification of a write set takes effect, in the set's order"));
}

}  // namespace

Task StorageWrite() {
  return {.id = "1-storage-write",
          .run = [](uint64_t seed) { return CheckProgram<Program>(seed, AnyProgram(), Run); }};
}

}  // namespace tinykv::grading
