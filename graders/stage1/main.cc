// grade-1: the tasks of part 1.
#include "graders/stage1/tasks.h"

namespace tinykv::grading {
namespace {

std::vector<Task> AllTasks() {
  return {StorageWrite(),        StorageCrash(), StorageGet(), StorageIterate(), StorageSnapshot(),
          StorageLinearizable(), RawGet(),       RawPut(),     RawDelete(),      RawScan(),
          RawClients(),          ServerApi(),    ServerKill(), ServerBudget()};
}

}  // namespace
}  // namespace tinykv::grading

int main(int argc, char** argv) {
  return tinykv::grading::GraderMain(tinykv::grading::AllTasks(), argc, argv);
}
