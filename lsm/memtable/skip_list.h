// SkipList: a sorted list of internal keys and their values, in an arena (Pugh, 1990).
//
// Every node is in the list of level 0, and with probability 1/4 also in the next level, and so on:
// a search starts at the highest level, where steps are long, and descends.
//
// Invariants:
//   1. A node never changes once it is linked, and is never unlinked. What readers hold stays true.
//   2. A node is written whole before a release store links it, level 0 first. A reader that finds
//      it by an acquire load sees all of it; whatever links readers meet, each level is sorted and
//      leads to the end.
// Hence readers need no lock.
//
// Thread-safety: one writer at a time; any number of readers at the same time.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "common/random.h"
#include "lsm/format/internal_key.h"
#include "lsm/memtable/arena.h"

namespace tinykv::lsm {

class SkipList {
 private:
  struct Node;

 public:
  // `arena` must outlive the list and is used by no other thread while Insert() runs.
  explicit SkipList(Arena& arena);

  SkipList(const SkipList&) = delete;
  SkipList& operator=(const SkipList&) = delete;

  struct Entry {
    ParsedInternalKey key;
    std::string_view value;
  };
  static constexpr size_t kGroup = 8;
  // Copies up to kGroup entries into the arena. A search spends its time waiting for memory; those
  // of a group wait together. REQUIRES: no key comes twice, or is in the list already.
  void Insert(std::span<const Entry> group);
  void Insert(const ParsedInternalKey& key, std::string_view value) {
    const Entry entry{key, value};
    Insert({&entry, 1});
  }

  bool empty() const;

  // A place in the list. It sees entries that are inserted while it moves.
  //
  // Thread-safety: none.
  class Cursor {
   public:
    explicit Cursor(const SkipList& list) : list_(&list) {}

    bool Valid() const { return node_ != nullptr; }

    void SeekToFirst();
    void SeekToLast();
    // To the first entry at or after `internal_key`.
    void Seek(std::string_view internal_key);
    // To the last entry at or before `internal_key`.
    void SeekForPrev(std::string_view internal_key);

    // REQUIRES (the next four): Valid(). Both views live as long as the arena.
    void Next();
    void Prev();  // O(log n): nodes have no links back
    std::string_view key() const;
    std::string_view value() const;

   private:
    const SkipList* list_;
    const Node* node_ = nullptr;
  };

 private:
  static constexpr int kMaxHeight = 12;  // 4^12 entries are more than a memtable ever holds

  struct Search;

  Node* NewNode(int height, const ParsedInternalKey& key, std::string_view value);
  int RandomHeight();
  void Link(Node* node, Node** previous);
  // The first node at or after `internal_key`, or null.
  const Node* FirstAtOrAfter(std::string_view internal_key) const;
  // The last node before `internal_key`, or the head.
  const Node* LastBefore(std::string_view internal_key) const;

  Arena& arena_;
  Node* const head_;                 // before every entry; has no key
  std::atomic<int> max_height_ = 1;  // of any entry; a stale value costs readers time only
  Random random_{0x5ee0};            // fixed: equal writes make equal lists
};

}  // namespace tinykv::lsm
