#include "stage2-raftkv/raft/raft_node.h"

#include <utility>

#include "stage2-raftkv/raft/check_message.h"

namespace tinykv::raft {

RaftNode::RaftNode(const RaftOptions& options, StoredState stored, Clock& clock)
    : clock_(clock), core_(options, std::move(stored)), role_(core_.role()), term_(core_.term()) {
  core_.SetTime(clock.Now());
}

void RaftNode::AddFeature(std::unique_ptr<Feature> feature) {
  features_.push_back(std::move(feature));
}

absl::Status RaftNode::Step(const Message& message) {
  if (absl::Status status = CheckMessage(message, core_); !status.ok()) return status;
  core_.SetTime(clock_.Now());
  bool is_handled = core_.Step(message);
  for (const auto& feature : features_) {
    if (is_handled) break;
    is_handled = feature->OnUnknownMessage(core_, message);
  }
  for (const auto& feature : features_) feature->AfterStep(core_, message);
  NoteRole();
  return absl::OkStatus();
}

void RaftNode::Tick() {
  core_.SetTime(clock_.Now());
  core_.Tick();
  for (const auto& feature : features_) feature->AfterTick(core_);
  NoteRole();
}

absl::Status RaftNode::Propose(EntryType type, std::vector<Payload> data) {
  core_.SetTime(clock_.Now());
  for (const auto& feature : features_) {
    absl::Status status = feature->BeforePropose(core_, type, data);
    if (!status.ok()) return status;
  }
  return core_.Propose(type, std::move(data));
}

absl::Status RaftNode::ReadIndex(uint64_t request) {
  core_.SetTime(clock_.Now());
  return core_.ReadIndex(request);
}

void RaftNode::StartElection(bool by_leader) {
  core_.SetTime(clock_.Now());
  core_.StartElection(by_leader);
  NoteRole();
}

void RaftNode::EnterTerm(Term term) {
  core_.SetTime(clock_.Now());
  core_.EnterTerm(term);
  NoteRole();
}

void RaftNode::SwitchMembership(Membership next) {
  core_.SetTime(clock_.Now());
  core_.SwitchMembership(std::move(next));
  NoteRole();
}

void RaftNode::Advance(const Ready& ready) {
  core_.SetTime(clock_.Now());
  core_.Advance(ready);
  NoteRole();
}

void RaftNode::NoteRole() {
  if (core_.role() == role_ && core_.term() == term_) return;
  role_ = core_.role();
  term_ = core_.term();
  for (const auto& feature : features_) feature->OnRoleChange(core_);
}

}  // namespace tinykv::raft
