// What the members of a Raft group tell one another, and what each must not forget.
//
// These are the messages of proto/eraftpb.proto as plain values, which are cheap to copy, compare
// and print; raft/wire.h turns one into the other. The numbers of the enumerations are the wire's.
//
// "Raft paper" is Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm"
// (extended version, 2014); "thesis" is Ongaro's "Consensus: Bridging Theory and Practice" (2014).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "stage2-raftkv/raft/payload.h"

namespace tinykv::raft {

using PeerId = uint64_t;  // a member of the group; never 0
using Term = uint64_t;    // the logical clock of elections (Raft paper 5.1)
using Index = uint64_t;   // a position in the log; 0 is before the first

inline constexpr PeerId kNone = 0;

// Who votes. One change of membership adds or removes one member (thesis 4.1).
using Membership = std::set<PeerId>;

// The smallest number of members that is more than half of them.
inline size_t MajorityOf(const Membership& members) { return members.size() / 2 + 1; }

enum class EntryType : int {
  kNormal = 0,      // a command of the state machine; empty: the no-op of a new leader
  kConfChange = 1,  // a change of membership (stage 3)
};

// One slot of the log (Raft paper 5.3).
struct Entry {
  EntryType type = EntryType::kNormal;
  Term term = 0;
  Index index = 0;
  Payload data = {};

  bool operator==(const Entry&) const = default;
};

// A position and the term of the entry there; two logs that agree on one agree on all before it.
struct EntryId {
  Index index = 0;
  Term term = 0;

  bool operator==(const EntryId&) const = default;
};

// What must be on disk before anybody is answered (Raft paper, Figure 2, "persistent state").
struct HardState {
  Term term = 0;
  PeerId vote = kNone;  // who got this member's vote in `term`
  Index commit = 0;     // a convenience: a restarted member may apply this far at once

  bool operator==(const HardState&) const = default;
};

// The state machine as of one entry of the log (Raft paper 7).
struct Snapshot {
  EntryId last = {};        // the last entry that it replaces
  Membership members = {};  // as of that entry
  Payload data = {};        // for the layer above

  bool operator==(const Snapshot&) const = default;
};

enum class MessageType : int {
  kHup = 0,      // local: start an election
  kBeat = 1,     // local: the leader sends heartbeats
  kPropose = 2,  // local: the leader appends the entries
  kAppend = 3,
  kAppendResponse = 4,
  kRequestVote = 5,
  kRequestVoteResponse = 6,
  kSnapshot = 7,
  kHeartbeat = 8,
  kHeartbeatResponse = 9,
  kTransferLeader = 11,  // stage 3
  kTimeoutNow = 12,      // stage 3
  // Of ours; a peer that does not know them drops them.
  kPreVote = 100,
  kPreVoteResponse = 101,
  // Between stores, never to a core: raftstore/rejoin.h.
  kAskTerm = 110,
  kTellTerm = 111,
};

// A message. What its fields mean depends on its type and is said in proto/eraftpb.proto.
struct Message {
  MessageType type = MessageType::kHup;
  PeerId to = kNone;
  PeerId from = kNone;
  Term term = 0;
  Term log_term = 0;
  Index index = 0;
  std::vector<Entry> entries = {};
  Index commit = 0;
  std::optional<Snapshot> snapshot = {};
  bool reject = false;

  // Additions of ours, which an old peer neither sends nor reads.
  Index rejected_index = 0;  // kAppendResponse that refuses: `index` of the refused kAppend
  uint64_t round = 0;        // kHeartbeat: number of the round; kHeartbeatResponse: the same;
                             // kAskTerm: a number of the asker's own; kTellTerm: the same
  bool by_leader = false;    // kRequestVote: the leader itself asked for the election

  bool operator==(const Message&) const = default;
};

enum class Role : uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };

// From an owner to its core, never over the network.
bool IsLocal(MessageType type);
// Sent by leaders only; whoever gets one in its own term knows who leads.
bool IsFromLeader(MessageType type);
bool IsResponse(MessageType type);

// "Append", "RequestVoteResponse" …; "message 42" for a type nobody knows.
std::string ToString(MessageType type);
std::string ToString(Role role);
// "3 of term 2".
std::string ToString(const EntryId& id);
// What a message says, without sender and receiver: "Append term 2, after 3 of term 1, entries 4 to
// 6 of term 2, commit 3".
std::string ToString(const Message& message);

// Everything that a message says but the number of its round, as bytes: equal for equal messages
// only. For exhaustive search, where rounds without end would make every state a new one.
std::string EncodeMessage(const Message& message);

// How much of a message's room an entry takes, in bytes.
size_t SizeOf(const Entry& entry);

}  // namespace tinykv::raft
