#include "lsm/db/db_iterator.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "lsm/iterator_model.h"
#include "lsm/memtable/memtable.h"
#include "lsm/table/merging_iterator.h"

namespace tinykv::lsm {
namespace {

struct TestWrite {
  std::string key;
  bool put = true;
  std::optional<std::string> end = {};  // instead: delete the range from `key` to it
};

rc::Gen<std::vector<TestWrite>> ArbitraryWrites() {
  // So few keys that some have more versions than the iterator passes one by one.
  const auto key =
      rc::gen::scale(0.05, rc::gen::container<std::string>(rc::gen::element('a', 'b', '\xff')));
  const auto write = rc::gen::apply(
      [](const std::string& some_key, const std::string& end, int kind) {
        if (kind == 9) return TestWrite{some_key, false, end};
        return TestWrite{some_key, kind < 6, std::nullopt};
      },
      key, key, rc::gen::inRange(0, 10));
  return rc::gen::scale(3, rc::gen::container<std::vector<TestWrite>>(write));
}

// The end of a range delete; the empty key stands for none.
std::optional<std::string_view> EndOf(const TestWrite& write) {
  if (write.end->empty()) return std::nullopt;
  return *write.end;
}

// Write i has sequence number i + 1 and the value "i".
void Fill(const std::vector<TestWrite>& writes, MemTable* memtable) {
  for (size_t i = 0; i < writes.size(); ++i) {
    WriteBatch batch;
    if (writes[i].end) {
      batch.DeleteRange(0, writes[i].key, EndOf(writes[i]));
    } else if (writes[i].put) {
      batch.Put(0, writes[i].key, std::to_string(i));
    } else {
      batch.Delete(0, writes[i].key);
    }
    batch.set_sequence(i + 1);
    memtable->Add(batch);
  }
}

std::map<std::string, std::string> ModelOf(const std::vector<TestWrite>& writes,
                                           const DBIteratorOptions& options) {
  std::map<std::string, std::string> model;
  for (size_t i = 0; i < options.sequence; ++i) {
    if (writes[i].end) {
      std::erase_if(model, [&](const auto& entry) {
        const auto end = EndOf(writes[i]);
        return entry.first >= writes[i].key && (!end || entry.first < *end);
      });
    } else if (writes[i].put) {
      model[writes[i].key] = std::to_string(i);
    } else {
      model.erase(writes[i].key);
    }
  }
  std::erase_if(model, [&](const auto& entry) {
    return (options.lower_bound && entry.first < *options.lower_bound) ||
           (options.upper_bound && entry.first >= *options.upper_bound);
  });
  return model;
}

// A cursor over a map, with the meaning that DBIterator must have.
class MapCursor {
 public:
  using Map = std::map<std::string, std::string>;
  explicit MapCursor(const Map& map) : map_(map), it_(map.end()) {}

  bool Valid() const { return it_ != map_.end(); }
  void SeekToFirst() { it_ = map_.begin(); }
  void SeekToLast() { StepBack(map_.end()); }
  void Seek(const std::string& target) { it_ = map_.lower_bound(target); }
  void SeekForPrev(const std::string& target) { StepBack(map_.upper_bound(target)); }
  void Next() { ++it_; }
  void Prev() { StepBack(it_); }
  const std::string& key() const { return it_->first; }
  const std::string& value() const { return it_->second; }

 private:
  void StepBack(Map::const_iterator it) { it_ = it == map_.begin() ? map_.end() : std::prev(it); }

