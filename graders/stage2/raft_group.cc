#include "graders/stage2/raft_group.h"

#include <algorithm>
#include <utility>

#include "common/check.h"

namespace tinykv::grading {
namespace {

// More than any one input leads to.
constexpr int kReadysMax = 100;

}  // namespace

void RaftGroup::Add(const raft::StoredState& stored) {
  nodes_.push_back(
      std::make_shared<Node>(Node{.disk = RaftDisk(stored), .member = {}, .print = {}}));
}

RaftGroup::Node& RaftGroup::MutableNode(raft::PeerId id) {
  std::shared_ptr<Node>& node = nodes_.at(id - 1);
  if (node.use_count() > 1) node = std::make_shared<Node>(*node);
  node->print.reset();
  return *node;
}

void RaftGroup::Start(raft::PeerId id) {
  TKV_CHECK(!IsUp(id));
  raft::RaftOptions options = *options_;
  options.id = id;
  options.random_seed += id;
  Node& node = MutableNode(id);
  node.member.emplace(options, node.disk);
  Note(invariants_.OnStart(View(), id));
  Settle(id, CrashPoint::kNever);
}

void RaftGroup::Crash(raft::PeerId id) {
  TKV_CHECK(IsUp(id));
  MutableNode(id).member.reset();
}

void RaftGroup::Input(raft::PeerId id, absl::FunctionRef<void(raft::RaftCore&)> input,
                      CrashPoint crash) {
  input(MutableNode(id).member->core());
  Note(invariants_.OnEvent(View(), id));
  Settle(id, crash);
}

void RaftGroup::Settle(raft::PeerId id, CrashPoint crash) {
  Node& node = MutableNode(id);
  for (int readys = 0; node.member->core().HasReady(); ++readys) {
    if (readys == kReadysMax) {
      Note(RaftInvariants::NoEnd(id, readys));
      return;
    }
    SendAll(node.member->TakeReady(), node.disk);
    Note(RaftInvariants::OnReady(id, node.member->ready(), node.disk));
    if (crash == CrashPoint::kBeforeWrite) break;
    node.member->Write(node.disk);
    if (crash == CrashPoint::kAfterWrite) break;
    SendAll(node.member->FinishReady(), node.disk);
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

void RaftGroup::PutIntoFlight(const raft::Message& message) {
  const Fingerprint print = FingerprintOf(raft::EncodeMessage(message));
  const auto is_equal = [&](const Flying& flying) { return flying.print == print; };
  if (keeps_messages_ && std::any_of(flight_.begin(), flight_.end(), is_equal)) return;
  flight_.push_back({.message = std::make_shared<const raft::Message>(message),
                     .print = print,
                     .number = ++flights_});
}

void RaftGroup::Deliver(size_t i, CrashPoint crash) {
  const std::shared_ptr<const raft::Message> message = flight_.at(i).message;
  if (!keeps_messages_) Drop(i);
  if (!IsUp(message->to)) return;
  Input(
      message->to, [&message](raft::RaftCore& core) { core.Step(*message); }, crash);
}

void RaftGroup::Drop(size_t i) { flight_.erase(flight_.begin() + static_cast<ptrdiff_t>(i)); }

void RaftGroup::Duplicate(size_t i) {
  Flying again = flight_.at(i);
  again.number = ++flights_;
  flight_.push_back(std::move(again));
}

void RaftGroup::Checkpoint(raft::PeerId id, raft::Index index) {
  Node& node = MutableNode(id);
  node.member->Checkpoint(node.disk, index);
  Note(invariants_.OnEvent(View(), id));
}

RaftGroupView RaftGroup::View() const {
  RaftGroupView view;
  for (raft::PeerId id = 1; id <= nodes_.size(); ++id) {
    const Node& node = NodeOf(id);
    view.push_back({id, node.member ? &*node.member : nullptr, &node.disk});
  }
  return view;
}

void RaftGroup::Note(RaftInvariants::Result result) {
  if (!violation_) violation_ = std::move(result);
}

Fingerprint RaftGroup::PrintOf(raft::PeerId id) const {
  const Node& node = NodeOf(id);
  if (!node.print) {
    std::string bytes = node.member ? node.member->EncodeState() : "";
    node.disk.EncodeTo(bytes);
    node.print = FingerprintOf(bytes);
  }
  return *node.print;
}

Fingerprint RaftGroup::Print() const {
  Fingerprint print;
  for (raft::PeerId id = 1; id <= size(); ++id) print = Combine(print, PrintOf(id));
  Fingerprint messages;
  for (const Flying& flying : flight_) messages = AnyOrder(messages, flying.print);
  std::string seen;
  invariants_.EncodeTo(seen);
  return Combine(Combine(print, messages), FingerprintOf(seen));
}

}  // namespace tinykv::grading
