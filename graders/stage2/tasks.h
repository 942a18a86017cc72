// The tasks of part 2a, a file each. graders/points.toml says what they are worth.
#pragma once

#include "graders/task/task.h"

namespace tinykv::grading {

// raft_log_task.cc
Task RaftLogTask();
// raft_follower_task.cc
Task RaftVote();
Task RaftFollower();
// raft_timeout_task.cc
Task RaftTimeout();
// raft_ready_task.cc
Task RaftReady();
// raft_budget_task.cc
Task RaftBudget();
// raft_script_tasks.cc
Task RaftElection();
Task RaftReplication();
// raft_search_task.cc
Task RaftSearch();
// raft_sim_tasks.cc
Task RaftNetwork();
Task RaftCrash();

}  // namespace tinykv::grading
