// Store: all peers of one store, and the actor that drives them.
//
// In each turn it takes everything that has come in, gives it to the peers, and writes what all of
// them want stored in ONE batch of the raft engine with ONE sync. So the more there is to do, the
// less each part of it costs.
//
//   clients, transport, timer, applier                        other stores
//            |                                                     ^
//            v        Step, Propose, …          BeginWrite, EndWrite
//          inbox  ------------------->  peers  ----------------> transport
//                                         |  \------------------> raft engine (synced)
//                                         v
//                                      applier -----------------> kv engine, answers to clients
//
// An error of an engine stops the store for good: it answers nobody and applies nothing any more,
// and requests are refused as "server is busy" with the reason, until it is opened again. After
// kResourceExhausted, a full disk, the server does that by itself (common/server/server_main.h).
//
// Thread-safety: safe.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/env/clock.h"
#include "common/env/executor.h"
#include "common/env/inbox.h"
#include "common/env/transport.h"
#include "stage2-raftkv/raftstore/applier.h"
#include "stage2-raftkv/raftstore/disk_room.h"
#include "stage2-raftkv/raftstore/peer.h"
#include "stage2-raftkv/raftstore/region_view.h"
#include "stage2-raftkv/raftstore/snapshots.h"
#include "stage2-raftkv/raftstore/store_options.h"

namespace tinykv::raftstore {

// The doors of a store. Everything must outlive it. `raft`, `apply` and `snapshot` run one task at
// a time each; they may be one executor.
struct StoreDoors {
  Engines engines;
  Clock& clock;
  Transport& transport;
  Snapshots& snapshots;
  Executor& raft;
  Executor& apply;
  Executor& snapshot;
  DiskRoom::Options room = {};
};

class Store {
 public:
  // Loads all peers and starts to work. REQUIRES: the engines are this store's
  // (bootstrap.h: CheckStoreIdent()), and the transport has neither receiver nor acceptor.
  // Errors: those of PeerStorage::Load().
  static absl::StatusOr<std::unique_ptr<Store>> Open(const StoreOptions& options,
                                                     const StoreDoors& doors,
                                                     AdminHandlers handlers);
  ~Store();  // as Close()

  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Puts a command into the log of its region; `done` is told when it is applied here, or that this
  // peer cannot say. Errors, by `done`: region errors, "server is busy" where the disk is nearly
  // full (disk_room.h) among them; kInvalidArgument for one that is too large.
  void Propose(raft_cmdpb::RaftCmdRequest request, CommandDone done);

  // Tells `done` when the kv engine shows all that was acknowledged before this call.
  void AskToRead(raft_cmdpb::RaftRequestHeader header, ReadDone done);

  // What handlers may know without asking.
  const RegionViews& views() const { return views_; }
  const DiskRoom& room() const { return *room_; }
  StoreId id() const { return options_.store_id; }

  // The peer of a region, or null. REQUIRES: called on the store's actor, or while that rests.
  const Peer* peer(RegionId region) const {
    const auto found = peers_.find(region);
    return found == peers_.end() ? nullptr : found->second.get();
  }

  // Calls `look` with every peer, on the store's actor.
  void Inspect(absl::AnyInvocable<void(const std::map<RegionId, std::unique_ptr<Peer>>&)> look);

  // OK while the store works.
  absl::Status status() const;

  // Answers everybody who waits, and stops. REQUIRES: not called on one of its executors.
  void Close();

 private:
  struct Ticked {};
  struct Failed {
    absl::Status status;
  };
  struct Built {
    RegionId region;
    absl::StatusOr<BuiltSnapshot> built;
  };
  struct TransferOver {
    RegionId region;
    raft::PeerId to;
    absl::Status status;
  };
  struct Look {
    absl::AnyInvocable<void(const std::map<RegionId, std::unique_ptr<Peer>>&)> look;
  };
  using Message =
      std::variant<Ticked, Incoming, Command, Read, Applied, Failed, Built, TransferOver, Look>;
  // A region as it was at a moment, for a snapshot.
  struct Capture {
    AppliedRegion region;
    std::unique_ptr<const lsm::Snapshot> moment;
  };
  // A turn's peers: those that something has come in for.
  using Touched = std::map<RegionId, Peer*>;

  Store(const StoreOptions& options, const StoreDoors& doors, AdminHandlers handlers);

  absl::Status LoadPeers();
  void Start();
  void Post(Message message) { inbox_->Post(std::move(message)); }
  void BuildSnapshot(RegionId region);
  void Build(std::vector<Capture> captures);

  // Of the actor.
  void Handle(std::vector<Message> messages);
  void HandleOne(Message& message, Touched& touched);
  void TickAll(Touched& touched);
  // The peer, which is touched from now on; null if there is none.
  Peer* Touch(RegionId region, Touched& touched);
  // One batch, one sync. Whether there may be more to write.
  bool WriteReadies(const Touched& touched);
  void Fail(absl::Status status);
  void Refuse(Message& message);

  const StoreOptions options_;
  const StoreDoors doors_;
  const AdminHandlers handlers_;
  const std::shared_ptr<DiskRoom> room_;
  RegionViews views_;
  Applier applier_;
  PeerServices services_;
  std::map<RegionId, std::unique_ptr<Peer>> peers_;

  mutable Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::atomic<uint64_t> waiting_bytes_{0};
  std::shared_ptr<Inbox<Message>> inbox_;
  std::shared_ptr<Inbox<Capture>> builder_;
};

}  // namespace tinykv::raftstore
