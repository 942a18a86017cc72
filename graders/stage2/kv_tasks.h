// The tasks of parts 2b and 2c, in the order in which they are best solved.
#pragma once

#include "graders/task/task.h"

namespace tinykv::grading {

// 2b
Task KvSave();
Task KvApply();
Task KvAnswers();
Task KvCalm();
Task KvNetwork();
Task KvCrash();
Task KvDisk();
// 2c
Task KvLog();
Task KvSnapshot();
Task KvSnapshotNetwork();
Task KvSnapshotCrash();
Task KvSnapshotInterrupt();
Task KvSnapshotDisk();
Task KvRejoin();

}  // namespace tinykv::grading
