// SwitchedHole: a hole that is open in one run of a program and filled in the next.
//
// `./tinykv handout --check` has to see the tasks with each hole open alone, and filled alone. It
// puts a line SwitchedHole("1-raw-get") before each solution, builds once, and names the open holes
// in the environment of each run. What graders see is the same as with YourCodeHere() in its place.
#pragma once

#include <cstdlib>
#include <string_view>

#include "common/your_code_here.h"

namespace tinykv {

// Throws NotStarted if TINYKV_OPEN_HOLES, names with commas between them, has this one.
inline void SwitchedHole(std::string_view hole) {
  static const char* const open = std::getenv("TINYKV_OPEN_HOLES");
  for (std::string_view rest = open == nullptr ? "" : open; !rest.empty();) {
    const size_t comma = rest.find(',');
    if (rest.substr(0, comma) == hole) YourCodeHere(hole);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
}

}  // namespace tinykv
