#include "lsm/memtable/skip_list.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "absl/container/inlined_vector.h"
#include "common/check.h"

namespace tinykv::lsm {

// In memory: this header, `height` links, the internal key, the value. One allocation, so that a
// step of a search touches one place.
struct SkipList::Node {
  uint32_t value_bytes;
  uint32_t key_bytes : 24;
  uint32_t height : 8;

  std::atomic<Node*>* links() { return reinterpret_cast<std::atomic<Node*>*>(this + 1); }
  const std::atomic<Node*>* links() const {
    return reinterpret_cast<const std::atomic<Node*>*>(this + 1);
  }
  char* bytes() { return reinterpret_cast<char*>(links() + height); }
  const char* bytes() const { return reinterpret_cast<const char*>(links() + height); }

  Node* next(int level) const { return links()[level].load(std::memory_order_acquire); }
  std::string_view key() const { return {bytes(), key_bytes}; }
  std::string_view value() const { return {bytes() + key_bytes, value_bytes}; }

  // A search spends its time waiting for memory. Both ways on from a node, along a level and down
  // to the next, are fetched while keys are compared.
  void Prefetch(int level) const { __builtin_prefetch(next(level)); }
  bool IsBefore(std::string_view internal_key, int level) const {
    Prefetch(level);
    return CompareInternalKeys(key(), internal_key) < 0;
  }
};

// A search for the place of a new node, which can be left and gone on with at every step.
struct SkipList::Search {
  // Where nothing is found, on the levels above the highest so far, the head comes before.
  Search(Node* head, int max_height, Node* new_node)
      : target(new_node), node(head), level(max_height - 1) {
    std::fill(previous, previous + kMaxHeight, head);
    Fetch();
  }

  // Looks at the next node along the level, and goes there or one level down. False at the end;
  // then `previous` has the last node before the target on each level.
  bool Step() {
    if (next != nullptr && next != after && next->IsBefore(target->key(), level)) {
      node = next;
    } else {
      previous[level] = node;
      after = next;
      if (level == 0) return false;
      --level;
    }
    Fetch();
    return true;
  }

  // Begins to fetch what the next steps may look at.
  void Fetch() {
    next = node->next(level);
    __builtin_prefetch(next);
    if (level > 0) node->Prefetch(level - 1);
  }

