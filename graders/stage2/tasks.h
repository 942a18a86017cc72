// The tasks of part 2a, a file each. graders/points.toml says what they are worth.
#pragma once

#include "graders/task/task.h"

namespace tinykv::grading {

// raft_script_tasks.cc
Task RaftElection();
Task RaftReplication();
// raft_sim_tasks.cc
Task RaftNetwork();
Task RaftCrash();

}  // namespace tinykv::grading
