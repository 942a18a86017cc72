#include "lsm/memtable/memtable.h"

#include "absl/container/inlined_vector.h"
#include "common/check.h"

namespace tinykv::lsm {
namespace {

// Thread-safety: none.
class MemTableIterator final : public Iterator {
 public:
  explicit MemTableIterator(const SkipList& list) : cursor_(list) {}

  bool Valid() const override { return cursor_.Valid(); }
  void SeekToFirst() override { cursor_.SeekToFirst(); }
  void SeekToLast() override { cursor_.SeekToLast(); }
  void Seek(std::string_view target) override { cursor_.Seek(target); }
  void SeekForPrev(std::string_view target) override { cursor_.SeekForPrev(target); }
  void Next() override { cursor_.Next(); }
  void Prev() override { cursor_.Prev(); }
  std::string_view key() const override { return cursor_.key(); }
  std::string_view value() const override { return cursor_.value(); }
  absl::Status status() const override { return absl::OkStatus(); }

 private:
  SkipList::Cursor cursor_;
};

}  // namespace

MemTable::MemTable(size_t column_families, FileNumber log_number) : log_number_(log_number) {
  for (size_t i = 0; i < column_families; ++i) {
    lists_.push_back(std::make_unique<SkipList>(arena_));
    tombstones_.push_back(std::make_unique<TombstoneList>(arena_));
  }
  idle_bytes_ = arena_.bytes_used();
}

void MemTable::Add(const WriteBatch& batch) {
  if (batch.empty()) return;
  TKV_CHECK(batch.sequence() > largest_sequence() && "sequence numbers only grow");
  absl::InlinedVector<SkipList::Entry, SkipList::kGroup> group;  // all of family `of`
  ColumnFamilyId of = 0;
  const auto insert_group = [&] {
    lists_[of]->Insert(group);
    group.clear();
  };
  batch.ForEach([&](const WriteBatch::Record& record) {
    if (record.type == ValueType::kDeleteRange) {
      tombstones_[record.column_family]->Add({record.key, record.value, record.sequence});
      return;
    }
    if (group.size() == SkipList::kGroup || record.column_family != of) insert_group();
    of = record.column_family;
    group.push_back({{record.key, record.sequence, record.type}, record.value});
  });
  insert_group();
  largest_sequence_.store(batch.sequence() + batch.count() - 1, std::memory_order_relaxed);
}

void MemTable::Get(ColumnFamilyId column_family, const LookupKey& key, LookupResult* result) const {
  SequenceNumber tombstone = 0;
  if (const auto tombstones = Tombstones(column_family)) {
    tombstone = tombstones->Newest(key.user_key(), key.sequence());
  }
  SkipList::Cursor cursor(*lists_[column_family]);
  cursor.Seek(key.internal_key());
  if (!cursor.Valid() || UserKeyOf(cursor.key()) != key.user_key()) {
    return result->SetNone(tombstone);
  }
  ParsedInternalKey found;
  TKV_CHECK(ParseInternalKey(cursor.key(), &found) && "memtable keys are made here");
  result->Set(found, cursor.value(), tombstone);
}

std::unique_ptr<Iterator> MemTable::NewIterator(ColumnFamilyId column_family) const {
  return std::make_unique<MemTableIterator>(*lists_[column_family]);
}

}  // namespace tinykv::lsm
