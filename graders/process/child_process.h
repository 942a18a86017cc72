// ChildProcess: a program that runs beside a test or benchmark, to be asked, stopped and killed.
//
// Its standard output is a pipe to this process, its standard error is inherited or goes to a file.
// The destructor kills it: no test leaves a server behind.
//
// Thread-safety: none.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace tinykv {

class ChildProcess {
 public:
  // Starts arguments[0], a path, with `arguments`. Standard error is appended to `error_file`, or
  // inherited if that is empty. Errors: those of the system calls.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(
      const std::vector<std::string>& arguments, const std::string& error_file = "");

  ~ChildProcess();

  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // The next line of its standard output, without the newline. Waits for it.
  // Errors: kUnavailable if the output ended first: the program has died or closed it.
  absl::StatusOr<std::string> ReadLine();

  void Signal(int signal);

  // Waits for its end. Returns its exit status, or minus the number of the signal that ended it.
  int Wait();

  // Signal(SIGKILL), then Wait().
  void Kill();

  pid_t pid() const { return pid_; }

 private:
  ChildProcess(pid_t pid, int output) : pid_(pid), output_(output) {}

  const pid_t pid_;
  const int output_;      // the read end of its standard output
  std::string buffered_;  // read from `output_`, not yet returned
  bool waited_ = false;
  int exit_status_ = 0;
};

// The path of a program of this build, e.g. "stage1-server": it stands beside the program that
// runs.
std::string ProgramPath(const std::string& name);

}  // namespace tinykv
