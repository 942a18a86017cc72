#include "lsm/table/merging_iterator.h"

#include <string_view>
#include <utility>

#include "lsm/format/internal_key.h"

namespace tinykv::lsm {
namespace {

// Thread-safety: none.
class EmptyIterator final : public Iterator {
 public:
  explicit EmptyIterator(absl::Status status) : status_(std::move(status)) {}

  bool Valid() const override { return false; }
  void SeekToFirst() override {}
  void SeekToLast() override {}
  void Seek(std::string_view) override {}
  void SeekForPrev(std::string_view) override {}
  void Next() override {}
  void Prev() override {}
  std::string_view key() const override { return {}; }
  std::string_view value() const override { return {}; }
  absl::Status status() const override { return status_; }

 private:
  const absl::Status status_;
};

// A heap of the children that are not at their end, next one on top.
//
// Entries are ordered by (key, place of the child in the list), which no two entries share.
// Invariants:
//   1. heap_ holds the current key of every child that is Valid(), and is empty after an error.
//   2. Going forward, children other than the top stand at their first entry behind it; going
//      backward, at their last one before it.
//
// Thread-safety: none.
class MergingIterator final : public Iterator {
 public:
  explicit MergingIterator(std::vector<std::unique_ptr<Iterator>> children)
      : children_(std::move(children)) {
    heap_.reserve(children_.size());
  }

  bool Valid() const override { return !heap_.empty(); }

  void SeekToFirst() override {
    for (const auto& child : children_) child->SeekToFirst();
    BuildHeap(Direction::kForward);
  }

  void SeekToLast() override {
    for (const auto& child : children_) child->SeekToLast();
    BuildHeap(Direction::kBackward);
  }

  void Seek(std::string_view target) override {
    for (const auto& child : children_) child->Seek(target);
    BuildHeap(Direction::kForward);
  }

  void SeekForPrev(std::string_view target) override {
    for (const auto& child : children_) child->SeekForPrev(target);
    BuildHeap(Direction::kBackward);
  }

  void Next() override {
    if (direction_ == Direction::kBackward) TurnForward();
    if (heap_.empty()) return;  // a child failed in the turn
    children_[heap_[0].child]->Next();
    UpdateTop();
  }

  void Prev() override {
    if (direction_ == Direction::kForward) TurnBackward();
    if (heap_.empty()) return;
    children_[heap_[0].child]->Prev();
    UpdateTop();
  }

  std::string_view key() const override { return heap_[0].key; }
  std::string_view value() const override { return children_[heap_[0].child]->value(); }
  absl::Status status() const override { return status_; }

 private:
  enum class Direction { kForward, kBackward };

  struct Entry {
    std::string_view key;  // kept here, so that comparisons call no virtual function
    size_t child;
  };

  // Does `a` go on the heap above `b`?
  bool Above(const Entry& a, const Entry& b) const {
    const int order = CompareInternalKeys(a.key, b.key);
    const bool before = order != 0 ? order < 0 : a.child < b.child;
    return before == (direction_ == Direction::kForward);
  }

  void BuildHeap(Direction direction);
  // Puts the entry at `place` where it belongs in the heap below.
  void SiftDown(size_t place);
  // The child on top has moved.
  void UpdateTop();

  // Each moves all children but the top to the other side of it; the top stays the top.
  void TurnForward();
  void TurnBackward();

  const std::vector<std::unique_ptr<Iterator>> children_;
  std::vector<Entry> heap_;
  Direction direction_ = Direction::kForward;
  absl::Status status_;
};

void MergingIterator::BuildHeap(Direction direction) {
  direction_ = direction;
  status_ = absl::OkStatus();
  heap_.clear();
  for (size_t i = 0; i < children_.size(); ++i) {
    if (children_[i]->Valid()) {
      heap_.push_back({children_[i]->key(), i});
    } else if (status_.ok()) {
      status_ = children_[i]->status();
    }
  }
  if (!status_.ok()) heap_.clear();
  for (size_t place = heap_.size() / 2; place > 0; --place) SiftDown(place - 1);
}

void MergingIterator::SiftDown(size_t place) {
  const Entry entry = heap_[place];
  while (true) {
    size_t below = 2 * place + 1;
    if (below >= heap_.size()) break;
    if (below + 1 < heap_.size() && Above(heap_[below + 1], heap_[below])) ++below;
    if (!Above(heap_[below], entry)) break;
    heap_[place] = heap_[below];
    place = below;
  }
  heap_[place] = entry;
}

void MergingIterator::UpdateTop() {
  const Iterator& child = *children_[heap_[0].child];
  if (child.Valid()) {
    heap_[0].key = child.key();
    SiftDown(0);
    return;
  }
  status_ = child.status();
  if (!status_.ok()) return heap_.clear();
  heap_[0] = heap_.back();
  heap_.pop_back();
  if (!heap_.empty()) SiftDown(0);
}

void MergingIterator::TurnForward() {
  const Entry top = heap_[0];  // its key stays alive, as its child does not move
  for (size_t i = 0; i < children_.size(); ++i) {
    if (i == top.child) continue;
    Iterator& child = *children_[i];
    child.Seek(top.key);
    if (i < top.child && child.Valid() && child.key() == top.key) child.Next();
  }
  BuildHeap(Direction::kForward);
}

void MergingIterator::TurnBackward() {
  const Entry top = heap_[0];
  for (size_t i = 0; i < children_.size(); ++i) {
    if (i == top.child) continue;
    Iterator& child = *children_[i];
    child.SeekForPrev(top.key);
    if (i > top.child && child.Valid() && child.key() == top.key) child.Prev();
  }
  BuildHeap(Direction::kBackward);
}

}  // namespace

std::unique_ptr<Iterator> NewMergingIterator(std::vector<std::unique_ptr<Iterator>> children) {
  if (children.empty()) return NewEmptyIterator();
  if (children.size() == 1) return std::move(children.front());
  return std::make_unique<MergingIterator>(std::move(children));
}

std::unique_ptr<Iterator> NewEmptyIterator(absl::Status status) {
  return std::make_unique<EmptyIterator>(std::move(status));
}

}  // namespace tinykv::lsm
