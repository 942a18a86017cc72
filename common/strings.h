// Text helpers.
//
// Debian builds Abseil with its own string_view, which is not std::string_view, so absl::StrCat and
// friends do not take the latter. Concat() does, and so do the error factories in common/status.h.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

namespace tinykv {

namespace internal {
inline void AppendPart(std::string* out, std::string_view part) { out->append(part); }
inline void AppendPart(std::string* out, char part) { out->push_back(part); }
template <typename T>
  requires(std::is_arithmetic_v<T>)
void AppendPart(std::string* out, T part) {
  out->append(std::to_string(part));
}
}  // namespace internal

// Concat("region ", id, " moved"): strings, characters and numbers, one after the other.
template <typename... Parts>
std::string Concat(const Parts&... parts) {
  std::string out;
  (internal::AppendPart(&out, parts), ...);
  return out;
}

// "1 key", "2 keys".
template <typename Number>
std::string Counted(Number count, std::string_view noun) {
  return Concat(count, ' ', noun, count == 1 ? "" : "s");
}

// Arbitrary bytes as readable ASCII: printable characters stand for themselves, a backslash is
// "\\", and every other byte is "\xNN". Unescape() is its inverse.
std::string Escape(std::string_view bytes);

// Also understands \n, \r, \t, \0 and \". Returns false if `text` ends in the middle of an escape
// or has an unknown one; `bytes` is unspecified then.
[[nodiscard]] bool Unescape(std::string_view text, std::string* bytes);

// Escape() in double quotes, cut after `bytes_max` bytes with "…" and the length; for messages
// about keys.
std::string Quote(std::string_view bytes, size_t bytes_max = 64);

}  // namespace tinykv
