// DiskRoom: what a store takes no more of while its disk is nearly full, so that it is not stopped
// by the error that a full disk gives.
//
//   free bytes               not taken any more
//   reserve and more         everything is taken
//   below the reserve        commands of clients: "server is busy", which clients try again; nor
//                            is a snapshot built for a member that is behind, which asks again
//   below half of it         also what a leader sends: entries and snapshots, as if they got lost
//
// The reserve is for what makes room, and goes on: log entries are deleted, memtables flushed and
// tables merged. So do reads, votes and heartbeats. Once there is room again, so is everything.
//
// Thread-safety: safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/env/clock.h"

namespace tinykv::raftstore {

class DiskRoom {
 public:
  struct Options {
    std::string directory = {};  // for people
    uint64_t reserve_bytes = 0;  // 0: everything is always taken
    // How many bytes are free.
    std::function<absl::StatusOr<uint64_t>()> free_bytes = {};
  };
  explicit DiskRoom(Options options) : options_(std::move(options)) {}

  // Looks, unless it has within the last second. One thread at a time.
  void Check(Duration now);

  // Errors: server is busy.
  absl::Status MayPropose() const;
  bool MayFollow() const { return free_bytes_.load() >= options_.reserve_bytes / 2; }
  // When last looked.
  uint64_t free_bytes() const { return free_bytes_.load(); }

 private:
  const Options options_;
  std::optional<Duration> checked_at_;
  // Until it is known, there is room.
  std::atomic<uint64_t> free_bytes_{std::numeric_limits<uint64_t>::max()};
};

}  // namespace tinykv::raftstore
