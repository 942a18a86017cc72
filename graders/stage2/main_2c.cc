// grade-2c: the tasks of part 2c.
#include "graders/stage2/kv_tasks.h"

int main(int argc, char** argv) {
  using namespace tinykv::grading;
  return GraderMain({KvLog(), KvSnapshot(), KvSnapshotNetwork(), KvSnapshotInterrupt(),
                     KvSnapshotCrash(), KvSnapshotDisk(), KvRejoin()},
                    argc, argv);
}
