// RaftCore: the consensus algorithm as a pure state machine, one member of a group.
//
// It reads no clock, draws no randomness of its own, touches no disk and starts no thread. Inputs
// are Step(), Tick(), Propose() and the like; outputs pile up until TakeReady() (ready.h). Equal
// inputs give equal outputs, which is what makes every test in this course replayable.
//   raft_core.cc              construction, Step()'s dispatch, Ready and Advance, membership
//   raft_core_election.cc     terms, votes, timeouts (Raft paper 5.1, 5.2, 5.4.1)
//   raft_core_replication.cc  proposals, appends, heartbeats, commit (5.3, 5.4.2)
//   raft_core_snapshot.cc     snapshots to and from others (7)
//   raft_core_extras.cc       pre-vote, check-quorum, reads, lease; one section each
// Source: Raft paper, Figure 2. Members exchange heartbeats apart from appends, as in TinyKV.
//
// Thread-safety: none. A core is a value: a copy goes on independently.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/env/clock.h"
#include "common/random.h"
#include "stage2-raftkv/raft/bootstrap.h"
#include "stage2-raftkv/raft/heartbeat_rounds.h"
#include "stage2-raftkv/raft/options.h"
#include "stage2-raftkv/raft/progress.h"
#include "stage2-raftkv/raft/raft_log.h"
#include "stage2-raftkv/raft/ready.h"

namespace tinykv::raft {

class RaftCore {
 public:
  // REQUIRES: Validate(options) is OK.
  RaftCore(const RaftOptions& options, StoredState stored);

  // ---- inputs ----

  // Handles one message. Returns false iff the core does not know its type; its term, if it has
  // one, has been checked by then, so a caller may go on to interpret the message itself.
  bool Step(const Message& message);

  // Advances the logical clock by one tick.
  void Tick();

  // Appends one entry for each of `data` to the leader's log and sends them.
  // Errors: kFailedPrecondition if this member does not lead; kResourceExhausted if too much is not
  // committed yet (options.uncommitted_bytes_max). Nothing is appended then.
  absl::Status Propose(EntryType type, std::vector<Payload> data);

  // Asks for a read, which is answered in Ready::reads or Ready::refused_reads.
  // Errors: kFailedPrecondition, kResourceExhausted (options.waiting_reads_max), as above.
  absl::Status ReadIndex(uint64_t request);

  // Starts an election unless this member leads, has no vote, or has still to apply a committed
  // change of membership: it would count by an old one; nor where the leader may hold a lease.
  // `by_leader`: the leader asks for it, so members need not protect it (thesis 3.10).
  void StartElection(bool by_leader = false);
  // Goes on to `term`, where its vote is its own: for a member that has forgotten how it voted.
  // REQUIRES: it follows, in an earlier term.
  void EnterTerm(Term term);

  // Replaces the membership, as the restore of a snapshot or a committed change does. Commits what
  // the new majority has; a leader that is no member any more steps down.
  void SwitchMembership(Membership next);

  // Answers Ready::snapshot_wanted. REQUIRES: snapshot.last is an entry that was applied.
  void ProvideSnapshot(const Snapshot& snapshot);
  // The snapshot to `to` did not arrive, or is still on its way.
  void ReportSnapshotFailure(PeerId to);
  void NoteSnapshotAlive(PeerId to);

  // The owner has a snapshot of everything up to `index`. REQUIRES: index <= log().applied().
  void CompactTo(Index index) { log_.CompactTo(index); }

  // Tells the time; only the lease wants to know. To be called before every input if
  // options.lease is set. REQUIRES: it does not go back.
  void SetTime(Duration now) { now_ = now; }

  // A Feature wants `message` sent; fills in sender and term.
  void Send(Message message);

  // ---- outputs ----

  bool HasReady() const;
  // REQUIRES: the last Ready was given to Advance().
  Ready TakeReady();
  void Advance(const Ready& ready);

  // ---- how things stand ----

  PeerId id() const { return options_.id; }
  Role role() const { return role_; }
  Term term() const { return term_; }
  PeerId vote() const { return vote_; }
  PeerId leader() const { return leader_; }  // kNone while unknown
  HardState hard_state() const { return {term_, vote_, log_.committed()}; }
  const RaftLog& log() const { return log_; }
  const Membership& members() const { return members_; }
  // Of each member, itself included; empty unless this member leads.
  const std::map<PeerId, Progress>& progress() const { return progress_; }
  // Whether this leader has committed an entry of its own term.
  bool has_committed_in_term() const { return log_.TermAt(log_.committed()) == term_; }
  // Until when this leader may read without asking anybody, by the owner's clock.
  std::optional<Duration> LeaseEnd() const;
  const RaftOptions& options() const { return options_; }

  // Everything that decides what happens next, but for timers and reads, as bytes: two cores with
  // the same state do the same when given the same. For exhaustive search.
  std::string EncodeState() const;

 private:
  bool IsMember(PeerId peer) const { return members_.contains(peer); }
  bool IsAlone() const { return members_.size() == 1 && IsMember(id()); }
  // Null if this member does not lead, or `peer` is no member. Never its own.
  Progress* ProgressOf(PeerId peer);
  // In order, all members but this.
  void ForEachPeer(absl::FunctionRef<void(PeerId)> function) const;

  // ---- raft_core.cc ----

  // Calls what handles the type. False: nothing does.
  bool Dispatch(const Message& message);
  bool StepLocal(const Message& message);
  // Becomes `role` in `term`: forgets the vote if the term is new, and all that belongs to the role
  // before. The election timer goes on, and starts anew for who was the leader.
  void ChangeRole(Role role, Term term, PeerId leader);
  // The log is on disk as far as log_.stable(): what that means for a leader's commit index.
  void OnStable();

