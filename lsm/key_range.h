// KeyRange: a range of user keys.
#pragma once

#include <optional>
#include <string_view>

namespace tinykv::lsm {

// The user keys in [lower, upper); absent means no bound on that side.
struct KeyRange {
  std::optional<std::string_view> lower = std::nullopt;
  std::optional<std::string_view> upper = std::nullopt;

  bool empty() const { return lower && upper && *lower >= *upper; }
};

}  // namespace tinykv::lsm
