// BlockIterator: a cursor over the entries of one block that BlockBuilder made.
//
// It has the methods of Iterator, but no virtual ones, and lives on the stack of Table::Get(),
// where it allocates nothing for keys of usual length. Values and whole keys are views of the
// block. Every length and offset is checked before it is followed: a malformed block makes the
// iterator invalid and damaged(), and never reads outside the block.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace tinykv::lsm {

// Holds a key that is put together from the key before it and a suffix.
class KeyBuffer {
 public:
  KeyBuffer() = default;
  KeyBuffer(const KeyBuffer&) = delete;
  KeyBuffer& operator=(const KeyBuffer&) = delete;

  // `prefix` followed by `suffix`; the view lives until the next call. `prefix` may be the start of
  // the last result.
  std::string_view Join(std::string_view prefix, std::string_view suffix);

 private:
  void Grow(size_t size, std::string_view prefix);

  char in_place_[128];
  std::unique_ptr<char[]> allocated_;  // for keys that do not fit
  char* bytes_ = in_place_;
  size_t capacity_ = sizeof(in_place_);
};

class BlockIterator {
 public:
  // Over no entries.
  BlockIterator() = default;
  // Over `block`, which must outlive the iterator.
  explicit BlockIterator(std::string_view block) { Reset(block); }

  BlockIterator(const BlockIterator&) = delete;
  BlockIterator& operator=(const BlockIterator&) = delete;

  // Goes over to another block and stands nowhere in it.
  void Reset(std::string_view block);
  // Goes back to no entries.
  void Clear();

  bool Valid() const { return valid_; }
  // True if the block has turned out to be malformed; false again only after Reset().
  bool damaged() const { return damaged_; }

  void SeekToFirst();
  void SeekToLast();
  void Seek(std::string_view target);
  void SeekForPrev(std::string_view target);

  // REQUIRES (the next four): Valid().
  void Next();
  void Prev();
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

 private:
  uint32_t RestartAt(uint32_t index) const;
  // Stands before the entry of a restart: the next ReadEntry() reads that.
  void GoToRestart(uint32_t index);
  // Reads the entry at `next_`, or becomes invalid if there is none.
  void ReadEntry();
  // Reads entries up to the one that ends at `end`.
  void ReadUntil(uint32_t end);
  // The last restart whose key comes before `target`, or 0.
  uint32_t FindRestart(std::string_view target);
  void MarkDamaged();

  const char* block_ = nullptr;
  uint32_t entries_bytes_ = 0;  // the restart array begins here
  uint32_t restarts_ = 0;       // how many there are; not 0 unless there are no entries
  bool valid_ = false;
  bool damaged_ = false;
  uint32_t entry_ = 0;  // offset of the current entry
  uint32_t next_ = 0;   // offset of the entry behind it
  std::string_view key_;
  std::string_view value_;
  KeyBuffer buffer_;
};

}  // namespace tinykv::lsm
