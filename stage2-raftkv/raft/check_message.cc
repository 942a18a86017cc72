#include "stage2-raftkv/raft/check_message.h"

#include "common/status.h"

namespace tinykv::raft {
namespace {

// No term or index that was counted up comes near, and one more never overflows.
constexpr uint64_t kCountMax = uint64_t{1} << 62;

absl::Status CheckAddress(const Message& message, PeerId id) {
  if (IsLocal(message.type)) {
    return InvalidArgument("a ", ToString(message.type), " is never sent over the network");
  }
  if (message.to != id) {
    return InvalidArgument("a message for peer ", message.to, " came to peer ", id);
  }
  if (message.from == kNone) return InvalidArgument("a message must say from whom it is");
  // Transfers are asked for by whoever is asked to (stage 3), have no term, and say by `from` who
  // is to lead, not who asks.
  if (message.type == MessageType::kTransferLeader) return absl::OkStatus();
  if (message.from == id) return InvalidArgument("a message from peer ", id, " came to itself");
  if (message.term == 0) return InvalidArgument("a ", ToString(message.type), " must have a term");
  return absl::OkStatus();
}

absl::Status CheckCounts(const Message& message) {
  if (message.term > kCountMax) return InvalidArgument("term ", message.term, " cannot be");
  if (message.index > kCountMax) return InvalidArgument("index ", message.index, " cannot be");
  return absl::OkStatus();
}

absl::Status CheckEntries(const Message& append) {
  EntryId previous{append.index, append.log_term};
  for (const Entry& entry : append.entries) {
    if (entry.index != previous.index + 1) {
      return InvalidArgument("an Append has entry ", entry.index, " after entry ", previous.index);
    }
    if (entry.term < previous.term) {
      return InvalidArgument("an Append has an entry of term ", entry.term, " after one of term ",
                             previous.term);
    }
    previous = {entry.index, entry.term};
  }
  if (previous.term > append.term) {
    return InvalidArgument("an Append of term ", append.term, " has an entry of term ",
                           previous.term);
  }
  return absl::OkStatus();
}

absl::Status CheckSnapshot(const Message& message) {
  if (!message.snapshot) return InvalidArgument("a Snapshot has no snapshot");
  const auto& [last, members, data] = *message.snapshot;
  if (last.index == 0 || last.index > kCountMax) {
    return InvalidArgument("a Snapshot ends with entry ", last.index, ", which cannot be");
  }
  if (last.term == 0 || last.term > message.term) {
    return InvalidArgument("a Snapshot of term ", message.term, " ends with an entry of term ",
                           last.term);
  }
  if (members.empty()) return InvalidArgument("a Snapshot has no members");
  if (members.contains(kNone)) return InvalidArgument("a Snapshot has peer 0 among the members");
  return absl::OkStatus();
}

// That entry `id` of the sender, which leads in a term that is not over, is the committed one, if
// one is: committed entries are in the log of every later leader (Raft paper 5.4.3).
absl::Status CheckCommitted(const EntryId& id, const RaftLog& log) {
  if (id.index > log.committed()) return absl::OkStatus();
  const std::optional<Term> term = log.TermAt(id.index);
  if (!term || *term == id.term) return absl::OkStatus();
  return InvalidArgument("an Append has entry ", ToString(id), ", but ",
                         ToString(EntryId{id.index, *term}),
                         " is committed; is the sender a member of another group?");
}

absl::Status CheckAppend(const Message& append, const RaftCore& core) {
  absl::Status status = CheckEntries(append);
  if (!status.ok() || append.term < core.term()) return status;
  status = CheckCommitted({append.index, append.log_term}, core.log());
  for (const Entry& entry : append.entries) {
    if (!status.ok() || entry.index > core.log().committed()) return status;
    status = CheckCommitted({entry.index, entry.term}, core.log());
  }
  return status;
}

absl::Status CheckAppendResponse(const Message& response, const RaftCore& core) {
  if (core.role() != Role::kLeader || response.term != core.term() || response.reject) {
    return absl::OkStatus();
  }
  if (response.index > core.log().last_index()) {
    return InvalidArgument("peer ", response.from, " says it has entry ", response.index,
                           ", but the leader's log ends with ", core.log().last_index());
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckMessage(const Message& message, const RaftCore& core) {
  if (absl::Status status = CheckAddress(message, core.id()); !status.ok()) return status;
  if (absl::Status status = CheckCounts(message); !status.ok()) return status;
  if (IsFromLeader(message.type) && core.role() == Role::kLeader && message.term == core.term()) {
    return InvalidArgument("peer ", message.from, " claims to lead in term ", message.term,
                           ", in which peer ", core.id(), " was elected");
  }
  switch (message.type) {
    case MessageType::kAppend:
      return CheckAppend(message, core);
    case MessageType::kAppendResponse:
      return CheckAppendResponse(message, core);
    case MessageType::kSnapshot:
      return CheckSnapshot(message);
    default:
      return absl::OkStatus();
  }
}

}  // namespace tinykv::raft
