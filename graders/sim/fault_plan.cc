#include "graders/sim/fault_plan.h"

#include <system_error>

#include "common/strings.h"

namespace tinykv::sim {
namespace {

std::string Describe(std::string_view kind, const std::optional<FaultPlan::Failure>& failure) {
  if (!failure) return "";
  return Concat(kind, ' ', failure->at, failure->sticky ? " and all later ones fail: " : " fails: ",
                std::generic_category().message(failure->error_number), "; ");
}

}  // namespace

std::string ToString(const FaultPlan& plan) {
  std::string text = Describe("change", plan.failed_change) + Describe("read", plan.failed_read);
  if (plan.halt_at_change != 0) text += Concat("crash at change ", plan.halt_at_change, "; ");
  if (plan.capacity_bytes != FaultPlan().capacity_bytes) {
    text += Concat("capacity ", plan.capacity_bytes, " bytes; ");
  }
  if (plan.operation_delay != Duration::zero()) {
    text += Concat("an operation takes ", plan.operation_delay.count(), " ns; ");
  }
  if (plan.sync_delay != Duration::zero()) {
    text += Concat("a sync takes ", plan.sync_delay.count(), " ns; ");
  }
  return text.empty() ? "no faults" : text.substr(0, text.size() - 2);
}

CrashOptions CrashOptions::Draw(Random& random) {
  CrashOptions options;
  options.survive_percent = static_cast<uint32_t>(25 * random.Uniform(5));
  options.tear_percent = random.Percent(50) ? 0 : 60;
  options.directories_in_order = random.Percent(30);
  return options;
}

std::string ToString(const CrashOptions& options) {
  return Concat("unsynced changes survive with ", options.survive_percent, " %, torn with ",
                options.tear_percent, " %, directory changes ",
                options.directories_in_order ? "in order" : "in any order");
}

}  // namespace tinykv::sim
