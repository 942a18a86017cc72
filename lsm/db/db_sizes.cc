// DBImpl::ApproximateSize() and MiddleKey(): how much there is, and where its middle is, by the
// indexes of tables.
#include <algorithm>
#include <utility>
#include <vector>

#include "common/status.h"
#include "lsm/db/db_impl.h"

namespace tinykv::lsm {
namespace {

constexpr uint64_t kPieces = 1000;  // a range is looked at in about so many

// Before every entry of the user key.
std::string StartOf(std::string_view user_key) {
  return EncodeInternalKey({user_key, kMaxSequenceNumber, kMaxValueType});
}

void ForEachTable(const Levels& levels, const KeyRange& range,
                  absl::FunctionRef<void(const TableFile& table)> found) {
  for (const TableList& tables : levels) {
    for (const auto& table : tables) {
      if (range.lower && table->EndsBeforeKey(*range.lower)) continue;
      if (range.upper && table->smallest_user_key() >= *range.upper) continue;
      found(*table);
    }
  }
}

void ForEachEntry(const MemTable& memtable, ColumnFamilyId column_family, const KeyRange& range,
                  absl::FunctionRef<void(std::string_view user_key, uint64_t bytes)> found) {
  const auto it = memtable.NewIterator(column_family);
  for (it->Seek(StartOf(range.lower.value_or(""))); it->Valid(); it->Next()) {
    const std::string_view user_key = UserKeyOf(it->key());
    if (range.upper && user_key >= *range.upper) return;
    found(user_key, it->key().size() + it->value().size());
  }
}

uint64_t SizeOf(const TableFile& table, const KeyRange& range) {
  const auto offset_of = [&table](std::string_view user_key) {
    return table.table().ApproximateOffsetOf(StartOf(user_key));
  };
  const uint64_t begin = range.lower ? offset_of(*range.lower) : 0;
  // What stands behind the last key belongs to it: index, filter and range deletes.
  const bool ends_inside = range.upper && !table.EndsBeforeKey(*range.upper);
  const uint64_t end = ends_inside ? offset_of(*range.upper) : table.meta().file_bytes;
  return end - std::min(begin, end);
}

std::vector<const MemTable*> MemTablesOf(const ReadState& state) {
  std::vector<const MemTable*> memtables = {state.memtable.get()};
  for (const auto& memtable : state.immutables) memtables.push_back(memtable.get());
  return memtables;
}

uint64_t SizeOf(const ReadState& state, ColumnFamilyId column_family, const KeyRange& range) {
  uint64_t bytes = 0;
  for (const MemTable* memtable : MemTablesOf(state)) {
    ForEachEntry(*memtable, column_family, range,
                 [&bytes](std::string_view, uint64_t size) { bytes += size; });
  }
  ForEachTable(state.version->levels(column_family), range,
               [&](const TableFile& table) { bytes += SizeOf(table, range); });
  return bytes;
}

// Cuts sorted runs of data into pieces of a given size, so that however large a range is, few
// pieces are held in memory.
class Pieces {
 public:
  struct Piece {
    std::string last_key;
    uint64_t bytes = 0;
  };

  explicit Pieces(uint64_t piece_bytes) : piece_bytes_(piece_bytes) {}

  // Adds the next block or entry of the current run.
  void Add(std::string_view last_key, uint64_t bytes) {
    current_.last_key.assign(last_key);
    current_.bytes += bytes;
    if (current_.bytes >= piece_bytes_) EndRun();
  }
  void EndRun() {
    if (current_.bytes > 0) pieces_.push_back(std::exchange(current_, {}));
  }

  // Of all runs, in the order of their last keys.
  std::vector<Piece> TakeSorted() {
    std::sort(pieces_.begin(), pieces_.end(),
              [](const Piece& a, const Piece& b) { return a.last_key < b.last_key; });
    return std::move(pieces_);
  }

 private:
  const uint64_t piece_bytes_;
  Piece current_;
  std::vector<Piece> pieces_;
};

std::vector<Pieces::Piece> PiecesOf(const ReadState& state, ColumnFamilyId column_family,
                                    const KeyRange& range) {
  Pieces pieces(SizeOf(state, column_family, range) / kPieces);
  for (const MemTable* memtable : MemTablesOf(state)) {
    ForEachEntry(*memtable, column_family, range,
                 [&pieces](std::string_view key, uint64_t size) { pieces.Add(key, size); });
    pieces.EndRun();
  }
  ForEachTable(state.version->levels(column_family), range, [&](const TableFile& table) {
    table.table().ForEachBlock(
        range, [&pieces](std::string_view last_key, uint64_t size) { pieces.Add(last_key, size); });
    pieces.EndRun();
  });
  return pieces.TakeSorted();
}

// Of the keys inside `range` that end a piece, the one up to which there is most nearly half of
// all.
std::optional<std::string> MiddleOf(const std::vector<Pieces::Piece>& pieces,
                                    const KeyRange& range) {
  uint64_t total = 0;
  for (const Pieces::Piece& piece : pieces) total += piece.bytes;
  const std::string_view lower = range.lower.value_or("");
  const Pieces::Piece* best = nullptr;
  uint64_t best_distance = 0;
  uint64_t before = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const Pieces::Piece& piece = pieces[i];
    before += piece.bytes;
    if (i + 1 < pieces.size() && pieces[i + 1].last_key == piece.last_key) continue;
    if (piece.last_key <= lower) continue;
    if (range.upper && piece.last_key >= *range.upper) break;
    const uint64_t distance = std::max(2 * before, total) - std::min(2 * before, total);
    if (best != nullptr && distance >= best_distance) continue;
    best = &piece;
    best_distance = distance;
  }
  if (best == nullptr) return std::nullopt;
  return best->last_key;
}

}  // namespace

absl::StatusOr<uint64_t> DBImpl::ApproximateSize(ColumnFamilyId column_family,
                                                 const KeyRange& range) {
  TKV_RETURN_IF_ERROR(CheckColumnFamily(column_family));
  const std::shared_ptr<const ReadState> state = read_state_.Load();
  if (state == nullptr) return FailedPrecondition("the database is closed");
  if (range.empty()) return 0;
  return SizeOf(*state, column_family, range);
}

absl::StatusOr<std::optional<std::string>> DBImpl::MiddleKey(ColumnFamilyId column_family,
                                                             const KeyRange& range) {
  TKV_RETURN_IF_ERROR(CheckColumnFamily(column_family));
  const std::shared_ptr<const ReadState> state = read_state_.Load();
  if (state == nullptr) return FailedPrecondition("the database is closed");
  if (range.empty()) return std::nullopt;
  return MiddleOf(PiecesOf(*state, column_family, range), range);
}

}  // namespace tinykv::lsm
