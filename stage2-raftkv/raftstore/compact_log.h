// CompactLog: the admin command by which a group agrees to forget the beginning of its log (Raft
// paper 7).
//
// The leader proposes it when its log has grown too long (WantedCompaction()). Each peer that
// applies it moves the beginning of its log, which is part of its apply state. The entries go from
// memory and disk later, when that is durable (applier.h).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "stage2-raftkv/raftstore/admin_handlers.h"

namespace tinykv::raftstore {

struct LogLimits {
  // Applied entries that a log may have before it is compacted. For a member that is behind, half
  // as many more are kept; then it needs a snapshot.
  uint64_t entries_max = 50'000;
  // The same in bytes of entries.
  uint64_t bytes_max = 64 << 20;
};

// The bytes of the applied entries of a log (raft::SizeOf()). A log has tens of thousands of them,
// so each is looked at once, when it is new.
//
// Thread-safety: none.
class LogBytes {
 public:
  // To be asked now and then; `applied` never goes back. Where the log begins in the middle of what
  // one call found new, all of that still counts.
  uint64_t Count(const raft::RaftLog& log, raft::Index applied);

 private:
  struct Piece {
    raft::Index last = 0;
    uint64_t bytes = 0;
  };
  std::deque<Piece> pieces_;  // what each call found new, oldest first
  uint64_t bytes_ = 0;        // of all pieces
};

// Up to where the leader `core` should compact its log now; nothing if it should not.
// `applied` is what it has applied, and `log_bytes` the size of the log.
std::optional<raft::EntryId> WantedCompaction(const raft::RaftCore& core, raft::Index applied,
                                              uint64_t log_bytes, const LogLimits& limits);

raft_cmdpb::AdminRequest CompactLogRequest(const raft::EntryId& last);

AdminHandler CompactLogHandler();

}  // namespace tinykv::raftstore
