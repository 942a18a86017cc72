#include "lsm/memtable/skip_list.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

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

void SkipList::Insert(const ParsedInternalKey& key, std::string_view value) {
  const int height = RandomHeight();
  Node* node = NewNode(height, key, value);
  Node* previous[kMaxHeight];
  std::fill(previous, previous + kMaxHeight, head_);  // for levels above the highest so far
  LastBefore(node->key(), previous);
  if (height > max_height_.load(std::memory_order_relaxed)) {
    max_height_.store(height, std::memory_order_relaxed);
  }
  for (int level = 0; level < height; ++level) {
    // Relaxed, since nobody sees the node before the store below.
    Node* next = previous[level]->links()[level].load(std::memory_order_relaxed);
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

SkipList::Node* SkipList::LastBefore(std::string_view internal_key, Node** previous) const {
  Node* node = head_;
  const Node* after = nullptr;
  for (int level = max_height_.load(std::memory_order_relaxed) - 1;;) {
    Node* next = node->next(level);
    if (level > 0) node->Prefetch(level - 1);
    if (next != nullptr && next != after && next->IsBefore(internal_key, level)) {
      node = next;
      continue;
    }
    if (previous != nullptr) previous[level] = node;
    if (level == 0) return node;
    after = next;
    --level;
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
  node_ = list_->LastBefore(internal_key, nullptr);
  // The next one, if it is the target itself; else the one before.
  const Node* next = node_->next(0);
  if (next != nullptr && next->key() == internal_key) node_ = next;
  if (node_ == list_->head_) node_ = nullptr;
}

void SkipList::Cursor::Next() { node_ = node_->next(0); }

void SkipList::Cursor::Prev() {
  node_ = list_->LastBefore(node_->key(), nullptr);
  if (node_ == list_->head_) node_ = nullptr;
}

std::string_view SkipList::Cursor::key() const { return node_->key(); }
std::string_view SkipList::Cursor::value() const { return node_->value(); }

}  // namespace tinykv::lsm
