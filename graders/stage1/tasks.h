// The tasks of part 1, a file each. graders/points.toml says what they are worth.
#pragma once

#include "graders/task/task.h"

namespace tinykv::grading {

Task StorageWrite();
Task StorageCrash();
Task StorageGet();
Task StorageIterate();
Task StorageSnapshot();
Task StorageLinearizable();
Task RawGet();
Task RawPut();
Task RawDelete();
Task RawScan();
Task RawClients();
Task ServerApi();
Task ServerKill();
Task ServerBudget();

}  // namespace tinykv::grading
