// RaftStorage: a Storage whose writes are replicated, and whose reads are linearizable.
//
// A write becomes a command of its region, which is answered once it is applied here. A read is
// served from a snapshot of the engine, at once under a leader's lease, else after Raft has
// confirmed the leadership (raftstore/region_view.h, raft/read_index.h).
//
// `context` says which region the client means, which peer it takes for the leader, at which epoch
// and in which term; where that is out of date, the error says what is right. A context that names
// no region is for the only region of the store.
//
// Thread-safety: safe.
#pragma once

#include <memory>

#include "common/storage/storage.h"
#include "lsm/db.h"
#include "stage2-raftkv/raftstore/store.h"

namespace tinykv {

class RaftStorage : public Storage {
 public:
  // All three must outlive it and its readers.
  RaftStorage(raftstore::Store& store, lsm::DB& kv, Clock& clock)
      : store_(store), kv_(kv), clock_(clock) {}

  // Errors: region errors; kInvalidArgument for a key or a write set that is too large. After
  // "stale command" the outcome is unknown: the write may still be applied.
  asio::awaitable<absl::Status> Write(const kvrpcpb::Context& context, WriteSet writes) override;

  // A reader answers for keys of the region only; for others with "key not in region".
  asio::awaitable<absl::StatusOr<std::unique_ptr<StorageReader>>> Reader(
      const kvrpcpb::Context& context) override;

 private:
  // What the context says, for the region that it means. Errors: store not match, region not found.
  absl::StatusOr<raft_cmdpb::RaftRequestHeader> HeaderOf(const kvrpcpb::Context& context) const;
  // A reader right now, if the lease allows it; null if it does not.
  std::unique_ptr<StorageReader> ReadUnderLease(const raft_cmdpb::RaftRequestHeader& header) const;

  raftstore::Store& store_;
  lsm::DB& kv_;
  Clock& clock_;
};

}  // namespace tinykv
