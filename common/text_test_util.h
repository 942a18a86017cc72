// For tests: EXPECT_TRUE(Contains(text, "part")), which shows the text when it fails. (Debian's
// GoogleTest comes without the matchers of gmock.)
#pragma once

#include <gtest/gtest.h>

#include <string_view>

#include "common/strings.h"

namespace tinykv {

inline testing::AssertionResult Contains(std::string_view text, std::string_view part) {
  const bool found = text.find(part) != std::string_view::npos;
  return (found ? testing::AssertionSuccess() : testing::AssertionFailure())
         << Quote(part) << (found ? " is" : " is not") << " in:\n"
         << std::string(text);
}

inline testing::AssertionResult StartsWith(std::string_view text, std::string_view part) {
  return (text.starts_with(part) ? testing::AssertionSuccess() : testing::AssertionFailure())
         << "it begins so: " << Quote(text.substr(0, part.size()));
}

}  // namespace tinykv
