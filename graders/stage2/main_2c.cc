// grade-2c: the tasks of part 2c.
#include "graders/stage2/kv_tasks.h"

int main(int argc, char** argv) {
  using namespace tinykv::grading;
  return GraderMain(
      {KvSnapshotNetwork(), KvSnapshotInterrupt(), KvSnapshotCrash(), KvSnapshotDisk()}, argc,
      argv);
}
