// Internal keys: what memtables and sorted tables are ordered by.
//
//   internal key = user key | (sequence << 8 | type), 8 bytes little-endian
//
// Order: user keys ascending by bytes, then newer (larger sequence, then larger type) first. So a
// seek to (key, snapshot, kMaxValueType) lands on the newest version that the snapshot sees.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/coding.h"

namespace tinykv::lsm {

using ColumnFamilyId = uint32_t;  // index into Options::column_families
using SequenceNumber = uint64_t;  // 56 bits
using FileNumber = uint64_t;

inline constexpr SequenceNumber kMaxSequenceNumber = (uint64_t{1} << 56) - 1;

// On disk; never change a value.
enum class ValueType : uint8_t {
  kDelete = 0,
  kPut = 1,
  kDeleteRange = 2,  // its user key is where the range begins; it is never among puts and deletions
};
// Of what is searched for by key.
inline constexpr ValueType kMaxValueType = ValueType::kPut;

inline constexpr size_t kInternalKeyTrailerBytes = 8;

struct ParsedInternalKey {
  std::string_view user_key;
  SequenceNumber sequence = 0;
  ValueType type = ValueType::kPut;
};

// Appends the encoding of `key` to `out`.
void AppendInternalKey(std::string* out, const ParsedInternalKey& key);
std::string EncodeInternalKey(const ParsedInternalKey& key);

// Returns false if `encoded` is too short or its type is unknown.
[[nodiscard]] bool ParseInternalKey(std::string_view encoded, ParsedInternalKey* key);

// REQUIRES: `internal_key` has at least kInternalKeyTrailerBytes.
inline std::string_view UserKeyOf(std::string_view internal_key) {
  return internal_key.substr(0, internal_key.size() - kInternalKeyTrailerBytes);
}

// Negative, zero or positive, as `a` comes before, is, or comes after `b`. Here, and not in the
// .cc, because every step of every search calls it. REQUIRES: both have at least
// kInternalKeyTrailerBytes.
inline int CompareInternalKeys(std::string_view a, std::string_view b) {
  const std::string_view a_user = UserKeyOf(a);
  const std::string_view b_user = UserKeyOf(b);
  if (const int order = a_user.compare(b_user); order != 0) return order;
  const uint64_t a_trailer = DecodeFixed64(a_user.data() + a_user.size());
  const uint64_t b_trailer = DecodeFixed64(b_user.data() + b_user.size());
  if (a_trailer == b_trailer) return 0;
  return a_trailer > b_trailer ? -1 : 1;
}

// A short internal key k with a <= k < b. If k is not `a` itself, then its user key lies strictly
// between theirs. REQUIRES: a comes before b.
std::string SeparatorBetween(std::string_view a, std::string_view b);

}  // namespace tinykv::lsm
