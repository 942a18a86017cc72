#include "stage2-raftkv/raftstore/rejoin.h"

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/status.h"
#include "stage2-raftkv/raftstore/region.h"
#include "stage2-raftkv/raftstore/stored_message.h"

namespace tinykv::raftstore {
namespace {

constexpr uint32_t kWaitTicksMax = 16;

// The term of the last entry that `ready` has; 0 if it has none.
raft::Term LastTerm(const raft::Ready& ready) {
  if (!ready.entries.empty()) return ready.entries.back().term;
  return ready.snapshot ? ready.snapshot->last.term : 0;
}

}  // namespace

absl::Status CheckMayRejoin(const metapb::Region& region) {
  const raft::Membership members = MembersOf(region);
  if (members.size() > raft::MajorityOf(members)) return absl::OkStatus();
  return FailedPrecondition("a cluster of ", Counted(members.size(), "store"),
                            " has lost data for good with the disk of one, and nobody can be "
                            "rejoined; it takes three stores");
}

void BeginRejoin(RegionId region, lsm::WriteBatch& batch) {
  batch.Put(kLogFamily, RejoinStateKey(region),
            raft_serverpb::RaftRejoinState().SerializeAsString());
}

absl::StatusOr<std::optional<raft_serverpb::RaftRejoinState>> LoadRejoin(lsm::DB& raft,
                                                                         RegionId region,
                                                                         raft::Term last_term) {
  TKV_ASSIGN_OR_RETURN(auto state, ReadStored<raft_serverpb::RaftRejoinState>(
                                       raft, kLogFamily, RejoinStateKey(region),
                                       "rejoin state of " + NameOf(region)));
  const bool is_over = state && state->above_term() > 0 && last_term > state->above_term();
  if (!is_over) return state;
  // A snapshot was in place, and the crash came before the log was replaced.
  lsm::WriteBatch batch;
  batch.Delete(kLogFamily, RejoinStateKey(region));
  TKV_RETURN_IF_ERROR(raft.Write({.sync = true}, batch));
  return std::nullopt;
}

bool IsAboutRejoin(raft::MessageType type) {
  return type == raft::MessageType::kAskTerm || type == raft::MessageType::kTellTerm;
}

raft::Message AnswerTo(const raft::Message& question, const raft::RaftCore& core) {
  return {.type = raft::MessageType::kTellTerm,
          .to = question.from,
          .from = core.id(),
          .term = core.term(),
          .round = question.round};
}

Rejoin::Rejoin(RegionId region, raft_serverpb::RaftRejoinState state, raft::Membership others,
               uint64_t number)
    : region_(region), state_(std::move(state)), missing_(std::move(others)), number_(number) {}

std::string Rejoin::Describe() const {
  if (!is_asking()) return Concat("waits for an entry of a term after ", above_term());
  std::string names;
  for (const raft::PeerId peer : missing_) names += Concat(names.empty() ? "" : ", ", peer);
  return Concat("asks for the terms of peers ", names);
}

bool Rejoin::Admits(raft::MessageType type) const {
  return !is_asking() && raft::IsFromLeader(type);
}

std::vector<raft::Message> Rejoin::Tick(const raft::RaftCore& core) {
  std::vector<raft::Message> questions;
  if (!is_asking() || --ticks_left_ > 0) return questions;
  ticks_left_ = wait_ticks_ = std::min(2 * wait_ticks_, kWaitTicksMax);
  for (const raft::PeerId peer : missing_) {
    questions.push_back({.type = raft::MessageType::kAskTerm,
                         .to = peer,
                         .from = core.id(),
                         .term = core.term(),
                         .round = number_});
  }
  return questions;
}

bool Rejoin::OnAnswer(const raft::Message& answer, const raft::RaftCore& core) {
  if (!is_asking() || answer.round != number_ || missing_.erase(answer.from) == 0) return false;
  highest_term_ = std::max(highest_term_, answer.term);
  if (!missing_.empty()) return false;
  state_.set_above_term(std::max(highest_term_, core.term()));
  is_saved_ = false;
  log::Info("all others have said their term", {{"region", region_}, {"highest", above_term()}});
  return true;
}

bool Rejoin::Save(const raft::Ready& ready, lsm::WriteBatch& batch) {
  if (!is_asking() && LastTerm(ready) > above_term()) {
    batch.Delete(kLogFamily, RejoinStateKey(region_));
    log::Info("the peer has rejoined, and votes again", {{"region", region_}});
    return true;
  }
  if (!is_saved_) {
    batch.Put(kLogFamily, RejoinStateKey(region_), state_.SerializeAsString());
    is_saved_ = true;
  }
  return false;
}

}  // namespace tinykv::raftstore
