// RapidCheck generators of programs.
#pragma once

#include <rapidcheck.h>

#include "graders/lsm/program.h"

namespace tinykv::lsm::grading {

// What a program may contain besides reads, writes, snapshots and the like.
struct Hazards {
  bool restarts = false;
  bool crashes = false;
  bool faults = false;
};

rc::Gen<Program> AnyProgram(const Hazards& hazards);

}  // namespace tinykv::lsm::grading
