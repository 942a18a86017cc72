#include "common/your_code_here.h"

#include <gtest/gtest.h>

#include <string>

#include "common/strings.h"

namespace tinykv {
namespace {

std::string WhatIsThrown(std::string_view hole) {
  try {
    YourCodeHere(hole);
  } catch (const NotStarted& missing) {
    EXPECT_EQ(missing.hole(), hole);
    return missing.what();
  }
}

TEST(YourCodeHere, ThrowsAndNamesTheHole) {
  EXPECT_EQ(WhatIsThrown("1-raw-get"), "not started: 1-raw-get");
}

TEST(YourCodeHere, IsRecognisedInATextAroundIt) {
  EXPECT_EQ(HoleNamedIn(WhatIsThrown("2A-vote")), "2A-vote");
  EXPECT_EQ(HoleNamedIn(Concat("RawGet: ", WhatIsThrown("1-raw-get"), "; see the book")),
            "1-raw-get");
  EXPECT_EQ(HoleNamedIn("the disk is full"), "");
}

}  // namespace
}  // namespace tinykv
