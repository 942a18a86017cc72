// What processes have used up, as the kernel counts it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace tinykv::bench {

struct ProcessUsage {
  double cpu_seconds = 0;  // in user and kernel mode, of all threads
  // What the processes had written to disks: write_bytes of /proc/PID/io, which counts pages as
  // they become dirty. Not wchar, which has what went to sockets in it.
  uint64_t bytes_written = 0;

  ProcessUsage operator-(const ProcessUsage& before) const {
    return {cpu_seconds - before.cpu_seconds, bytes_written - before.bytes_written};
  }
};

// The sum over `pids`. Errors: kNotFound for a process that is gone, or another user's.
absl::StatusOr<ProcessUsage> UsageOf(const std::vector<pid_t>& pids);

// The parts that read the files' texts. Errors: kDataLoss where they are not as proc(5) says.
absl::StatusOr<uint64_t> CpuTicksOf(const std::string& stat);
absl::StatusOr<uint64_t> BytesWrittenOf(const std::string& io);

}  // namespace tinykv::bench
