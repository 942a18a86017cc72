// Peer: one replica of a region: a Raft node, its storage, and who waits for it.
//
// It is driven by its store's actor, in turns. In each turn, whatever has come in is given to the
// peer (Step(), Propose(), …). Then
//   1. BeginWrite() takes a Ready: adds what must be stored to the store's batch, hands over what
//      is committed to the applier, and sends what may leave at once;
//   2. the store writes the batch of all its peers, with one sync;
//   3. EndWrite() sends the rest, which tells others of what is stored now.
//
// Thread-safety: none.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/env/clock.h"
#include "common/env/transport.h"
#include "proto/raft_serverpb.pb.h"
#include "stage2-raftkv/raft/raft_node.h"
#include "stage2-raftkv/raftstore/applier.h"
#include "stage2-raftkv/raftstore/compact_log.h"
#include "stage2-raftkv/raftstore/disk_room.h"
#include "stage2-raftkv/raftstore/peer_storage.h"
#include "stage2-raftkv/raftstore/proposals.h"
#include "stage2-raftkv/raftstore/region_view.h"
#include "stage2-raftkv/raftstore/rejoin.h"
#include "stage2-raftkv/raftstore/snapshots.h"
#include "stage2-raftkv/raftstore/store_options.h"
#include "stage2-raftkv/raftstore/waiting_reads.h"

namespace tinykv::raftstore {

// What a client wants done, and the same as an entry's data.
struct Command {
  raft_cmdpb::RaftCmdRequest request = {};
  std::string data = {};
  CommandDone done = {};
};

// Whoever wants a consistent view of the region. Told the region as of when it may be read.
struct Read {
  raft_cmdpb::RaftRequestHeader header = {};
  ReadDone done = {};
};

// A message as it arrived, in the peer's terms.
struct Incoming {
  RegionId region = 0;
  metapb::Peer from = {};
  metapb::Peer to = {};
  raft::Message message = {};
  std::shared_ptr<const SnapshotFiles> files = {};  // of a snapshot
};

// What all peers of a store share.
struct PeerServices {
  const StoreOptions& options;
  Clock& clock;
  Transport& transport;
  Applier& applier;
  Snapshots& snapshots;
  const AdminHandlers& handlers;
  RegionViews& views;
  const DiskRoom& room;
  // Captures and builds a snapshot of the region, elsewhere; the store gives it to SnapshotBuilt().
  std::function<void(RegionId)> build_snapshot;
  // A snapshot's transfer to a peer has ended; the store gives it to TransferEnded().
  std::function<void(RegionId, raft::PeerId, absl::Status)> transfer_ended;
};

class Peer {
 public:
  // `services` must outlive the peer.
  Peer(const PeerServices& services, LoadedPeer loaded);
  ~Peer();

  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  RegionId region_id() const { return region_.id(); }
  const metapb::Region& region() const { return region_; }
  const raft::RaftCore& core() const { return node_.core(); }
  const raft::EntryId& applied() const { return applied_; }
  // Null unless this peer has lost its disk, and knows too little yet to vote.
  const Rejoin* rejoin() const { return rejoin_ ? &*rejoin_ : nullptr; }
  // Commands and reads that wait for their answer.
  size_t waiting_commands() const { return proposing_.size() + proposals_.size(); }
  size_t waiting_reads() const { return reads_.size(); }

  // ---- what comes in ----

  void Step(Incoming incoming);
  void Tick();
  void Propose(Command command);
  void AskToRead(Read read);
  void OnApplied(const Applied& applied);
  void SnapshotBuilt(absl::StatusOr<BuiltSnapshot> built);
  void TransferEnded(raft::PeerId to, const absl::Status& status);

  // ---- what goes out ----

  // Takes the next Ready, if there is one and the last one is done with. False: nothing to write.
  // `must_sync` is set if what was added to `batch` must be synced.
  bool BeginWrite(lsm::WriteBatch& batch, bool* must_sync);
  // REQUIRES: what BeginWrite() has added is written, and synced.
  void EndWrite();
  // Whether BeginWrite() has something to do.
  bool HasWork() const;

  // Answers everybody who waits with "stale command" or "not leader".
  void GiveUp(std::string_view why);

 private:
  bool IsLeader() const { return core().role() == raft::Role::kLeader; }
  const metapb::Peer* Leader() const;
  // Whether this peer may do what a request with such a header asks for. Errors: region errors.
  absl::Status CheckHeader(const raft_cmdpb::RaftRequestHeader& header) const;
  absl::Status CheckCommand(const raft_cmdpb::RaftCmdRequest& request) const;
  // Puts the commands that have come in into the log, all together.
  void ProposeAll();
  void MaybeCompactLog(uint64_t log_bytes);

  // What a peer that rejoins asks, and is told.
  void StepRejoin(const raft::Message& message);
  void TickRejoin();

  void Send(const raft::Message& message);
  void SendSnapshot(raft_serverpb::RaftMessage message);
  void HandOverCommitted();
  // Puts the Ready's snapshot in place of all data, by the applier.
  void Install();
  void WantSnapshot();
  void TickSnapshots();
  void PublishView();

  const PeerServices& services_;
  metapb::Region region_;
  const metapb::Peer self_;
  raft::RaftNode node_;
  PeerStorage storage_;
  std::optional<Rejoin> rejoin_;
  raft::EntryId applied_;
  raft::Index delete_log_to_;  // 0: nothing is to be deleted
  bool compaction_proposed_ = false;
  uint64_t tick_ = 0;

  std::vector<Command> proposing_;
  ProposalQueue proposals_;
  WaitingReads reads_;

  // The Ready that is being dealt with.
  enum class Stage { kNone, kInstalling, kInstalled, kWriting };
  Stage stage_ = Stage::kNone;
  raft::Ready ready_;
  uint64_t apply_backlog_bytes_ = 0;
  std::map<raft::Index, uint64_t> backlog_;  // bytes handed over, by the last index of each lot
  LogBytes log_bytes_;

  // Snapshots: which came in since the last Ready; what was made for others.
  struct ReceivedFiles {
    raft::EntryId last;
    std::shared_ptr<const SnapshotFiles> files;
  };
  std::vector<ReceivedFiles> received_;
  std::optional<BuiltSnapshot> built_;
  uint64_t built_at_tick_ = 0;  // or last sent
  bool building_ = false;
  std::map<raft::PeerId, int> transfers_;       // under way, to each peer
  std::map<raft::PeerId, uint64_t> ask_again_;  // after a transfer: at which tick

  std::shared_ptr<RegionView> view_;
};

}  // namespace tinykv::raftstore
