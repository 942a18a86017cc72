#include "graders/lsm/fixed_program.h"

#include <algorithm>
#include <cstdlib>

#include "common/random.h"

namespace tinykv::lsm::grading {
namespace {

// Writes that the seed decides on; about one in four is synced.
void AddWrites(Random& random, int count, Program& program) {
  for (int i = 0; i < count; ++i) {
    Write write;
    write.sync = random.OneIn(4);
    const uint64_t modifications = random.Between(1, 6);
    for (uint64_t j = 0; j < modifications; ++j) {
      Modification modification;
      modification.column_family = static_cast<ColumnFamilyId>(random.Uniform(kColumnFamilies));
      modification.key = static_cast<int>(random.Uniform(40));
      modification.value_bytes = static_cast<int>(random.Uniform(120));
      if (random.OneIn(4)) modification.value_bytes.reset();
      if (random.OneIn(12)) {
        modification.deleted = {modification.key, static_cast<int>(random.Uniform(50))};
      }
      write.modifications.push_back(modification);
    }
    program.commands.push_back({write});
    if (random.OneIn(8)) program.commands.push_back({RunBackground{.tasks = 2}});
  }
}

// As for a Raft snapshot: a range in each column family is replaced by a table, and a key says so.
void AddIngest(Random& random, Program& program) {
  Ingest ingest;
  const int begin = static_cast<int>(random.Uniform(30));
  for (ColumnFamilyId id = 0; id < kColumnFamilies; ++id) {
    ingest.cleared.push_back({id, {begin, begin + 10}});
    if (id > 0) ingest.files.push_back({id, begin + 2, 6, static_cast<int>(random.Uniform(60))});
  }
  ingest.modifications.push_back({.key = 0, .value_bytes = 10});
  program.commands.push_back({ingest});
}

// Reads all of a snapshot, in both directions.
void AddScansOf(int snapshot, Program& program) {
  using Move = MoveCursor::Move;
  for (ColumnFamilyId id = 0; id < kColumnFamilies; ++id) {
    program.commands.push_back({OpenCursor{.column_family = id, .snapshot = snapshot}});
    program.commands.push_back({MoveCursor{.move = Move::kSeekToFirst}});
    program.commands.push_back({MoveCursor{.move = Move::kNext, .times = kKeys}});
    program.commands.push_back({MoveCursor{.move = Move::kSeekToLast}});
    program.commands.push_back({MoveCursor{.move = Move::kPrev, .times = kKeys}});
  }
}

}  // namespace

Program FixedProgram() {
  Random random(20);
  Program program;
  // Without compression, which would take most of the time of thousands of runs.
  program.setup = {.memtable_bytes = 1200, .zstd_level = 0, .manifest_bytes_max = 600};
  AddWrites(random, 12, program);
  program.commands.push_back({TakeSnapshot{.slot = 0}});
  AddWrites(random, 8, program);
  program.commands.push_back({Flush{}});
  AddWrites(random, 8, program);
  program.commands.push_back({MakeCheckpoint{}});
  AddIngest(random, program);
  AddWrites(random, 2, program);
  program.commands.push_back({CompactAll{.column_family = 0}});
  AddScansOf(0, program);
  program.commands.push_back({DropSnapshot{.slot = 0}});
  program.commands.push_back({SyncLog{}});
  AddWrites(random, 6, program);
  program.commands.push_back({Reopen{}});
  AddWrites(random, 10, program);
  program.commands.push_back({MakeCheckpoint{}});
  AddIngest(random, program);
  program.commands.push_back({Flush{}});
  program.commands.push_back({CompactAll{.column_family = 1}});
  AddWrites(random, 4, program);
  return program;
}

uint64_t TestScale() {
  const char* text = std::getenv("TINYKV_TEST_SCALE");
  return text == nullptr ? 1 : std::max<uint64_t>(1, std::strtoull(text, nullptr, 10));
}

}  // namespace tinykv::lsm::grading
