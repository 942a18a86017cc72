#include "graders/stage2/raft_group.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "common/coding.h"

namespace tinykv::grading {

void RaftGroup::Add(raft::PeerId id, const raft::StoredState& stored) {
  disks_.emplace(id, RaftDisk(stored));
}

void RaftGroup::Start(raft::PeerId id) {
  TKV_CHECK(!IsUp(id));
  raft::RaftOptions options = options_;
  options.id = id;
  options.random_seed += id;
  members_.emplace(id, RaftMember(options, disks_.at(id)));
  Note(invariants_.OnStart(View(), id));
  Settle(id, CrashPoint::kNever);
}

void RaftGroup::Crash(raft::PeerId id) {
  TKV_CHECK(IsUp(id));
  members_.erase(id);
}

void RaftGroup::Input(raft::PeerId id, absl::FunctionRef<void(raft::RaftCore&)> input,
                      CrashPoint crash) {
  input(members_.at(id).core());
  Note(invariants_.OnEvent(View(), id));
  Settle(id, crash);
}

void RaftGroup::Settle(raft::PeerId id, CrashPoint crash) {
  RaftMember& member = members_.at(id);
  RaftDisk& disk = disks_.at(id);
  while (member.core().HasReady()) {
    SendAll(member.TakeReady(), disk);
    if (crash == CrashPoint::kBeforeWrite) break;
    member.Write(disk);
    if (crash == CrashPoint::kAfterWrite) break;
    SendAll(member.FinishReady(), disk);
    Note(invariants_.OnEvent(View(), id));
  }
  if (crash != CrashPoint::kNever) Crash(id);
}

void RaftGroup::SendAll(const std::vector<raft::Message>& messages, const RaftDisk& disk) {
  for (const raft::Message& message : messages) {
    Note(invariants_.OnSend(message, disk));
    PutIntoFlight(message);
  }
}

void RaftGroup::Deliver(size_t i, CrashPoint crash) {
  const raft::Message message = flight_.at(i).message;
  Drop(i);
  if (!IsUp(message.to)) return;
  Input(
      message.to, [&message](raft::RaftCore& core) { core.Step(message); }, crash);
}

void RaftGroup::Drop(size_t i) { flight_.erase(flight_.begin() + static_cast<ptrdiff_t>(i)); }

void RaftGroup::Duplicate(size_t i) { PutIntoFlight(raft::Message(flight_.at(i).message)); }

void RaftGroup::Checkpoint(raft::PeerId id, raft::Index index) {
  members_.at(id).Checkpoint(disks_.at(id), index);
  Note(invariants_.OnEvent(View(), id));
}

RaftGroupView RaftGroup::View() const {
  RaftGroupView view;
  for (const auto& [id, disk] : disks_) {
    const auto member = members_.find(id);
    view.push_back({id, member == members_.end() ? nullptr : &member->second, &disk});
  }
  return view;
}

void RaftGroup::Note(RaftInvariants::Result result) {
  if (!violation_) violation_ = std::move(result);
}

std::string RaftGroup::EncodeState() const {
  std::string out;
  for (const auto& [id, disk] : disks_) {
    PutVarint64(&out, id);
    disk.EncodeTo(out);
    const auto member = members_.find(id);
    if (member != members_.end()) out += member->second.EncodeState();
  }
  // The order of messages in flight says nothing: any may arrive first.
  std::vector<std::string> messages;
  for (const Flying& flying : flight_) {
    messages.push_back(raft::EncodeMessage(flying.message));
  }
  std::sort(messages.begin(), messages.end());
  for (const std::string& message : messages) out += message;
  invariants_.EncodeTo(out);
  return out;
}

}  // namespace tinykv::grading