  // ---- raft_core_election.cc ----

  // The rules about terms that hold for all messages (Raft paper 5.1, and Figure 2, "Rules for
  // Servers"). A newer term: adopts it, as a follower, of the sender if only leaders send such
  // messages. An older term: answers a request with a refusal, from whose term the sender learns
  // that it is out of date, and ignores a response. Returns whether the message is to be handled.
  bool AdmitTerm(const Message& message);
  void Refuse(const Message& request);

  void ResetElectionTimer();
  // Becomes a candidate of the next term, with a new election timeout, votes for itself, and asks
  // the others for their votes; a candidate that is alone has won already.
  void Campaign();
  // Grants the vote or refuses it, and answers. A vote is granted at most once a term, first come,
  // first served; never to a candidate whose log is less up-to-date than this one's; and who grants
  // one gives the candidate time to win (Raft paper 5.2, 5.4.1).
  void OnRequestVote(const Message& message);
  // The votes of a majority of members make a candidate the leader.
  void OnVoteResponse(const Message& message);
  void RequestVotes(MessageType type, Term term);
  // Takes down an answer to a request for votes, and returns whether a majority of members has
  // granted theirs by now, this member being one of them. Each counts once, with its first answer,
  // and who is no member does not count.
  bool CountVote(const Message& response);
  // Becomes the leader of this term, with a Progress for each member, itself included. Nothing is
  // known of the others' logs; tries first whether they end where this one does. Then appends a
  // no-op, an empty entry of this term, since entries of older terms are committed only together
  // with one of its own (5.4.2), and sends it to all.
  void BecomeLeader();

  // ---- raft_core_replication.cc ----

  // Appends entries of this term to the log and sends them to all. REQUIRES: leader.
  void AppendAndSend(EntryType type, std::vector<Payload> data);
  // Sends `to` what follows its `next`: as many entries as the flow allows, or none, which still
  // tells the commit index. Sends nothing while its Progress says so; where what comes before
  // `next` is compacted, it notes there that a snapshot is needed. REQUIRES: leader.
  void SendAppend(PeerId to);
  void BroadcastAppend();
  void TellCommit();  // at once, or not: options.commit_rides_along
  // Begins a round of heartbeats.
  void BroadcastHeartbeat();
  void SendHeartbeat(PeerId to, uint64_t round);

  // Follows the sender, which also ends a candidacy, and waits a new election timeout. Takes the
  // entries, if the log has what they follow, and the commit index, as far as the message proves
  // that this log agrees with the leader's. Answers either way.
  void OnAppend(const Message& message);
  void RefuseAppend(const Message& append);
  // Learns what a member has, or that it has refused; commits what a majority has, and calls
  // TellCommit(). Otherwise sends on, if there is more to send, or nothing could be sent until now.
  void OnAppendResponse(const Message& message);
  // Follows the leader, and answers with the heartbeat's round and this member's commit index. A
  // heartbeat proves nothing about the log.
  void OnHeartbeat(const Message& message);
  // A member that lacks entries, or has missed a commit index, gets an append.
  void OnHeartbeatResponse(const Message& message);
  // Commits what a majority has stored, if that is of this term (5.4.2; figure 8 says why). Returns
  // whether the commit index has moved.
  bool MaybeCommit();
  void CommitTo(Index index);

  // ---- raft_core_snapshot.cc ----

  void SendSnapshot(PeerId to, const Snapshot& snapshot);
  void OnSnapshot(const Message& message);

  // ---- raft_core_extras.cc ----

  void StartPreVote();
  void OnPreVote(const Message& message);
  void OnPreVoteResponse(const Message& message);

  // True for a request for votes that must not be heard, because this member hears its leader.
  bool IsSheltered(const Message& message) const;
  void CheckQuorum();

  void PumpReads();
  bool HoldsLease() const;

  RaftOptions options_;
  Random random_;
  RaftLog log_;
  Membership members_;

  // Raft paper, Figure 2: persistent state. `stored_` is what the last Ready wrote.
  Term term_;
  PeerId vote_;
  HardState stored_;

  Role role_ = Role::kFollower;
  PeerId leader_ = kNone;
  std::map<PeerId, bool> votes_;         // candidate: the answers so far
  std::map<PeerId, Progress> progress_;  // leader: of every member

  uint32_t election_elapsed_ = 0;     // ticks; not for a leader
  uint32_t election_timeout_ = 0;     // drawn by ResetElectionTimer()
  uint32_t heartbeat_elapsed_ = 0;    // ticks, of a leader
  bool election_by_leader_ = false;   // the running election was asked for
  bool has_called_election_ = false;  // leader: has asked somebody to take over
  uint32_t ticks_since_leader_ = 0;   // since a leader of this term was heard of
  uint32_t quorum_elapsed_ = 0;       // leader: ticks since members were last counted
  std::set<PeerId> heard_;            // leader: who has answered since
  size_t uncommitted_bytes_ = 0;      // leader: of entries above the commit index
  HeartbeatRounds rounds_;
  ReadIndexQueue reads_;
  Duration now_ = {};

  // Outputs.
  std::vector<Message> messages_;
  std::optional<Snapshot> pending_snapshot_;
  std::vector<ReadState> ready_reads_;
  std::vector<uint64_t> refused_reads_;
  bool ready_is_out_ = false;
};

}  // namespace tinykv::raft
