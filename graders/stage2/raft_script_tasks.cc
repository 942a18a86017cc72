// 2a-election, 2a-replication: what the Raft paper says, a script a scenario
// (graders/stage2/scripts).
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/embedded_file.h"
#include "graders/stage2/offer_trace.h"
#include "graders/stage2/raft_script.h"
#include "graders/stage2/tasks.h"

namespace tinykv {

// Made by CMake: the files below scripts/.
std::span<const EmbeddedFile> RaftScriptFiles();

namespace grading {
namespace {

// "scripts/election/figure-8.txt" is figure-8 of folder election.
std::vector<RaftScript> ScriptsOf(std::string_view folder) {
  std::vector<RaftScript> scripts;
  const std::string prefix = "scripts/" + std::string(folder) + "/";
  for (const EmbeddedFile& file : RaftScriptFiles()) {
    std::string_view name = file.name;
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    name.remove_suffix(std::string_view(".txt").size());
    scripts.push_back({.name = std::string(name), .text = std::string(file.content)});
  }
  return scripts;
}

Task ScriptTask(std::string id, std::string_view folder) {
  return {.id = std::move(id), .run = [folder](uint64_t) -> Result {
            for (const RaftScript& script : ScriptsOf(folder)) {
              const auto trace = std::make_shared<sim::Trace>(true);
              OfferTraceOf(trace);
              Result finding = Guarded([&] { return RunScript(script, *trace); });
              if (!finding) continue;
              // What came out as an exception does not know where it was.
              if (finding->program.empty()) {
                finding->program = script.text;
                finding->events = trace->LastEvents(30);
              }
              return finding;
            }
            return std::nullopt;
          }};
}

}  // namespace

Task RaftElection() { return ScriptTask("2a-election", "election"); }
Task RaftReplication() { return ScriptTask("2a-replication", "replication"); }

}  // namespace grading
}  // namespace tinykv
