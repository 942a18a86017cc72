// What a program that dies leaves on standard error: the program of steps it was in, and its stack.
#pragma once

#include <string>

namespace tinykv::grading {

// From now on SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT print a line "*** SIGSEGV: stack:" and
// one line "FILE(+OFFSET)[ADDRESS]" a frame, innermost first, and then do what they always do.
// ./tinykv grade turns the offsets into functions and lines (addr2line). Under AddressSanitizer,
// which has better reports of its own, only SIGABRT does.
//
// Before the stack, or behind the report of a sanitizer, stands what is noted at that time: a line
// "*** the program:" and its text.
void InstallCrashStack();

// Notes what is about to be run; "" when it is over.
void NoteProgram(std::string program);

}  // namespace tinykv::grading
