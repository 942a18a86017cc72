#include "lsm/table/block_iterator.h"

#include <cstring>
#include <limits>
#include <utility>

#include "common/coding.h"
#include "lsm/format/internal_key.h"

namespace tinykv::lsm {
namespace {

struct EntryHead {
  uint32_t shared = 0;
  uint32_t own = 0;
  uint32_t value = 0;
};

// Takes the three lengths off the front of `input`; false if they are not all there.
bool GetEntryHead(std::string_view* input, EntryHead* head) {
  // Nearly always each of them is below 128 and takes one byte.
  if (input->size() >= 3) {
    const auto shared = static_cast<unsigned char>((*input)[0]);
    const auto own = static_cast<unsigned char>((*input)[1]);
    const auto value = static_cast<unsigned char>((*input)[2]);
    if ((shared | own | value) < 128) {
      *head = {shared, own, value};
      input->remove_prefix(3);
      return true;
    }
  }
  return GetVarint32(input, &head->shared) && GetVarint32(input, &head->own) &&
         GetVarint32(input, &head->value);
}

}  // namespace

std::string_view KeyBuffer::Join(std::string_view prefix, std::string_view suffix) {
  const size_t size = prefix.size() + suffix.size();
  if (size > capacity_) {
    Grow(size, prefix);
  } else if (prefix.data() != bytes_) {
    std::memcpy(bytes_, prefix.data(), prefix.size());
  }
  std::memcpy(bytes_ + prefix.size(), suffix.data(), suffix.size());
  return {bytes_, size};
}

void KeyBuffer::Grow(size_t size, std::string_view prefix) {
  auto larger = std::make_unique_for_overwrite<char[]>(2 * size);
  std::memcpy(larger.get(), prefix.data(), prefix.size());
  allocated_ = std::move(larger);
  bytes_ = allocated_.get();
  capacity_ = 2 * size;
}

void BlockIterator::Reset(std::string_view block) {
  Clear();
  block_ = block.data();
  damaged_ = true;  // until the restart array has been found
  if (block.size() < sizeof(uint32_t) || block.size() > std::numeric_limits<uint32_t>::max()) {
    return;
  }
  const size_t count_offset = block.size() - sizeof(uint32_t);
  const uint32_t restarts = DecodeFixed32(block_ + count_offset);
  if (restarts == 0 || restarts > count_offset / sizeof(uint32_t)) return;
  restarts_ = restarts;
  entries_bytes_ = static_cast<uint32_t>(count_offset - restarts * sizeof(uint32_t));
  damaged_ = false;
}

void BlockIterator::Clear() {
  entries_bytes_ = 0;
  restarts_ = 0;
  valid_ = false;
  damaged_ = false;
}

void BlockIterator::SeekToFirst() {
  GoToRestart(0);
  ReadEntry();
}

void BlockIterator::SeekToLast() {
  GoToRestart(restarts_ - 1);
  ReadUntil(entries_bytes_);
}

void BlockIterator::Seek(std::string_view target) {
  GoToRestart(FindRestart(target));
  do {
    ReadEntry();
  } while (valid_ && CompareInternalKeys(key_, target) < 0);
}

void BlockIterator::SeekForPrev(std::string_view target) {
  Seek(target);
  if (damaged_) return;
  if (!valid_) {
    SeekToLast();
  } else if (key_ != target) {
    Prev();
  }
}

void BlockIterator::Next() { ReadEntry(); }

void BlockIterator::Prev() {
  // Entries do not say where the one before them starts: read again from the last restart that
  // comes before this entry.
  const uint32_t end = entry_;
  if (end == 0) {
    valid_ = false;
    return;
  }
  uint32_t low = 0;
  uint32_t high = restarts_;  // the first restart at or behind `end` is in (low, high]
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    (RestartAt(middle) < end ? low : high) = middle;
  }
  GoToRestart(low);
  ReadUntil(end);
}

uint32_t BlockIterator::RestartAt(uint32_t index) const {
  return DecodeFixed32(block_ + entries_bytes_ + index * sizeof(uint32_t));
}

void BlockIterator::GoToRestart(uint32_t index) {
  key_ = {};
  next_ = restarts_ == 0 ? 0 : RestartAt(index);
}

void BlockIterator::ReadEntry() {
  valid_ = false;
  if (next_ == entries_bytes_ || damaged_) return;
  if (next_ > entries_bytes_) return MarkDamaged();

  entry_ = next_;
  std::string_view input(block_ + entry_, entries_bytes_ - entry_);
  EntryHead head;
  if (!GetEntryHead(&input, &head) || head.shared > key_.size() ||
      uint64_t{head.own} + head.value > input.size() ||
      uint64_t{head.shared} + head.own < kInternalKeyTrailerBytes) {
    return MarkDamaged();
  }
  const std::string_view own = input.substr(0, head.own);
  key_ = head.shared == 0 ? own : buffer_.Join(key_.substr(0, head.shared), own);
  value_ = input.substr(head.own, head.value);
  next_ = static_cast<uint32_t>(value_.data() + value_.size() - block_);
  valid_ = true;
}

void BlockIterator::ReadUntil(uint32_t end) {
  do {
    ReadEntry();
  } while (valid_ && next_ < end);
  if (valid_ && next_ != end) MarkDamaged();
}

uint32_t BlockIterator::FindRestart(std::string_view target) {
  uint32_t low = 0;
  uint32_t high = restarts_;  // keys of restarts at `high` and behind do not come before `target`
  while (high > low + 1) {
    const uint32_t middle = low + (high - low) / 2;
    GoToRestart(middle);
    ReadEntry();
    if (!valid_) {
      MarkDamaged();
      return 0;
    }
    (CompareInternalKeys(key_, target) < 0 ? low : high) = middle;
  }
  return low;
}

void BlockIterator::MarkDamaged() {
  valid_ = false;
  damaged_ = true;
}

}  // namespace tinykv::lsm
