#include "graders/bench/process_usage.h"

#include <unistd.h>

#include <fstream>
#include <sstream>

#include "common/status.h"

namespace tinykv::bench {
namespace {

absl::StatusOr<std::string> ReadProcessFile(pid_t pid, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + name);
  std::ostringstream text;
  if (!(text << file.rdbuf())) return NotFound("no process ", pid, " whose ", name, " can be read");
  return text.str();
}

}  // namespace

absl::StatusOr<uint64_t> CpuTicksOf(const std::string& stat) {
  // The second field is the program's name in brackets, which may have anything in it.
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return DataLoss("no name in /proc/PID/stat: ", stat);
  std::istringstream fields(stat.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  uint64_t user = 0;
  uint64_t system = 0;
  if (!(fields >> user >> system)) return DataLoss("no times in /proc/PID/stat: ", stat);
  return user + system;
}

absl::StatusOr<uint64_t> BytesWrittenOf(const std::string& io) {
  std::istringstream lines(io);
  std::string name;
  uint64_t value = 0;
  while (lines >> name >> value) {
    if (name == "write_bytes:") return value;
  }
  return DataLoss("no write_bytes in /proc/PID/io: ", io);
}

absl::StatusOr<ProcessUsage> UsageOf(const std::vector<pid_t>& pids) {
  ProcessUsage usage;
  for (const pid_t pid : pids) {
    TKV_ASSIGN_OR_RETURN(const std::string stat, ReadProcessFile(pid, "stat"));
    TKV_ASSIGN_OR_RETURN(const uint64_t ticks, CpuTicksOf(stat));
    TKV_ASSIGN_OR_RETURN(const std::string io, ReadProcessFile(pid, "io"));
    TKV_ASSIGN_OR_RETURN(const uint64_t bytes, BytesWrittenOf(io));
    usage.cpu_seconds += static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
    usage.bytes_written += bytes;
  }
  return usage;
}

}  // namespace tinykv::bench
