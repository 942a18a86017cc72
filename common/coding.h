// Integers as bytes, for formats on disk: fixed-width little-endian, and varints of 7 bits a byte.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tinykv {

static_assert(std::endian::native == std::endian::little, "formats are written by memcpy");

inline void PutFixed32(std::string* out, uint32_t value) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}
inline void PutFixed64(std::string* out, uint64_t value) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}
// REQUIRES: `bytes` has as many readable bytes as the integer.
inline uint32_t DecodeFixed32(const char* bytes) {
  uint32_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}
inline uint64_t DecodeFixed64(const char* bytes) {
  uint64_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

// The most bytes that PutVarint64 appends.
inline constexpr size_t kMaxVarint64Bytes = 10;

void PutVarint64(std::string* out, uint64_t value);
// Writes the varint at `out`, which has room for kMaxVarint64Bytes, and returns the first byte
// after it.
char* EncodeVarint64(char* out, uint64_t value);
// A varint length, then the bytes.
void PutLengthPrefixed(std::string* out, std::string_view bytes);

// These take what they read off the front of `input`. They return false, and leave `input` in an
// unspecified state, if it does not start with a whole value.
[[nodiscard]] bool GetFixed32(std::string_view* input, uint32_t* value);
[[nodiscard]] bool GetFixed64(std::string_view* input, uint64_t* value);
[[nodiscard]] bool GetVarint64(std::string_view* input, uint64_t* value);
// Errors as above, and if the value needs more than 32 bits.
[[nodiscard]] bool GetVarint32(std::string_view* input, uint32_t* value);
// `bytes` is a view into `input`'s bytes.
[[nodiscard]] bool GetLengthPrefixed(std::string_view* input, std::string_view* bytes);

}  // namespace tinykv
