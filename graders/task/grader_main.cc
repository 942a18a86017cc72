#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "graders/task/crash_stack.h"
#include "graders/task/task.h"
#include "graders/task/trace_request.h"

namespace tinykv::grading {
namespace {

using Json = nlohmann::ordered_json;

struct Flags {
  bool list = false;
  std::string task;
  uint64_t seed_base = 1;
  uint64_t seeds = 1;
  int result_fd = STDOUT_FILENO;
  std::string trace_file;
};

// Writes one event. Text of students may hold any bytes; what is not UTF-8 is replaced.
void Emit(int fd, const Json& event) {
  const std::string line = event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  for (size_t done = 0; done < line.size();) {
    const ssize_t written = write(fd, line.data() + done, line.size() - done);
    if (written <= 0) return;  // nobody listens any more
    done += static_cast<size_t>(written);
  }
}

// Writes the trace of the run that just ended. Says so where the task has none.
void WriteTrace(const Task& task, const Flags& flags, uint64_t seed, const Result& result) {
  if (flags.trace_file.empty()) return;
  const std::string page = MakeOfferedTrace(task.id, seed, result);
  if (page.empty()) {
    std::cerr << task.id << " has no trace: it runs nothing that could be drawn\n";
    return;
  }
  std::ofstream file(flags.trace_file, std::ios::binary);
  file << page;
  if (!file.flush()) std::cerr << "cannot write the trace to " << flags.trace_file << '\n';
}

int RunTask(const Task& task, const Flags& flags) {
  const GraderChecks checks;
  for (uint64_t i = 0; i < flags.seeds; ++i) {
    const uint64_t seed = flags.seed_base + i;
    Emit(flags.result_fd, {{"event", "seed"}, {"seed", seed}});
    const Result finding = Guarded([&] { return task.run(seed); });
    if (finding.has_value() || i + 1 == flags.seeds) WriteTrace(task, flags, seed, finding);
    if (!finding.has_value()) continue;
    Emit(flags.result_fd, {{"event", "finished"},
                           {"verdict", NameOf(finding->verdict)},
                           {"seeds", i + 1},
                           {"seed", seed},
                           {"sentence", finding->sentence},
                           {"program", finding->program},
                           {"events", finding->events},
                           {"draws", TraceWasOffered()},
                           {"note", NotedForReport()}});
    return 1;
  }
  Emit(flags.result_fd, {{"event", "finished"},
                         {"verdict", "passed"},
                         {"seeds", flags.seeds},
                         {"note", NotedForReport()}});
  return 0;
}

int RunWithFlags(const std::vector<Task>& tasks, const Flags& flags) {
  if (flags.list) {
    for (const Task& task : tasks) std::cout << task.id << '\n';
    return 0;
  }
  for (const Task& task : tasks) {
    if (task.id == flags.task) return RunTask(task, flags);
  }
  std::cerr << "no task '" << flags.task << "'; --list names those there are\n";
  return 2;
}

}  // namespace

int GraderMain(const std::vector<Task>& tasks, int argc, char** argv) {
  InstallCrashStack();
  Flags flags;
  CLI::App app("Runs one task of the course. ./tinykv grade is the way to call it.");
  app.add_flag("--list", flags.list, "name the tasks");
  app.add_option("--task", flags.task, "the task to run");
  app.add_option("--seed-base", flags.seed_base, "the first seed")->capture_default_str();
  app.add_option("--seeds", flags.seeds, "how many seeds from there on")->capture_default_str();
  app.add_option("--result-fd", flags.result_fd, "where events go")->capture_default_str();
  app.add_option("--trace", flags.trace_file, "a page that shows the last run, to be written");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (!flags.trace_file.empty()) WantTrace();
  // Servers that a task starts must not hold the pipe open after its end.
  if (flags.result_fd > STDERR_FILENO) fcntl(flags.result_fd, F_SETFD, FD_CLOEXEC);
  return RunWithFlags(tasks, flags);
}

}  // namespace tinykv::grading
