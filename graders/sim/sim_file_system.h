// SimFileSystem: a disk in memory that keeps no promise POSIX did not make.
//
//   SimFileSystem disk;
//   disk.SetFaults({.halt_at_change = 17});   // pull the plug at the 17th change
//   { auto db = DB::Open(...); ... }          // use it; from then on everything fails
//   disk.Crash(random);                       // power loss: unsynced changes may be gone
//   auto db = DB::Open(...);                  // what did it recover?
//
// What a crash may take is said in sim_disk.h, what may fail in fault_plan.h. One SimFileSystem is
// the disk of one machine on which one process runs: the end of either ends every handle and lock.
// Given the same calls and the same random numbers it does the same, and trace_hash() proves it.
//
// Thread-safety: safe, except that nothing may run during Crash() and KillProcess(), and handles
// and locks must not outlive the file system.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/env/file_system.h"
#include "common/mutex.h"
#include "common/random.h"
#include "graders/sim/fault_plan.h"
#include "graders/sim/sim_disk.h"

namespace tinykv::sim {

class SimFileSystem final : public FileSystem {
 public:
  SimFileSystem() = default;

  SimFileSystem(const SimFileSystem&) = delete;
  SimFileSystem& operator=(const SimFileSystem&) = delete;

  // From now on `plan` holds, counting from here.
  void SetFaults(const FaultPlan& plan);

  // `hook` is told the virtual time that an operation takes, and charges it to whom it pleases. It
  // must not call the file system.
  void SetDelayHook(std::function<void(Duration)> hook);

  // Every operation fails until Crash() or KillProcess(): destructors of the process that is about
  // to die can do no more good.
  void Halt();
  bool halted() const;

  // The machine loses power and starts again.
  void Crash(const CrashOptions& options, Random& random);
  void Crash(Random& random) { Crash(CrashOptions::Draw(random), random); }

  // The process dies: nothing that was written is lost.
  void KillProcess();

  // The disk was replaced by an empty one. REQUIRES: as for Crash(), which must come before.
  void Erase();

  // Damages one bit of a file. Errors: kInvalidArgument if the file ends before `offset`.
  absl::Status FlipBit(const std::string& path, uint64_t offset, int bit);

  // Counted since SetFaults(), or since the start.
  uint64_t changes() const;
  uint64_t reads() const;

  uint64_t used_bytes() const;
  uint64_t free_bytes() const;
  std::vector<std::string> files() const;

  // Depends on every operation so far, its bytes and its outcome.
  uint64_t trace_hash() const;
  // The last operations, oldest first, for messages.
  std::vector<std::string> recent_operations() const;

  // FileSystem:
  absl::StatusOr<std::unique_ptr<WritableFile>> Create(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> Open(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Link(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status Truncate(const std::string& path, uint64_t size) override;
  absl::Status CreateDirectories(const std::string& path) override;
  absl::Status RemoveDirectory(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override;
  absl::StatusOr<uint64_t> FileSize(const std::string& path) override;
  bool Exists(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) override;

 private:
  class Writable;
  class Readable;
  class HeldLock;

  // FNV-1a (Fowler, Noll and Vo).
  static constexpr uint64_t kTraceSeed = 0xcbf29ce484222325;
  static constexpr uint64_t kTracePrime = 0x100000001b3;
  static constexpr size_t kRecentMax = 40;

  // One operation, for errors and the trace.
  struct Operation {
    const char* name;
    std::string_view path;
    std::string_view data = {};  // what is written
    std::string_view to = {};    // the second path
  };

  // What handles call. `incarnation` is the one in which the handle was opened.
  absl::Status AppendTo(SimFile& file, uint64_t incarnation, const Operation& operation);
  absl::Status SyncOf(SimFile& file, uint64_t incarnation, const Operation& operation);
  void SetZerosAhead(SimFile& file, uint64_t incarnation, uint64_t bytes);
  absl::StatusOr<std::string_view> ReadFrom(const SimFile& file, uint64_t incarnation,
                                            const Operation& operation, uint64_t offset,
                                            size_t size, char* buffer);
  absl::StatusOr<uint64_t> SizeOf(const SimFile& file, uint64_t incarnation,
                                  const Operation& operation);
  void Unlock(const SimFile* file, uint64_t incarnation);

  // Count the operation, charge its time, and return the error that the plan has for it, noted.
  absl::Status BeginChange(const Operation& operation) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status BeginRead(const Operation& operation) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Fault(const Operation& operation, const std::optional<FaultPlan::Failure>& failure,
                     uint64_t number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Adds the operation and its outcome to the trace, and returns the outcome.
  absl::Status Noted(const Operation& operation, absl::Status status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  template <typename T>
  absl::StatusOr<T> Noted(const Operation& operation, absl::StatusOr<T> result)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    Noted(operation, result.status()).IgnoreError();
    return result;
  }

  absl::Status CheckAlive(const Operation& operation, uint64_t incarnation) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status AppendWhatFits(SimFile& file, const Operation& operation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Bytes that still fit.
  uint64_t Room() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Charge(Duration delay) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StartNextIncarnation() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  SimDisk disk_ ABSL_GUARDED_BY(mutex_);
  FaultPlan faults_ ABSL_GUARDED_BY(mutex_);
  std::function<void(Duration)> delay_hook_ ABSL_GUARDED_BY(mutex_);
  bool halted_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t incarnation_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<const SimFile*> locked_ ABSL_GUARDED_BY(mutex_);
  uint64_t changes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t reads_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t trace_hash_ ABSL_GUARDED_BY(mutex_) = kTraceSeed;
  std::deque<std::string> recent_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tinykv::sim
