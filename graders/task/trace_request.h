// TraceRequest: how a task hands out the trace of a run, if somebody wants to see it.
//
// ./tinykv grade --trace asks for it. Then the last trace that was offered is written, so
// CheckProgram() runs the smallest program once more at the end.
//
// Thread-safety: none; a grader's process runs one task.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "graders/task/finding.h"

namespace tinykv::grading {

// Makes the page when all is known that it says.
using TracePageMaker =
    std::function<std::string(const std::string& task, uint64_t seed, const Result& result)>;

void WantTrace();
bool TraceWanted();

// Replaces the one before. Cheap to call where no trace is wanted: it is only noted.
void OfferTrace(TracePageMaker maker);
bool TraceWasOffered();

// The page of the last offer; empty if there was none.
std::string MakeOfferedTrace(const std::string& task, uint64_t seed, const Result& result);

}  // namespace tinykv::grading
