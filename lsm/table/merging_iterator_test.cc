#include "lsm/table/merging_iterator.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "common/status.h"
#include "lsm/iterator_model.h"

namespace tinykv::lsm {
namespace {

// A child: a sorted vector. It fails after `moves_until_error` moves.
class VectorIterator final : public Iterator {
 public:
  explicit VectorIterator(std::vector<ModelEntry> entries, int moves_until_error = -1)
      : model_(std::move(entries)), moves_until_error_(moves_until_error) {}

  bool Valid() const override { return status_.ok() && model_.Valid(); }
  void SeekToFirst() override { Move({IteratorStep::kSeekToFirst, {}}); }
  void SeekToLast() override { Move({IteratorStep::kSeekToLast, {}}); }
  void Seek(std::string_view target) override { Move({IteratorStep::kSeek, std::string(target)}); }
  void SeekForPrev(std::string_view target) override {
    Move({IteratorStep::kSeekForPrev, std::string(target)});
  }
  void Next() override { Move({IteratorStep::kNext, {}}); }
  void Prev() override { Move({IteratorStep::kPrev, {}}); }
  std::string_view key() const override { return model_.key(); }
  std::string_view value() const override { return model_.value(); }
  absl::Status status() const override { return status_; }

 private:
  void Move(const IteratorStep& step) {
    Take(step, model_);
    if (moves_until_error_ >= 0 && moves_until_error_-- == 0) status_ = DataLoss("child");
  }

  IteratorModel model_;
  int moves_until_error_;
  absl::Status status_;
};

std::string Key(std::string_view user_key) {
  return EncodeInternalKey({user_key, 1, ValueType::kPut});
}

std::unique_ptr<Iterator> Child(std::vector<ModelEntry> entries, int moves_until_error = -1) {
  return std::make_unique<VectorIterator>(std::move(entries), moves_until_error);
}

std::unique_ptr<Iterator> Merge(std::unique_ptr<Iterator> a, std::unique_ptr<Iterator> b) {
  std::vector<std::unique_ptr<Iterator>> children;
  children.push_back(std::move(a));
  children.push_back(std::move(b));
  return NewMergingIterator(std::move(children));
}

RC_GTEST_PROP(MergingIterator, GoesWhereOneSortedVectorGoes, ()) {
  std::vector<std::unique_ptr<Iterator>> children;
  std::vector<ModelEntry> all;
  const int count = *rc::gen::inRange(0, 6);
  for (int i = 0; i < count; ++i) {
    auto entries = *ArbitraryEntries();
    for (ModelEntry& entry : entries) entry.value += " of child " + std::to_string(i);
    all.insert(all.end(), entries.begin(), entries.end());
    children.push_back(Child(std::move(entries)));
  }
  // Stable: of equal keys, the one of the earlier child comes first.
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return ComesBefore(a.key, b.key); });
  const auto merged = NewMergingIterator(std::move(children));
  CheckAgainstModel(*merged, all, *ArbitrarySteps());
  RC_ASSERT(merged->status().ok());
}

// The random walk above turns too, but this turns at every entry, with equal keys on both sides.
TEST(MergingIterator, TurnsAroundAtEveryEntry) {
  const std::vector<ModelEntry> left = {{Key("a"), "1"}, {Key("b"), "2"}, {Key("d"), "4"}};
  const std::vector<ModelEntry> right = {{Key("b"), "3"}, {Key("d"), "5"}, {Key("e"), "6"}};
  for (int stop = 1; stop <= 6; ++stop) {
    const auto merged = Merge(Child(left), Child(right));
    merged->SeekToFirst();
    for (int i = 1; i < stop; ++i) merged->Next();
    for (int i = stop; i >= 1; --i, merged->Prev()) EXPECT_EQ(merged->value(), std::to_string(i));
    EXPECT_FALSE(merged->Valid());
    merged->SeekToLast();
    for (int i = 6; i > stop; --i) merged->Prev();
    for (int i = stop; i <= 6; ++i, merged->Next()) EXPECT_EQ(merged->value(), std::to_string(i));
    EXPECT_FALSE(merged->Valid());
  }
}

TEST(MergingIterator, OfNothingIsEmpty) {
  const auto merged = NewMergingIterator({});
  merged->SeekToFirst();
  EXPECT_FALSE(merged->Valid());
  EXPECT_TRUE(merged->status().ok());
}

// Whatever move a child fails in, the union must not go on without its entries.
TEST(MergingIterator, StopsWithTheErrorOfAChild) {
  const std::vector<ModelEntry> left = {{Key("a"), "1"}, {Key("c"), "3"}, {Key("e"), "5"}};
  const std::vector<ModelEntry> right = {{Key("b"), "2"}, {Key("d"), "4"}};
  for (int moves = 0; moves < 3; ++moves) {
    const auto merged = Merge(Child(left, moves), Child(right));
    int seen = 0;
    for (merged->SeekToFirst(); merged->Valid(); merged->Next()) ++seen;
    EXPECT_EQ(seen, 2 * moves - (moves > 0 ? 1 : 0));
    EXPECT_EQ(merged->status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST(MergingIterator, StopsWithTheErrorOfAChildInATurn) {
  const auto merged = Merge(Child({{Key("a"), "1"}}), Child({{Key("b"), "2"}}, 1));
  merged->SeekToFirst();
  ASSERT_TRUE(merged->Valid());
  merged->Prev();
  EXPECT_FALSE(merged->Valid());
  EXPECT_EQ(merged->status().code(), absl::StatusCode::kDataLoss);
}

TEST(EmptyIterator, TellsTheErrorItStandsFor) {
  const auto iterator = NewEmptyIterator(DataLoss("a file"));
  iterator->SeekToLast();
  EXPECT_FALSE(iterator->Valid());
  EXPECT_EQ(iterator->status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace tinykv::lsm
