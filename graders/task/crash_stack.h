// InstallCrashStack: a program that dies of a signal leaves its stack on standard error.
#pragma once

namespace tinykv::grading {

// From now on SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT print a line "*** SIGSEGV: stack:" and
// one line "FILE(+OFFSET)[ADDRESS]" a frame, innermost first, and then do what they always do.
// ./tinykv grade turns the offsets into functions and lines (addr2line). Under AddressSanitizer,
// which has better reports of its own, only SIGABRT does.
void InstallCrashStack();

}  // namespace tinykv::grading
