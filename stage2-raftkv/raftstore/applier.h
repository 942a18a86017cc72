// Applier: the actor that applies what was decided to the kv engine, for all regions of a store.
//
// Whatever waits for it becomes one batch of the engine, with the apply states of all regions that
// it touches: so after a crash no entry is applied twice, and none is left out. The batch is not
// synced; entries that it loses are still in the raft engine, and are applied again.
//
// Clients are answered here, after the batch is written: from then on every reader sees it.
//
// Thread-safety: the public methods are safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/env/inbox.h"
#include "stage2-raftkv/raftstore/admin_handlers.h"
#include "stage2-raftkv/raftstore/engines.h"
#include "stage2-raftkv/raftstore/proposals.h"
#include "stage2-raftkv/raftstore/snapshots.h"

namespace tinykv::raftstore {

// Committed entries of a region, in order, each with who waits for it, if anybody does.
struct ApplyEntries {
  struct Committed {
    raft::Entry entry;
    CommandDone done;
  };
  RegionId region = 0;
  std::vector<Committed> entries = {};
};

// A snapshot that arrived, to take the place of all that the region has.
struct ApplySnapshot {
  metapb::Region region = {};
  raft::EntryId last = {};
  std::shared_ptr<const SnapshotFiles> files = {};
};

// One moment of a region, for a snapshot of it. `take` is called on the applier's executor.
struct CaptureRegion {
  RegionId region = 0;
  absl::AnyInvocable<void(const AppliedRegion&, std::unique_ptr<const lsm::Snapshot>)> take = {};
};

// What the applier has done.
struct Applied {
  RegionId region = 0;
  raft::EntryId last = {};                         // applied so far
  std::optional<raft::EntryId> truncated = {};     // the log begins behind it now, durably
  std::optional<metapb::Region> description = {};  // it has changed
  bool snapshot = false;                           // in place, durably
};

class Applier {
 public:
  // `failed`: nothing is applied any more, for this reason.
  struct Listener {
    std::function<void(Applied)> applied;
    std::function<void(absl::Status)> failed;
  };
  // Everything must outlive the applier; the listener is called on `executor`.
  Applier(lsm::DB& kv, const AdminHandlers& handlers, Executor& executor, Listener listener);
  ~Applier();  // as Close()

  Applier(const Applier&) = delete;
  Applier& operator=(const Applier&) = delete;

  // The region begins as `region`. REQUIRES: nothing was asked for it yet.
  void Add(AppliedRegion region);
  void Apply(ApplyEntries entries);
  void Apply(ApplySnapshot snapshot);
  void Capture(CaptureRegion capture);

  // Returns when all that was asked for is done, and nobody is told of anything any more.
  void Close();

 private:
  using Message = std::variant<AppliedRegion, ApplyEntries, ApplySnapshot, CaptureRegion>;
  // One batch, and what follows once it is written.
  struct Round;

  void Handle(std::vector<Message> messages);
  void ApplyAll(ApplyEntries& entries, Round& round);
  // Adds what one entry does to `round`; the result is for who asked for it.
  absl::Status ApplyEntry(const raft::Entry& entry, AppliedRegion& region, Round& round);
  absl::Status ApplyCommand(const raft::EntryId& id, const raft_cmdpb::RaftCmdRequest& command,
                            AppliedRegion& region, lsm::WriteBatch& batch);
  // Writes the round's batch and answers; the round is empty then.
  void Finish(Round& round);
  absl::Status Write(const Round& round);
  // Entries that are applied, and written to the kv engine without a sync, are about to be deleted
  // from the log for good. Returns once that is safe.
  absl::Status PrepareTruncation();
  void Ingest(ApplySnapshot snapshot);
  // Puts what `snapshot` has in the place of all that `region` has, and makes `region` what it is
  // then: its data in every column family, its state, and its apply state, whose log begins behind
  // the snapshot. Durable when OK; a crash leaves all of it or nothing.
  absl::Status Replace(const ApplySnapshot& snapshot, AppliedRegion& region);
  void Fail(absl::Status status);

  lsm::DB& kv_;
  const AdminHandlers& handlers_;
  const Listener listener_;
  std::map<RegionId, AppliedRegion> regions_;
  absl::Status error_;
  std::shared_ptr<Inbox<Message>> inbox_;
};

}  // namespace tinykv::raftstore