  Node* target;
  Node* node;
  int level;
  Node* next = nullptr;
  Node* after = nullptr;  // known to be at or after the target: need not be compared again
  Node* previous[kMaxHeight];
};

SkipList::SkipList(Arena& arena) : arena_(arena), head_(NewNode(kMaxHeight, {}, {})) {}

SkipList::Node* SkipList::NewNode(int height, const ParsedInternalKey& key,
                                  std::string_view value) {
  const size_t key_bytes = key.user_key.size() + kInternalKeyTrailerBytes;
  TKV_CHECK(key_bytes < (1u << 24) && value.size() <= UINT32_MAX);
  char* memory = arena_.Allocate(sizeof(Node) + height * sizeof(std::atomic<Node*>) + key_bytes +
                                 value.size());
  Node* node = new (memory) Node;
  node->value_bytes = static_cast<uint32_t>(value.size());
  node->key_bytes = static_cast<uint32_t>(key_bytes);
  node->height = static_cast<uint32_t>(height);
  for (int level = 0; level < height; ++level) {
    new (node->links() + level) std::atomic<Node*>(nullptr);
  }
  char* out = std::copy(key.user_key.begin(), key.user_key.end(), node->bytes());
  const uint64_t trailer = key.sequence << 8 | static_cast<uint8_t>(key.type);
  std::memcpy(out, &trailer, sizeof(trailer));
  std::copy(value.begin(), value.end(), out + sizeof(trailer));
  return node;
}

void SkipList::Insert(std::span<const Entry> group) {
  TKV_CHECK(group.size() <= kGroup);
  absl::InlinedVector<Search, kGroup> searches;
  for (const Entry& entry : group) {
    Node* node = NewNode(RandomHeight(), entry.key, entry.value);
    searches.emplace_back(head_, max_height_.load(std::memory_order_relaxed), node);
  }
  for (bool unfinished = true; unfinished;) {
    unfinished = false;
    for (Search& search : searches) unfinished |= search.Step();
  }
  for (Search& search : searches) Link(search.target, search.previous);
}

void SkipList::Link(Node* node, Node** previous) {
  const int height = static_cast<int>(node->height);
  if (height > max_height_.load(std::memory_order_relaxed)) {
    max_height_.store(height, std::memory_order_relaxed);
  }
  for (int level = 0; level < height; ++level) {
    // Relaxed, since nobody sees the node before the store below.
    Node* next = previous[level]->links()[level].load(std::memory_order_relaxed);
    // Others of its group may have come between since the search.
    while (next != nullptr && CompareInternalKeys(next->key(), node->key()) < 0) {
      previous[level] = next;
      next = next->links()[level].load(std::memory_order_relaxed);
    }
    node->links()[level].store(next, std::memory_order_relaxed);
    previous[level]->links()[level].store(node, std::memory_order_release);
  }
}

bool SkipList::empty() const { return head_->next(0) == nullptr; }

int SkipList::RandomHeight() {
  // Two zero bits in a row have probability 1/4.
  const int pairs = std::countr_zero(random_.Next()) / 2;
  return std::min(1 + pairs, kMaxHeight);
}

const SkipList::Node* SkipList::FirstAtOrAfter(std::string_view internal_key) const {
  const Node* node = head_;
  const Node* after = nullptr;  // known to be at or after: need not be compared again
  for (int level = max_height_.load(std::memory_order_relaxed) - 1;;) {
    const Node* next = node->next(level);
    if (level > 0) node->Prefetch(level - 1);
    if (next != nullptr && next != after && next->IsBefore(internal_key, level)) {
      node = next;
    } else if (level == 0) {
      return next;
    } else {
      after = next;
      --level;
    }
  }
}

const SkipList::Node* SkipList::LastBefore(std::string_view internal_key) const {
  const Node* node = head_;
  const Node* after = nullptr;
  for (int level = max_height_.load(std::memory_order_relaxed) - 1;;) {
    const Node* next = node->next(level);
    if (level > 0) node->Prefetch(level - 1);
    if (next != nullptr && next != after && next->IsBefore(internal_key, level)) {
      node = next;
    } else if (level == 0) {
      return node;
    } else {
      after = next;
      --level;
    }
  }
}

void SkipList::Cursor::SeekToFirst() { node_ = list_->head_->next(0); }

void SkipList::Cursor::SeekToLast() {
  const Node* node = list_->head_;
  for (int level = kMaxHeight - 1; level >= 0; --level) {
    while (const Node* next = node->next(level)) node = next;
  }
  node_ = node == list_->head_ ? nullptr : node;
}

void SkipList::Cursor::Seek(std::string_view internal_key) {
  node_ = list_->FirstAtOrAfter(internal_key);
}

void SkipList::Cursor::SeekForPrev(std::string_view internal_key) {
  node_ = list_->LastBefore(internal_key);
  // The next one, if it is the target itself; else the one before.
  const Node* next = node_->next(0);
  if (next != nullptr && next->key() == internal_key) node_ = next;
  if (node_ == list_->head_) node_ = nullptr;
}

void SkipList::Cursor::Next() { node_ = node_->next(0); }

void SkipList::Cursor::Prev() {
  node_ = list_->LastBefore(node_->key());
  if (node_ == list_->head_) node_ = nullptr;
}

std::string_view SkipList::Cursor::key() const { return node_->key(); }
std::string_view SkipList::Cursor::value() const { return node_->value(); }

}  // namespace tinykv::lsm
