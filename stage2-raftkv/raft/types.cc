#include "stage2-raftkv/raft/types.h"

#include "common/strings.h"

namespace tinykv::raft {
namespace {

// Type, term and index of an entry, and the lengths of what is in it.
constexpr size_t kEntryOverheadBytes = 24;

std::string EntriesToString(const std::vector<Entry>& entries) {
  if (entries.empty()) return "no entries";
  const Entry& first = entries.front();
  const Entry& last = entries.back();
  if (entries.size() == 1) return Concat("entry ", ToString(EntryId{first.index, first.term}));
  return Concat("entries ", first.index, " to ", ToString(EntryId{last.index, last.term}));
}

std::string AnswerToString(const Message& message) {
  switch (message.type) {
    case MessageType::kAppendResponse:
      if (!message.reject) return Concat(", has all up to ", message.index);
      return Concat(", refuses what follows ", message.rejected_index, ", try after ",
                    message.index);
    case MessageType::kRequestVoteResponse:
    case MessageType::kPreVoteResponse:
      return message.reject ? ", refused" : ", granted";
    default:
      return "";
  }
}

}  // namespace

bool IsLocal(MessageType type) {
  return type == MessageType::kHup || type == MessageType::kBeat || type == MessageType::kPropose;
}

bool IsFromLeader(MessageType type) {
  return type == MessageType::kAppend || type == MessageType::kHeartbeat ||
         type == MessageType::kSnapshot;
}

bool IsResponse(MessageType type) {
  return type == MessageType::kAppendResponse || type == MessageType::kRequestVoteResponse ||
         type == MessageType::kHeartbeatResponse || type == MessageType::kPreVoteResponse;
}

std::string ToString(MessageType type) {
  switch (type) {
    case MessageType::kHup:
      return "Hup";
    case MessageType::kBeat:
      return "Beat";
    case MessageType::kPropose:
      return "Propose";
    case MessageType::kAppend:
      return "Append";
    case MessageType::kAppendResponse:
      return "AppendResponse";
    case MessageType::kRequestVote:
      return "RequestVote";
    case MessageType::kRequestVoteResponse:
      return "RequestVoteResponse";
    case MessageType::kSnapshot:
      return "Snapshot";
    case MessageType::kHeartbeat:
      return "Heartbeat";
    case MessageType::kHeartbeatResponse:
      return "HeartbeatResponse";
    case MessageType::kTransferLeader:
      return "TransferLeader";
    case MessageType::kTimeoutNow:
      return "TimeoutNow";
    case MessageType::kPreVote:
      return "PreVote";
    case MessageType::kPreVoteResponse:
      return "PreVoteResponse";
    case MessageType::kAskTerm:
      return "AskTerm";
    case MessageType::kTellTerm:
      return "TellTerm";
  }
  return Concat("message ", static_cast<int>(type));
}

std::string ToString(Role role) {
  switch (role) {
    case Role::kFollower:
      return "follower";
    case Role::kPreCandidate:
      return "pre-candidate";
    case Role::kCandidate:
      return "candidate";
    case Role::kLeader:
      return "leader";
  }
  return "no role";
}

std::string ToString(const EntryId& id) { return Concat(id.index, " of term ", id.term); }

std::string ToString(const Message& message) {
  const std::string head = Concat(ToString(message.type), " term ", message.term);
  const EntryId position{message.index, message.log_term};
  switch (message.type) {
    case MessageType::kAppend:
      return Concat(head, ", after ", ToString(position), ", ", EntriesToString(message.entries),
                    ", commit ", message.commit);
    case MessageType::kRequestVote:
    case MessageType::kPreVote:
      return Concat(head, ", last entry ", ToString(position));
    case MessageType::kSnapshot:
      return Concat(head, ", up to ",
                    message.snapshot ? ToString(message.snapshot->last) : "nothing");
    default:
      return head + AnswerToString(message);
  }
}

size_t SizeOf(const Entry& entry) { return kEntryOverheadBytes + entry.data.size(); }

}  // namespace tinykv::raft
