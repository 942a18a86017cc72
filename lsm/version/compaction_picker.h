// Which tables to merge next, as pure functions on the levels of one column family.
//
// Leveled compaction: level 0 takes what is flushed; once it has `l0_compact_tables` tables, they
// are merged into level 1. Each deeper level has a size to aim at, `level_multiplier` times that of
// the one above; a level that is larger gives one table at a time to the next, in turn by key, so
// that all of the key space is compacted equally often.
//
// Only one compaction of a column family runs at a time; flushes may add tables to level 0
// meanwhile.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lsm/options.h"
#include "lsm/version/version.h"

namespace tinykv::lsm {

struct Compaction {
  struct Input {
    int level = 0;
    TableList tables;  // in the order of the level
  };

  std::vector<Input> inputs;  // shallow levels first
  int output_level = 0;
  // The one input table fits into the output level as it is: its file need not be read.
  bool trivial_move = false;
};

// Where in each level the last compaction from it ended: the largest internal key of its tables.
// Empty means at the start.
using CompactionCursors = std::vector<std::string>;

// How urgent a compaction from `level` is: at least 1 means that one is due. The deepest level has
// nowhere to go, and is never due.
double CompactionScore(const Options& options, const Levels& levels, int level);

// The highest score of all levels.
double CompactionScore(const Options& options, const Levels& levels);

// What compactions have to move down at least until none is due; what moves through two levels
// counts twice. Tables in the way are rewritten on top of it.
uint64_t PendingCompactionBytes(const Options& options, const Levels& levels);

// The most urgent compaction; nothing if none is due.
std::optional<Compaction> PickCompaction(const Options& options, const Levels& levels,
                                         const CompactionCursors& cursors);

// All tables into one level, the deepest that has any (but not level 0). Nothing if there are none.
std::optional<Compaction> PickWholeCompaction(const Levels& levels);

}  // namespace tinykv::lsm
