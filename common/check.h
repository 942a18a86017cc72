// TKV_CHECK: an invariant of the program, checked in every build.
//
// A failed check is a bug, never a bad input or a failed disk: those are Statuses. A server ends; a
// grader, which installs a handler that throws, turns it into a verdict.
#pragma once

namespace tinykv {

// Called with the text of the failed condition and its place. Must not return.
using CheckHandler = void (*)(const char* file, int line, const char* condition);

// Installs `handler` for the whole process and returns the one before it. The default prints the
// condition and aborts. Thread-safety: safe.
CheckHandler SetCheckHandler(CheckHandler handler);

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);

}  // namespace tinykv

// Explain a check with a string: TKV_CHECK(next > last && "sequence numbers only grow").
#define TKV_CHECK(condition)                           \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::tinykv::CheckFailed(__FILE__, __LINE__, #condition))
