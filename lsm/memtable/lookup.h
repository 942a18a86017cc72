// What a point read looks for, and what it found; shared by memtables and versions.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "lsm/format/internal_key.h"

namespace tinykv::lsm {

// LookupKey: the internal key at which the newest version of a user key visible at a sequence
// number is found. Short keys are encoded in place, so that a read does not allocate for them.
//
// Thread-safety: compatible.
class LookupKey {
 public:
  LookupKey(std::string_view user_key, SequenceNumber sequence);

  LookupKey(const LookupKey&) = delete;
  LookupKey& operator=(const LookupKey&) = delete;

  std::string_view internal_key() const { return {bytes_, size_}; }
  std::string_view user_key() const { return UserKeyOf(internal_key()); }
  SequenceNumber sequence() const {
    return DecodeFixed64(bytes_ + size_ - kInternalKeyTrailerBytes) >> 8;
  }

 private:
  size_t size_;
  std::unique_ptr<char[]> heap_;  // null for short keys
  char in_place_[200];
  char* bytes_;
};

inline LookupKey::LookupKey(std::string_view user_key, SequenceNumber sequence)
    : size_(user_key.size() + kInternalKeyTrailerBytes) {
  if (size_ > sizeof(in_place_)) heap_ = std::make_unique_for_overwrite<char[]>(size_);
  bytes_ = heap_ != nullptr ? heap_.get() : in_place_;
  // The empty key may come with a null pointer, which memcpy must not get.
  if (!user_key.empty()) std::memcpy(bytes_, user_key.data(), user_key.size());
  const uint64_t trailer = sequence << 8 | static_cast<uint8_t>(kMaxValueType);
  std::memcpy(bytes_ + user_key.size(), &trailer, sizeof(trailer));
}

// The outcome of a search in one memtable or table. A deletion ends the search just as a value
// does: what is older must not show through.
struct LookupResult {
  enum class Kind { kAbsent, kDeleted, kFound };
  Kind kind = Kind::kAbsent;
  std::string value;  // for kFound

  // `version` is the newest one of the key. `tombstone` is the sequence number of the newest range
  // tombstone over it, or 0.
  void Set(const ParsedInternalKey& version, std::string_view found, SequenceNumber tombstone) {
    const bool hidden = version.type != ValueType::kPut || version.sequence < tombstone;
    kind = hidden ? Kind::kDeleted : Kind::kFound;
    if (!hidden) value.assign(found);
  }
  // There is no version. With a tombstone that is an answer, too.
  void SetNone(SequenceNumber tombstone) { kind = tombstone > 0 ? Kind::kDeleted : Kind::kAbsent; }
};

}  // namespace tinykv::lsm
