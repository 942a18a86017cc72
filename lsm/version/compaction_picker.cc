#include "lsm/version/compaction_picker.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tinykv::lsm {
namespace {

// From the first to the last key of some tables.
struct Span {
  std::string_view smallest;
  const TableFile* last = nullptr;  // the one that ends last
};

Span SpanOf(const TableList& tables) {
  Span span{tables.front()->smallest_user_key(), tables.front().get()};
  for (const auto& table : tables) {
    span.smallest = std::min(span.smallest, table->smallest_user_key());
    if (CompareLargest(table->meta().largest, span.last->meta().largest) > 0) {
      span.last = table.get();
    }
  }
  return span;
}

TableList Overlapping(const TableList& tables, const Span& span) {
  TableList result;
  for (const auto& table : tables) {
    if (!span.last->EndsBeforeKey(table->smallest_user_key()) &&
        !table->EndsBeforeKey(span.smallest)) {
      result.push_back(table);
    }
  }
  return result;
}

// The oldest table of level 0 and every other that overlaps it, directly or through others. No
// table left behind shares a key with them, so moving them below the newer ones keeps versions in
// order.
TableList PickFromLevel0(const TableList& tables) {
  TableList picked = {tables.back()};
  while (true) {
    TableList wider = Overlapping(tables, SpanOf(picked));
    if (wider.size() == picked.size()) return picked;
    picked = std::move(wider);
  }
}

// The table after the one compacted last, round and round.
TableList PickFromSortedLevel(const TableList& tables, const std::string& cursor) {
  for (const auto& table : tables) {
    if (cursor.empty() || CompareLargest(table->meta().largest, cursor) > 0) return {table};
  }
  return {tables.front()};
}

// What a sorted level aims at. REQUIRES: level > 0.
double TargetBytes(const Options& options, int level) {
  return static_cast<double>(options.level_bytes_base) *
         std::pow(options.level_multiplier, level - 1);
}

}  // namespace

double CompactionScore(const Options& options, const Levels& levels, int level) {
  if (level + 1 >= static_cast<int>(levels.size())) return 0;
  // By number of tables, not bytes: every read looks into each of them.
  if (level == 0) {
    return static_cast<double>(levels.front().size()) / options.l0_compact_tables;
  }
  return static_cast<double>(TotalBytes(levels[level])) / TargetBytes(options, level);
}

double CompactionScore(const Options& options, const Levels& levels) {
  double highest = 0;
  for (size_t level = 0; level < levels.size(); ++level) {
    highest = std::max(highest, CompactionScore(options, levels, static_cast<int>(level)));
  }
  return highest;
}

uint64_t PendingCompactionBytes(const Options& options, const Levels& levels) {
  const bool level0_is_due = CompactionScore(options, levels, 0) >= 1;
  double moved = level0_is_due ? static_cast<double>(TotalBytes(levels.front())) : 0;
  double pending = moved;
  for (int level = 1; level + 1 < static_cast<int>(levels.size()); ++level) {
    // What comes from above is too much here if there was no room for it.
    const double bytes = static_cast<double>(TotalBytes(levels[level])) + moved;
    moved = std::max(0.0, bytes - TargetBytes(options, level));
    pending += moved;
  }
  return static_cast<uint64_t>(pending);
}

std::optional<Compaction> PickCompaction(const Options& options, const Levels& levels,
                                         const CompactionCursors& cursors) {
  int from = 0;
  double highest = 0;
  for (size_t level = 0; level < levels.size(); ++level) {
    const double score = CompactionScore(options, levels, static_cast<int>(level));
    if (score > highest) {
      highest = score;
      from = static_cast<int>(level);
    }
  }
  if (highest < 1) return std::nullopt;

  Compaction compaction;
  compaction.output_level = from + 1;
  TableList picked =
      from == 0 ? PickFromLevel0(levels.front()) : PickFromSortedLevel(levels[from], cursors[from]);
  TableList below = Overlapping(levels[from + 1], SpanOf(picked));
  compaction.trivial_move = picked.size() == 1 && below.empty();
  compaction.inputs.push_back({from, std::move(picked)});
  if (!below.empty()) compaction.inputs.push_back({from + 1, std::move(below)});
  return compaction;
}

std::optional<Compaction> PickWholeCompaction(const Levels& levels) {
  Compaction compaction;
  compaction.output_level = 1;
  for (int level = 0; level < static_cast<int>(levels.size()); ++level) {
    if (levels[level].empty()) continue;
    compaction.inputs.push_back({level, levels[level]});
    compaction.output_level = std::max(1, level);
  }
  if (compaction.inputs.empty()) return std::nullopt;
  return compaction;
}

}  // namespace tinykv::lsm
