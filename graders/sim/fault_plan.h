// FaultPlan, CrashOptions: what goes wrong on a simulated disk, as plain values that can be drawn,
// shrunk and printed.
#pragma once

#include <cerrno>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "common/env/clock.h"
#include "common/random.h"

namespace tinykv::sim {

// Operations are counted from 1, from the moment the plan was set, and in two kinds: changes
// (create, append, sync, rename, link, remove, truncate, lock, and those of directories) and reads
// (open, read, list, sizes).
struct FaultPlan {
  struct Failure {
    uint64_t at = 0;
    int error_number = EIO;
    // Every later operation of the kind fails as well.
    bool sticky = false;
  };
  // An operation that fails does nothing, with two exceptions that real disks have. A failed append
  // has written a part. After a failed sync the unsynced bytes stay readable, but no later sync
  // makes them durable, though it returns OK: the kernel has marked the pages clean.
  std::optional<Failure> failed_change = {};
  std::optional<Failure> failed_read = {};

  // This change and everything after it fails, until the disk is told what kind of crash it was.
  // 0: never.
  uint64_t halt_at_change = 0;

  // An append that does not fit writes what does, and fails with ENOSPC.
  uint64_t capacity_bytes = std::numeric_limits<uint64_t>::max();

  // Virtual time that each operation takes; a sync takes both.
  Duration operation_delay = {};
  Duration sync_delay = {};
};

// For messages: what differs from a plan without faults.
std::string ToString(const FaultPlan& plan);

// What power loss does to unsynced changes.
struct CrashOptions {
  // How likely a change of a directory, or all that was appended to a file since its last sync,
  // survives. Where appended bytes do not all survive, a part of them may.
  uint32_t survive_percent = 50;
  // How likely there is a hole of zeros or garbage in what survives of unsynced bytes.
  uint32_t tear_percent = 30;
  // True: the changes of a directory reach the disk in order (a journal): if one survives, so do
  // those before it. False: each for itself, which is all that POSIX promises. A rename is atomic
  // either way.
  bool directories_in_order = false;

  // Also likes the extremes: nothing survives, or everything.
  static CrashOptions Draw(Random& random);
};

std::string ToString(const CrashOptions& options);

}  // namespace tinykv::sim
