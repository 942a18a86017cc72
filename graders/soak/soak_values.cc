#include "graders/soak/soak_values.h"

#include <algorithm>
#include <charconv>

#include "common/check.h"
#include "common/random.h"
#include "common/status.h"

namespace tinykv::soak {
namespace {

constexpr size_t kDigits = 8;
constexpr uint32_t kValueBytesMin = 100;

// All of `text` as a number.
template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string KeyOf(uint32_t key) {
  const std::string digits = std::to_string(key);
  TKV_CHECK(digits.size() <= kDigits);
  return Concat(kKeyPrefix, std::string(kDigits - digits.size(), '0'), digits);
}

std::optional<uint32_t> ParseKey(std::string_view text) {
  if (text.size() != kKeyPrefix.size() + kDigits || !text.starts_with(kKeyPrefix)) {
    return std::nullopt;
  }
  return ParseNumber<uint32_t>(text.substr(kKeyPrefix.size()));
}

std::string ValueOf(uint32_t key, uint64_t sequence, uint32_t bytes_max) {
  TKV_CHECK(bytes_max >= kValueBytesMin);
  Random random((uint64_t{key} << 40) ^ sequence);
  // Of two draws the smaller: half of the values have less than three tenths of the largest size.
  const uint64_t more = bytes_max - kValueBytesMin + 1;
  const uint64_t bytes = kValueBytesMin + std::min(random.Uniform(more), random.Uniform(more));
  std::string value = Concat(key, ' ', sequence, ' ');
  while (value.size() < bytes) {
    uint64_t bits = random.Next();
    for (int i = 0; i < 8 && value.size() < bytes; ++i, bits >>= 8) {
      value.push_back(static_cast<char>(bits & 0xff));
    }
  }
  return value;
}

absl::StatusOr<uint64_t> ParseValue(uint32_t key, std::string_view value, uint32_t bytes_max) {
  const size_t first = value.find(' ');
  const size_t second = first == value.npos ? value.npos : value.find(' ', first + 1);
  if (second == value.npos) {
    return DataLoss("a value of ", value.size(), " bytes that nobody wrote: ", Quote(value));
  }
  const auto of = ParseNumber<uint32_t>(value.substr(0, first));
  const auto sequence = ParseNumber<uint64_t>(value.substr(first + 1, second - first - 1));
  if (!of || !sequence) {
    return DataLoss("a value of ", value.size(), " bytes that nobody wrote: ", Quote(value));
  }
  if (*of != key) return DataLoss("the value of write ", *sequence, " to another key, ", *of);
  const std::string right = ValueOf(key, *sequence, bytes_max);
  if (value == right) return *sequence;
  if (value.size() != right.size()) {
    return DataLoss("write ", *sequence, " with ", value.size(), " bytes instead of ",
                    right.size());
  }
  const auto differs = std::mismatch(value.begin(), value.end(), right.begin()).first;
  return DataLoss("write ", *sequence, " with a wrong byte at ", differs - value.begin());
}

}  // namespace tinykv::soak
