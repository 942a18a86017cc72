#include "lsm/memtable/skip_list.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>
#include <vector>

#include "common/random.h"
#include "common/strings.h"

namespace tinykv::lsm {
namespace {

struct InternalOrder {
  bool operator()(const std::string& a, const std::string& b) const {
    return CompareInternalKeys(a, b) < 0;
  }
};
using Model = std::map<std::string, std::string, InternalOrder>;

TEST(SkipList, IsEmptyAtFirst) {
  Arena arena;
  SkipList list(arena);
  EXPECT_TRUE(list.empty());
  SkipList::Cursor cursor(list);
  EXPECT_FALSE(cursor.Valid());
  cursor.SeekToFirst();
  EXPECT_FALSE(cursor.Valid());
  cursor.SeekToLast();
  EXPECT_FALSE(cursor.Valid());
  cursor.Seek(EncodeInternalKey({"a", 1}));
  EXPECT_FALSE(cursor.Valid());
  cursor.SeekForPrev(EncodeInternalKey({"a", 1}));
  EXPECT_FALSE(cursor.Valid());
}

// Fails unless `cursor` stands where `it` does.
void ExpectAt(const SkipList::Cursor& cursor, const Model& model, Model::const_iterator it) {
  ASSERT_EQ(cursor.Valid(), it != model.end());
  if (!cursor.Valid()) return;
  EXPECT_EQ(cursor.key(), it->first);
  EXPECT_EQ(cursor.value(), it->second);
}

Model::const_iterator LastAtOrBefore(const Model& model, const std::string& key) {
  const auto after = model.upper_bound(key);
  return after == model.begin() ? model.end() : std::prev(after);
}

TEST(SkipList, AgreesWithAMap) {
  Arena arena;
  SkipList list(arena);
  Model model;
  Random random(3);
  SequenceNumber sequence = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string user_key = std::to_string(random.Uniform(500));
    const ParsedInternalKey key{user_key, ++sequence,
                                random.OneIn(4) ? ValueType::kDelete : ValueType::kPut};
    const std::string value(random.Uniform(20), 'v');
    list.Insert(key, value);
    model[EncodeInternalKey(key)] = value;

    SkipList::Cursor cursor(list);
    const std::string target = EncodeInternalKey(
        {std::to_string(random.Uniform(500)), random.Uniform(sequence + 1), ValueType::kPut});
    cursor.Seek(target);
    ExpectAt(cursor, model, model.lower_bound(target));
    cursor.SeekForPrev(target);
    ExpectAt(cursor, model, LastAtOrBefore(model, target));
    cursor.SeekForPrev(EncodeInternalKey(key));
    ExpectAt(cursor, model, model.find(EncodeInternalKey(key)));
  }
  SkipList::Cursor cursor(list);
  cursor.SeekToFirst();
  for (auto it = model.begin(); it != model.end(); ++it, cursor.Next()) ExpectAt(cursor, model, it);
  EXPECT_FALSE(cursor.Valid());
  cursor.SeekToLast();
  for (auto it = model.rbegin(); it != model.rend(); ++it, cursor.Prev()) {
    ExpectAt(cursor, model, std::prev(it.base()));
  }
  EXPECT_FALSE(cursor.Valid());
}

// Entry i of the concurrent test: keys come in an order that is neither ascending nor descending,
// and values can be told from the keys.
constexpr uint64_t kEntries = 20'000;
std::string ConcurrentKey(uint64_t i) { return Concat("key", (i * 7919) % kEntries + 100'000); }

// What a reader may count on while the writer goes on: everything published before it looked is
// there, and what it walks over is sorted and whole.
void ReadWhileWriting(const SkipList& list, const std::atomic<uint64_t>& published, uint64_t seed) {
  Random random(seed);
  while (true) {
    const uint64_t count = published.load(std::memory_order_acquire);
    SkipList::Cursor cursor(list);
    if (count > 0) {
      const uint64_t i = random.Uniform(count);
      cursor.Seek(EncodeInternalKey({ConcurrentKey(i), i + 1}));
      ASSERT_TRUE(cursor.Valid());
      ASSERT_EQ(cursor.value(), ConcurrentKey(i));
    }
    std::string last;
    for (int steps = 0; cursor.Valid() && steps < 20; ++steps, cursor.Next()) {
      ASSERT_EQ(UserKeyOf(cursor.key()), cursor.value());
      ASSERT_LT(last, cursor.value());
      last = cursor.value();
    }
    if (count == kEntries) return;
  }
}

TEST(SkipList, GroupsAgreeWithAMap) {
  Arena arena;
  SkipList list(arena);
  Model model;
  Random random(4);
  SequenceNumber sequence = 0;
  for (int i = 0; i < 1000; ++i) {
    // Few user keys, so that members of a group are often neighbours, in any order.
    std::vector<std::string> user_keys(random.Uniform(SkipList::kGroup + 1));
    std::vector<SkipList::Entry> group;
    for (std::string& user_key : user_keys) {
      user_key = std::to_string(random.Uniform(i < 500 ? 5 : 500));
      group.push_back({{user_key, ++sequence, ValueType::kPut}, user_key});
      model[EncodeInternalKey(group.back().key)] = user_key;
    }
    list.Insert(group);
  }
  SkipList::Cursor cursor(list);
  cursor.SeekToFirst();
  for (auto it = model.begin(); it != model.end(); ++it, cursor.Next()) ExpectAt(cursor, model, it);
  EXPECT_FALSE(cursor.Valid());
  for (auto it = model.begin(); it != model.end(); ++it) {
    cursor.Seek(it->first);
    ExpectAt(cursor, model, it);
  }
}

TEST(SkipList, ReadersSeeAllThatWasPublishedWhileAWriterInserts) {
  Arena arena;
  SkipList list(arena);
  std::atomic<uint64_t> published = 0;
  std::vector<std::thread> readers;
  for (uint64_t seed = 0; seed < 3; ++seed) {
    readers.emplace_back([&, seed] { ReadWhileWriting(list, published, seed); });
  }
  for (uint64_t i = 0; i < kEntries; ++i) {
    list.Insert({ConcurrentKey(i), i + 1, ValueType::kPut}, ConcurrentKey(i));
    published.store(i + 1, std::memory_order_release);
  }
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace tinykv::lsm