  const Map& map_;
  Map::const_iterator it_;
};

RC_GTEST_PROP(DBIteratorProperty, GoesWhereAMapOfTheVisibleValuesWouldGo, ()) {
  const auto writes = *ArbitraryWrites();
  MemTable memtable(1, 1);
  Fill(writes, &memtable);
  DBIteratorOptions options;
  options.sequence = *rc::gen::inRange<SequenceNumber>(0, writes.size() + 1);
  const auto bound = rc::gen::map(rc::gen::element<std::string>("none", "", "a", "ab", "b", "\xff"),
                                  [](const std::string& key) -> std::optional<std::string> {
                                    if (key == "none") return std::nullopt;
                                    return key;
                                  });
  options.lower_bound = *bound;
  options.upper_bound = *bound;
  const auto model = ModelOf(writes, options);

  MapCursor expected(model);
  if (auto tombstones = memtable.Tombstones(0)) options.tombstones = {tombstones};
  const auto it = NewDBIterator(memtable.NewIterator(0), options);
  for (IteratorStep step : *ArbitrarySteps()) {
    step.target = UserKeyOf(step.target);
    const bool is_move = step.kind == IteratorStep::kNext || step.kind == IteratorStep::kPrev;
    if (is_move && !expected.Valid()) continue;
    Take(step, expected);
    Take(step, *it);
    RC_ASSERT(it->Valid() == expected.Valid());
    if (!it->Valid()) continue;
    RC_ASSERT(it->key() == expected.key());
    RC_ASSERT(it->value() == expected.value());
  }
  RC_ASSERT(it->status().ok());
}

// Counts the steps of the iterator below it.
class CountingIterator final : public Iterator {
 public:
  CountingIterator(std::unique_ptr<Iterator> base, int* moves)
      : base_(std::move(base)), moves_(*moves) {}

  bool Valid() const override { return base_->Valid(); }
  void SeekToFirst() override { base_->SeekToFirst(); }
  void SeekToLast() override { base_->SeekToLast(); }
  void Seek(std::string_view target) override { base_->Seek(target); }
  void SeekForPrev(std::string_view target) override { base_->SeekForPrev(target); }
  void Next() override {
    ++moves_;
    base_->Next();
  }
  void Prev() override {
    ++moves_;
    base_->Prev();
  }
  std::string_view key() const override { return base_->key(); }
  std::string_view value() const override { return base_->value(); }
  absl::Status status() const override { return base_->status(); }

 private:
  const std::unique_ptr<Iterator> base_;
  int& moves_;
};

TEST(DBIterator, DoesNotWalkOverAThousandVersionsOfAKey) {
  std::vector<TestWrite> writes = {{"a"}, {"c"}};
  writes.resize(1002, {"b"});
  MemTable memtable(1, 1);
  Fill(writes, &memtable);
  for (const SequenceNumber sequence : {SequenceNumber{3}, SequenceNumber{1002}}) {
    int moves = 0;
    const auto it =
        NewDBIterator(std::make_unique<CountingIterator>(memtable.NewIterator(0), &moves),
                      {.sequence = sequence});
    std::string keys;
    for (it->SeekToFirst(); it->Valid(); it->Next()) keys += it->key();
    for (it->SeekToLast(); it->Valid(); it->Prev()) keys += it->key();
    EXPECT_EQ(keys, "abccba");
    EXPECT_LT(moves, 60);
  }
}

TEST(DBIterator, PassesOnErrorsAndMalformedKeys) {
  const auto failed = NewDBIterator(NewEmptyIterator(absl::InternalError("broken disk")), {});
  failed->SeekToFirst();
  EXPECT_FALSE(failed->Valid());
  EXPECT_EQ(failed->status(), absl::InternalError("broken disk"));
  failed->SeekToLast();
  EXPECT_FALSE(failed->Valid());
  EXPECT_EQ(failed->status(), absl::InternalError("broken disk"));

  Arena arena;
  SkipList list(arena);
  list.Insert({"k", 1, static_cast<ValueType>(77)}, "v");
  class Malformed final : public Iterator {
   public:
    explicit Malformed(const SkipList& skip_list) : cursor_(skip_list) {}
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
  const auto malformed = NewDBIterator(std::make_unique<Malformed>(list), {.sequence = 9});
  malformed->SeekToFirst();
  EXPECT_FALSE(malformed->Valid());
  EXPECT_EQ(malformed->status().code(), absl::StatusCode::kDataLoss);
  malformed->SeekToLast();
  EXPECT_FALSE(malformed->Valid());
  EXPECT_EQ(malformed->status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace tinykv::lsm
