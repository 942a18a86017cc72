// EncodeState, EncodeMessage: states and messages as bytes, for exhaustive search.
#include "common/coding.h"
#include "stage2-raftkv/raft/raft_core.h"

namespace tinykv::raft {
namespace {

void Put(std::string& out, uint64_t number) { PutVarint64(&out, number); }

void Put(std::string& out, const Payload& payload) {
  Put(out, payload.size());
  out.append(payload.view());
}

void Put(std::string& out, const Entry& entry) {
  Put(out, static_cast<uint64_t>(entry.type));
  Put(out, entry.term);
  Put(out, entry.index);
  Put(out, entry.data);
}

void Put(std::string& out, const Membership& members) {
  Put(out, members.size());
  for (const PeerId member : members) Put(out, member);
}

void Put(std::string& out, const RaftLog& log) {
  for (const uint64_t number : {log.boundary().index, log.boundary().term, log.committed(),
                                log.applied(), log.stable(), log.last_index()}) {
    Put(out, number);
  }
  for (Index index = log.first_index(); index <= log.last_index(); ++index) {
    Put(out, log.At(index));
  }
}

void Put(std::string& out, const std::optional<Snapshot>& snapshot) {
  Put(out, uint64_t{snapshot.has_value()});
  if (!snapshot) return;
  Put(out, snapshot->last.index);
  Put(out, snapshot->last.term);
  Put(out, snapshot->members);
  Put(out, snapshot->data);
}

}  // namespace

std::string EncodeMessage(const Message& message) {
  std::string out;
  for (const uint64_t number :
       {static_cast<uint64_t>(message.type), message.to, message.from, message.term,
        message.log_term, message.index, message.commit, uint64_t{message.reject},
        message.rejected_index, uint64_t{message.by_leader}, uint64_t{message.entries.size()}}) {
    Put(out, number);
  }
  for (const Entry& entry : message.entries) Put(out, entry);
  Put(out, message.snapshot);
  return out;
}

std::string RaftCore::EncodeState() const {
  std::string out;
  for (const uint64_t number : {term_, vote_, stored_.term, stored_.vote, stored_.commit,
                                static_cast<uint64_t>(role_), leader_, uint64_t{ready_is_out_}}) {
    Put(out, number);
  }
  Put(out, log_);
  Put(out, members_);
  Put(out, votes_.size());
  for (const auto& [peer, is_granted] : votes_) {
    Put(out, peer);
    Put(out, uint64_t{is_granted});
  }
  Put(out, progress_.size());
  for (const auto& [peer, progress] : progress_) {
    Put(out, peer);
    progress.EncodeTo(out);
  }
  Put(out, pending_snapshot_);
  for (const Message& message : messages_) out += EncodeMessage(message);
  return out;
}

}  // namespace tinykv::raft
