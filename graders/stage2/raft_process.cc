#include "graders/stage2/raft_process.h"

#include <utility>

#include "common/check.h"
#include "common/strings.h"
#include "stage2-raftkv/raft/wire.h"

namespace tinykv::grading {

std::string EncodeOnWire(const raft::Message& message) {
  return raft::ToWire(message).SerializeAsString();
}

raft::Message DecodeFromWire(std::string_view bytes) {
  eraftpb::Message message;
  TKV_CHECK(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return raft::FromWire(message);
}

RaftProcess::RaftProcess(sim::Machine& machine, const Setup& setup, RaftDisk& disk,
                         RaftObserver& observer)
    : machine_(machine),
      setup_(setup),
      disk_(disk),
      observer_(observer),
      executor_(machine.NewExecutor()),
      member_(setup.options, disk) {
  machine_.transport().SetReceiver([this](StoreId, std::string message) {
    // By way of the actor: what arrives while it is busy waits.
    executor_.Post([this, message = std::move(message)] { OnMessage(message); });
  });
  observer_.OnStart(*this);
  ScheduleTick();
  executor_.Post([this] { Input([](raft::RaftCore&) {}); });
}

RaftProcess::~RaftProcess() { observer_.OnEnd(id()); }

void RaftProcess::ScheduleTick() {
  executor_.PostAfter(kRaftTick, [this] {
    Input([](raft::RaftCore& core) { core.Tick(); });
    ScheduleTick();
  });
}

void RaftProcess::OnMessage(const std::string& bytes) {
  const raft::Message message = DecodeFromWire(bytes);
  Input([&](raft::RaftCore& core) { core.Step(message); });
}

void RaftProcess::Propose(std::string data) {
  executor_.Post([this, data = std::move(data)] {
    Input([&](raft::RaftCore& core) {
      core.Propose(raft::EntryType::kNormal, {raft::Payload(data)}).IgnoreError();
    });
  });
}

void RaftProcess::Read(uint64_t request) {
  executor_.Post([this, request] {
    Input([&](raft::RaftCore& core) { core.ReadIndex(request).IgnoreError(); });
  });
}

void RaftProcess::Input(absl::FunctionRef<void(raft::RaftCore&)> input) {
  member_.core().SetTime(machine_.clock().Now());
  input(member_.core());
  observer_.OnEvent(*this);
  StartWrite();
}

void RaftProcess::StartWrite() {
  if (member_.ready_is_out() || !member_.core().HasReady()) return;
  Send(member_.TakeReady());
  observer_.OnReady(*this);
  const auto delay = static_cast<uint64_t>(setup_.write_delay_max.count());
  const auto drawn = static_cast<int64_t>(delay == 0 ? 0 : machine_.random().Uniform(delay));
  // Both are points where a crash may come: before it is on disk, and after, with nothing said.
  executor_.PostAfter(Duration(drawn), [this] {
    member_.Write(disk_);
    executor_.PostAfter(Duration(1), [this] { FinishWrite(); });
  });
}

void RaftProcess::FinishWrite() {
  member_.core().SetTime(machine_.clock().Now());
  Send(member_.FinishReady());
  observer_.OnEvent(*this);
  observer_.OnReads(id(), member_.TakeReads());
  MaybeCompact();
  StartWrite();
}

void RaftProcess::Send(const std::vector<raft::Message>& messages) {
  for (const raft::Message& message : messages) {
    observer_.OnSend(message, disk_);
    machine_.transport().Send(message.to, EncodeOnWire(message)).IgnoreError();
  }
}

void RaftProcess::MaybeCompact() {
  if (setup_.compact_every == 0 || member_.ready_is_out()) return;
  const raft::Index applied = member_.applied().index;
  if (applied < disk_.boundary.index + setup_.compact_every) return;
  member_.Checkpoint(disk_, applied);
  observer_.OnEvent(*this);
}

}  // namespace tinykv::grading
