// For tests of iterators: a sorted vector with a cursor, which any iterator over the same entries
// must agree with, step by step.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lsm/format/internal_key.h"

namespace tinykv::lsm {

struct ModelEntry {
  std::string key;  // an internal key
  std::string value;
};

inline bool ComesBefore(std::string_view a, std::string_view b) {
  return CompareInternalKeys(a, b) < 0;
}

class IteratorModel {
 public:
  // `entries` are sorted by key; equal keys may occur.
  explicit IteratorModel(std::vector<ModelEntry> entries) : entries_(std::move(entries)) {}

  bool Valid() const { return at_ < entries_.size(); }
  void SeekToFirst() { at_ = 0; }
  void SeekToLast() { at_ = entries_.size() - 1; }  // wraps around to invalid if there is none
  void Seek(std::string_view target) {
    at_ = std::partition_point(entries_.begin(), entries_.end(),
                               [&](const auto& e) { return ComesBefore(e.key, target); }) -
          entries_.begin();
  }
  void SeekForPrev(std::string_view target) {
    at_ = std::partition_point(entries_.begin(), entries_.end(),
                               [&](const auto& e) { return !ComesBefore(target, e.key); }) -
          entries_.begin() - 1;
  }
  void Next() { ++at_; }
  void Prev() { --at_; }
  std::string_view key() const { return entries_[at_].key; }
  std::string_view value() const { return entries_[at_].value; }

 private:
  std::vector<ModelEntry> entries_;
  size_t at_ = SIZE_MAX;
};

struct IteratorStep {
  enum Kind { kSeekToFirst, kSeekToLast, kSeek, kSeekForPrev, kNext, kPrev };
  Kind kind = kNext;
  std::string target;  // of the seeks
};

// Takes one step on an iterator or on the model.
template <typename Cursor>
void Take(const IteratorStep& step, Cursor& cursor) {
  switch (step.kind) {
    case IteratorStep::kSeekToFirst:
      return cursor.SeekToFirst();
    case IteratorStep::kSeekToLast:
      return cursor.SeekToLast();
    case IteratorStep::kSeek:
      return cursor.Seek(step.target);
    case IteratorStep::kSeekForPrev:
      return cursor.SeekForPrev(step.target);
    case IteratorStep::kNext:
      return cursor.Next();
    case IteratorStep::kPrev:
      return cursor.Prev();
  }
}

// Fails the running property unless `cursor`, over `entries`, goes where the model goes.
template <typename Cursor>
void CheckAgainstModel(Cursor& cursor, const std::vector<ModelEntry>& entries,
                       const std::vector<IteratorStep>& steps) {
  IteratorModel model(entries);
  RC_ASSERT(!cursor.Valid());
  for (const IteratorStep& step : steps) {
    const bool is_move = step.kind == IteratorStep::kNext || step.kind == IteratorStep::kPrev;
    if (is_move && !model.Valid()) continue;
    Take(step, model);
    Take(step, cursor);
    RC_ASSERT(cursor.Valid() == model.Valid());
    if (!model.Valid()) continue;
    RC_ASSERT(cursor.key() == model.key());
    RC_ASSERT(cursor.value() == model.value());
  }
}

// Few different bytes, so that keys share prefixes, repeat, and are prefixes of each other.
inline rc::Gen<std::string> ArbitraryUserKey() {
  return rc::gen::container<std::string>(rc::gen::element('\0', 'a', 'b', 'c', '\xff'));
}

inline rc::Gen<std::string> ArbitraryInternalKey() {
  return rc::gen::apply(
      [](const std::string& user_key, SequenceNumber sequence, bool put) {
        return EncodeInternalKey({user_key, sequence, put ? ValueType::kPut : ValueType::kDelete});
      },
      ArbitraryUserKey(), rc::gen::inRange<SequenceNumber>(0, 9), rc::gen::arbitrary<bool>());
}

// Sorted, without equal keys; values tell the entries apart.
inline rc::Gen<std::vector<ModelEntry>> ArbitraryEntries() {
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(ArbitraryInternalKey()),
                      [](std::vector<std::string> keys) {
                        std::sort(keys.begin(), keys.end(), ComesBefore);
                        keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
                        std::vector<ModelEntry> entries;
                        for (std::string& key : keys) {
                          std::string value = std::to_string(entries.size());
                          entries.push_back({std::move(key), std::move(value)});
                        }
                        return entries;
                      });
}

inline rc::Gen<std::vector<IteratorStep>> ArbitrarySteps() {
  return rc::gen::container<std::vector<IteratorStep>>(rc::gen::construct<IteratorStep>(
      rc::gen::weightedElement<IteratorStep::Kind>({{1, IteratorStep::kSeekToFirst},
                                                    {1, IteratorStep::kSeekToLast},
                                                    {3, IteratorStep::kSeek},
                                                    {3, IteratorStep::kSeekForPrev},
                                                    {6, IteratorStep::kNext},
                                                    {6, IteratorStep::kPrev}}),
      ArbitraryInternalKey()));
}

}  // namespace tinykv::lsm
