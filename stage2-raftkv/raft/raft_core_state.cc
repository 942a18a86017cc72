// EncodeState: a core's state as bytes.
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

}  // namespace

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
  // What has not been taken is told by its words: it is gone with the next Ready.
  for (const Message& message : messages_) out += ToString(message);
  return out;
}

}  // namespace tinykv::raft
