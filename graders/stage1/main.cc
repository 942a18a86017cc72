// grade-1: the tasks of part 1.
#include "graders/stage1/tasks.h"

int main(int argc, char** argv) {
  using namespace tinykv::grading;
  return GraderMain({StorageWrite(), StorageCrash(), StorageGet(), StorageIterate(),
                     StorageSnapshot(), StorageLinearizable(), RawGet(), RawPut(), RawDelete(),
                     RawScan(), RawClients(), ServerApi(), ServerKill(), ServerBudget()},
                    argc, argv);
}
