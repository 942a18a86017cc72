#include "lsm/format/internal_key.h"

#include <algorithm>

#include "common/check.h"

namespace tinykv::lsm {

void AppendInternalKey(std::string* out, const ParsedInternalKey& key) {
  TKV_CHECK(key.sequence <= kMaxSequenceNumber);
  out->append(key.user_key);
  PutFixed64(out, key.sequence << 8 | static_cast<uint8_t>(key.type));
}

std::string EncodeInternalKey(const ParsedInternalKey& key) {
  std::string out;
  out.reserve(key.user_key.size() + kInternalKeyTrailerBytes);
  AppendInternalKey(&out, key);
  return out;
}

bool ParseInternalKey(std::string_view encoded, ParsedInternalKey* key) {
  if (encoded.size() < kInternalKeyTrailerBytes) return false;
  key->user_key = UserKeyOf(encoded);
  const uint64_t trailer = DecodeFixed64(encoded.data() + key->user_key.size());
  const auto type = static_cast<uint8_t>(trailer & 0xff);
  if (type > static_cast<uint8_t>(ValueType::kDeleteRange)) return false;
  key->sequence = trailer >> 8;
  key->type = static_cast<ValueType>(type);
  return true;
}

std::string SeparatorBetween(std::string_view a, std::string_view b) {
  const std::string_view a_user = UserKeyOf(a);
  const std::string_view b_user = UserKeyOf(b);
  const size_t shorter = std::min(a_user.size(), b_user.size());
  size_t shared = 0;
  while (shared < shorter && a_user[shared] == b_user[shared]) ++shared;

  // The first byte in which b differs from a makes a prefix of b that is larger than a. It must be
  // a proper prefix, to come before b, and it is worth taking only if it is shorter than a.
  const size_t length = shared + 1;
  if (length >= a_user.size() || length >= b_user.size()) return std::string(a);
  // The first of all internal keys with this user key.
  return EncodeInternalKey({b_user.substr(0, length), kMaxSequenceNumber, kMaxValueType});
}

}  // namespace tinykv::lsm
