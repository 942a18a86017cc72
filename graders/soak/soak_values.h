// Keys and values of a soak. A value tells which write it is, and all of it follows from key and
// sequence number: a byte that changes on its way is noticed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace tinykv::soak {

inline constexpr std::string_view kKeyPrefix = "soak-";

// Ascending like the numbers.
std::string KeyOf(uint32_t key);

// nullopt if `text` is none of KeyOf().
std::optional<uint32_t> ParseKey(std::string_view text);

// 100 bytes to `bytes_max`, small ones more often. It cannot be compressed.
// REQUIRES: bytes_max >= 100.
std::string ValueOf(uint32_t key, uint64_t sequence, uint32_t bytes_max);

// The sequence number that `value` was made with.
// Errors: kDataLoss, saying what is wrong with it.
absl::StatusOr<uint64_t> ParseValue(uint32_t key, std::string_view value, uint32_t bytes_max);

}  // namespace tinykv::soak
