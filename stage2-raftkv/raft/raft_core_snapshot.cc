// Snapshots, for a member that needs what is compacted.
#include "common/check.h"
#include "stage2-raftkv/raft/raft_core.h"

namespace tinykv::raft {

void RaftCore::ProvideSnapshot(const Snapshot& snapshot) {
  // Too old: a member that had it would still need compacted entries.
  if (snapshot.last.index < log_.boundary().index) return;
  TKV_CHECK(snapshot.last.index <= log_.applied() && "a snapshot shows what was applied");
  ForEachPeer([&](PeerId peer) {
    const Progress* progress = ProgressOf(peer);
    if (progress == nullptr || !progress->wants_snapshot()) return;
    // Who joined after it was made would refuse it, and gets the next one.
    if (snapshot.members.contains(peer)) SendSnapshot(peer, snapshot);
  });
}

void RaftCore::SendSnapshot(PeerId to, const Snapshot& snapshot) {
  progress_.at(to).SnapshotSent(snapshot.last.index);
  Send({.type = MessageType::kSnapshot, .to = to, .snapshot = snapshot});
}

void RaftCore::ReportSnapshotFailure(PeerId to) {
  if (Progress* progress = ProgressOf(to)) progress->SnapshotFailed();
}

void RaftCore::NoteSnapshotAlive(PeerId to) {
  if (Progress* progress = ProgressOf(to)) progress->NoteSnapshotAlive();
}

void RaftCore::OnSnapshot(const Message& message) {
  ChangeRole(Role::kFollower, term_, message.from);
  ResetElectionTimer();
  if (!message.snapshot) return;
  const Snapshot& snapshot = *message.snapshot;
  if (log_.TermAt(snapshot.last.index) == snapshot.last.term) {
    CommitTo(snapshot.last.index);  // nothing is missing here; the leader only did not know
  } else if (snapshot.last.index > log_.committed() && snapshot.members.contains(id())) {
    log_.Restore(snapshot.last);
    pending_snapshot_ = snapshot;
    SwitchMembership(snapshot.members);
  }
  Send({.type = MessageType::kAppendResponse, .to = message.from, .index = log_.committed()});
}

}  // namespace tinykv::raft
