// grade-2b: the tasks of part 2b.
#include "graders/stage2/kv_tasks.h"

int main(int argc, char** argv) {
  using namespace tinykv::grading;
  return GraderMain({KvSave(), KvApply(), KvAnswers(), KvCalm(), KvNetwork(), KvCrash(), KvDisk()},
                    argc, argv);
}
