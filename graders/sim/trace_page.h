// TracePage: a kept trace as one HTML page that needs nothing but a browser.
#pragma once

#include <cstdint>
#include <string>

#include "graders/sim/trace.h"

namespace tinykv::sim {

// What the page says about the run as a whole.
struct TraceInfo {
  std::string task = {};
  uint64_t seed = 0;
  std::string verdict = {};   // "wrong", "passed" …: the words of ./tinykv grade
  std::string sentence = {};  // what went wrong; empty: nothing
  std::string program = {};   // what was done, shrunk; may be empty
};

// The page; trace_page.html says what is on it. Equal traces make equal pages.
std::string TracePage(const TraceInfo& info, const Trace& trace);

}  // namespace tinykv::sim
