// A program that goes through every part of the engine: the one that is crashed at every step.
#pragma once

#include <cstdint>

#include "graders/lsm/program.h"

namespace tinykv::lsm::grading {

// Batches over all column families, synced and not, deletes, overwrites, flushes, compactions over
// several levels, snapshots, a restart in the middle. The same every time.
Program FixedProgram();

// How much more than usual the exhaustive tests try; from the environment variable
// TINYKV_TEST_SCALE, usually 1.
uint64_t TestScale();

}  // namespace tinykv::lsm::grading
