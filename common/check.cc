#include "common/check.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace tinykv {
namespace {

void PrintAndAbort(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

std::atomic<CheckHandler> check_handler = PrintAndAbort;

}  // namespace

CheckHandler SetCheckHandler(CheckHandler handler) { return check_handler.exchange(handler); }

void CheckFailed(const char* file, int line, const char* condition) {
  check_handler.load()(file, line, condition);
  std::abort();  // a handler that returns has broken its contract
}

}  // namespace tinykv
