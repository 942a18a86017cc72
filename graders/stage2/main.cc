// grade-2a: the tasks of part 2a.
#include "graders/stage2/tasks.h"

int main(int argc, char** argv) {
  using namespace tinykv::grading;
  return GraderMain(
      {RaftLogTask(), RaftVote(), RaftTimeout(), RaftElection(), RaftFollower(), RaftReplication(),
       RaftReady(), RaftBudget(), RaftSearch(), RaftNetwork(), RaftCrash()},
      argc, argv);
}
