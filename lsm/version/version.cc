#include "lsm/version/version.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "common/status.h"
#include "lsm/version/level_iterator.h"

namespace tinykv::lsm {
namespace {

void SortLevels(Levels* levels) {
  // Flushes happen one after the other, and take their number when they start: the largest number
  // is the newest table.
  std::sort(levels->front().begin(), levels->front().end(),
            [](const auto& a, const auto& b) { return a->meta().number > b->meta().number; });
  for (size_t level = 1; level < levels->size(); ++level) {
    std::sort((*levels)[level].begin(), (*levels)[level].end(), [](const auto& a, const auto& b) {
      return CompareInternalKeys(a->meta().smallest, b->meta().smallest) < 0;
    });
  }
}

absl::Status CheckDisjoint(const Levels& levels) {
  for (size_t level = 1; level < levels.size(); ++level) {
    const TableList& tables = levels[level];
    for (size_t i = 1; i < tables.size(); ++i) {
      if (!tables[i - 1]->EndsBeforeKey(tables[i]->smallest_user_key())) {
        return DataLoss("tables ", tables[i - 1]->meta().number, " and ", tables[i]->meta().number,
                        " of level ", level, " overlap");
      }
    }
  }
  return absl::OkStatus();
}

bool Overlaps(const TableFile& table, const KeyRange& range) {
  if (range.lower && table.EndsBeforeKey(*range.lower)) return false;
  return !range.upper || table.smallest_user_key() < *range.upper;
}

// The table numbered `number`, removed from `tables`; null if it is not there.
std::shared_ptr<const TableFile> Take(TableList* tables, FileNumber number) {
  const auto it = std::find_if(tables->begin(), tables->end(), [number](const auto& table) {
    return table->meta().number == number;
  });
  if (it == tables->end()) return nullptr;
  auto table = *it;
  tables->erase(it);
  return table;
}

// Reads one table for Version::Get().
absl::Status GetFromTable(const TableFile& table, const LookupKey& key, bool fill_cache,
                          LookupResult* result, uint64_t* filter_skips) {
  SequenceNumber tombstone = 0;
  if (const FragmentedTombstones* tombstones = table.table().tombstones().get()) {
    tombstone = tombstones->Newest(key.user_key(), key.sequence());
  }
  // Whatever else there is in older tables, a tombstone here hides it.
  result->SetNone(tombstone);
  // The filter knows nothing of tombstones.
  if (!table.table().MayContain(key.user_key())) {
    ++*filter_skips;
    return absl::OkStatus();
  }
  return table.table().Get(key.internal_key(), fill_cache,
                           [=](const ParsedInternalKey& found, std::string_view value) {
                             result->Set(found, value, tombstone);
                           });
}

// The tables of one column family that have range tombstones. There are few or none.
TableList WithTombstones(const Levels& levels) {
  TableList result;
  for (const TableList& tables : levels) {
    for (const auto& table : tables) {
      if (table->tombstones() != nullptr) result.push_back(table);
    }
  }
  return result;
}

}  // namespace

size_t FindTable(const TableList& tables, std::string_view user_key) {
  const auto it = std::partition_point(tables.begin(), tables.end(), [&](const auto& table) {
    return table->EndsBeforeKey(user_key);
  });
  return it - tables.begin();
}

bool SortedLevelCovers(const TableList& tables, std::string_view user_key) {
  const size_t index = FindTable(tables, user_key);
  return index < tables.size() && tables[index]->smallest_user_key() <= user_key;
}

bool SortedLevelOverlaps(const TableList& tables, std::string_view begin, std::string_view end) {
  const size_t index = FindTable(tables, begin);
  return index < tables.size() && IsBeforeEnd(tables[index]->smallest_user_key(), end);
}

absl::StatusOr<std::shared_ptr<const Version>> Version::Create(
    std::vector<Levels> column_families) {
  for (Levels& levels : column_families) {
    SortLevels(&levels);
    TKV_RETURN_IF_ERROR(CheckDisjoint(levels));
  }
  return std::shared_ptr<const Version>(new Version(std::move(column_families)));
}

Version::Version(std::vector<Levels> column_families)
    : column_families_(std::move(column_families)) {
  for (const Levels& levels : column_families_) {
    with_tombstones_.push_back(WithTombstones(levels));
  }
}

std::shared_ptr<const Version> Version::Apply(const VersionEdit& edit,
                                              const TableList& opened) const {
  std::vector<Levels> next = column_families_;
  TableList available = opened;
  for (const RemovedTable& removed : edit.removed) {
    auto table = Take(&next[removed.column_family][removed.level], removed.number);
    TKV_CHECK(table != nullptr && "an edit removes tables of the current version");
    available.push_back(std::move(table));
  }
  for (const AddedTable& added : edit.added) {
    auto table = Take(&available, added.table.number);
    TKV_CHECK(table != nullptr && "a table is open before it is added");
    next[added.column_family][added.level].push_back(std::move(table));
  }
  auto version = Create(std::move(next));
  TKV_CHECK(version.ok() && "flushes and compactions keep levels disjoint");
  return *std::move(version);
}

absl::Status Version::Get(ColumnFamilyId column_family, const LookupKey& key, bool fill_cache,
                          LookupResult* result, uint64_t* filter_skips) const {
  const std::string_view user_key = key.user_key();
  const Levels& tree = levels(column_family);
  for (const auto& table : tree.front()) {
    if (user_key < table->smallest_user_key() || table->EndsBeforeKey(user_key)) continue;
    TKV_RETURN_IF_ERROR(GetFromTable(*table, key, fill_cache, result, filter_skips));
    if (result->kind != LookupResult::Kind::kAbsent) return absl::OkStatus();
  }
  for (size_t level = 1; level < tree.size(); ++level) {
    const size_t index = FindTable(tree[level], user_key);
    if (index == tree[level].size()) continue;
    const TableFile& table = *tree[level][index];
    if (user_key < table.smallest_user_key()) continue;
    TKV_RETURN_IF_ERROR(GetFromTable(table, key, fill_cache, result, filter_skips));
    if (result->kind != LookupResult::Kind::kAbsent) return absl::OkStatus();
  }
  return absl::OkStatus();
}

void Version::AddTombstones(
    ColumnFamilyId column_family, const KeyRange& range,
    std::vector<std::shared_ptr<const FragmentedTombstones>>* tombstones) const {
  for (const auto& table : with_tombstones_[column_family]) {
    if (Overlaps(*table, range)) tombstones->push_back(table->tombstones());
  }
}

void Version::AddIterators(ColumnFamilyId column_family, const KeyRange& range, bool fill_cache,
                           std::vector<std::unique_ptr<Iterator>>* iterators) const {
  const Levels& tree = levels(column_family);
  for (const auto& table : tree.front()) {
    if (Overlaps(*table, range)) iterators->push_back(table->table().NewIterator(fill_cache));
  }
  for (size_t level = 1; level < tree.size(); ++level) {
    const std::span tables(tree[level]);
    const size_t begin = range.lower ? FindTable(tree[level], *range.lower) : 0;
    const auto rest = tables.subspan(begin);
    const auto end = std::partition_point(rest.begin(), rest.end(), [&](const auto& table) {
      return !range.upper || table->smallest_user_key() < *range.upper;
    });
    const auto inside = rest.first(end - rest.begin());
    if (!inside.empty()) iterators->push_back(NewLevelIterator(inside, fill_cache));
  }
}

}  // namespace tinykv::lsm
