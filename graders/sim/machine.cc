#include "graders/sim/machine.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "common/status.h"

namespace tinykv::sim {

Machine::Port::Port(Machine& machine)
    : machine_(machine),
      transfers_({.id = machine.id_,
                  .clock = machine.clock_,
                  .network = machine.parts_.network,
                  .new_executor = [&machine]() -> Executor& { return machine.NewExecutor(); }}) {}

absl::Status Machine::Port::Send(StoreId to, std::string message) {
  if (to == 0 || to > machine_.parts_.network.node_count()) {
    return NotFound("there is no machine ", to);
  }
  TKV_CHECK(!IsTransferFrame(message));
  // What a process sends while it ends does not leave any more.
  if (machine_.state_ != State::kUp) return absl::OkStatus();
  if (!machine_.parts_.network.Send(machine_.id_, to, std::move(message))) {
    return ResourceExhausted("the queue to machine ", to, " is full");
  }
  return absl::OkStatus();
}

void Machine::Port::Transfer(StoreId to, std::unique_ptr<ChunkSource> source, TransferDone done) {
  if (machine_.state_ == State::kUp) transfers_.Begin(to, std::move(source), std::move(done));
}

void Machine::Port::SetReceiver(Receiver receiver) {
  if (machine_.state_ != State::kUp) return;
  TKV_CHECK(!receiver_ && "SetReceiver() is called once");
  receiver_ = std::move(receiver);
}

void Machine::Port::SetAcceptor(Acceptor acceptor) {
  if (machine_.state_ == State::kUp) transfers_.SetAcceptor(std::move(acceptor));
}

const char* Machine::Port::Refusal(std::string_view message) const {
  if (machine_.state_ != State::kUp) return "the machine is down";
  return receiver_ || IsTransferFrame(message) ? nullptr : "nobody receives yet";
}

void Machine::Port::Deliver(NodeId from, std::string message) {
  if (IsTransferFrame(message)) {
    transfers_.Deliver(from, message);
  } else {
    receiver_(from, std::move(message));
  }
}

void Machine::Port::EndProcess() {
  receiver_ = nullptr;
  transfers_.EndProcess();
}

Machine::Machine(NodeId id, const MachineOptions& options, StartFunction start, const Parts& parts,
                 Random random)
    : id_(id),
      parts_(parts),
      start_(std::move(start)),
      clock_(parts.timeline, {.rate_ppm = options.clock_rate_ppm, .offset = options.clock_offset}),
      random_(random),
      port_(*this),
      inbox_(parts.timeline, clock_, id) {
  parts.network.AddNode(inbox_, port_);
}

Machine::~Machine() {
  if (state_ == State::kUp) End();
}

Executor& Machine::NewExecutor() {
  lanes_.push_back(std::make_unique<Lane>(parts_.timeline, clock_, id_));
  Lane& lane = *lanes_.back();
  if (state_ != State::kUp) lane.Close();
  if (paused_) lane.Pause();
  return lane;
}

void Machine::DropTasks(Executor& executor) { static_cast<Lane&>(executor).DropTasks(); }

SimFileSystem& Machine::disk() {
  if (disk_ == nullptr) {
    disk_ = std::make_unique<SimFileSystem>();
    disk_->SetDelayHook([this](Duration delay) {
      // Others who look at the disk, as checkers do, take no time.
      const Lane* running = parts_.timeline.running();
      if (running != nullptr && running->owner() == id_) parts_.timeline.Charge(delay);
    });
    if (state_ == State::kEnding) disk_->Halt();
  }
  return *disk_;
}

void Machine::Start() {
  TKV_CHECK(state_ == State::kDown);
  state_ = State::kUp;
  parts_.timeline.RunAs(inbox_, [this] { process_ = start_(*this); });
  TKV_CHECK(process_ != nullptr);
  // What the start was charged (a recovery reads) keeps the machine's tasks waiting too.
  for (const auto& lane : lanes_) lane->BeBusyUntil(inbox_.busy_until());
}

void Machine::End() {
  TKV_CHECK(state_ == State::kUp);
  TKV_CHECK(!running() && "no machine ends inside of a task of its own");
  if (paused_) Resume();
  state_ = State::kEnding;
  if (disk_ != nullptr) disk_->Halt();
  for (const auto& lane : lanes_) lane->Detach();
  parts_.timeline.RunApart([this] {
    port_.EndProcess();
    process_ = nullptr;
    // By index: what tasks hold may ask for another executor.
    for (size_t i = 0; i < lanes_.size(); ++i) lanes_[i]->Close();
  });
  inbox_.ForgetBusy();
  state_ = State::kDown;
}

void Machine::Crash(CrashKind kind, Random& random) {
  End();
  if (disk_ == nullptr) return;
  if (kind == CrashKind::kPower) {
    disk_->Crash(random);
  } else {
    disk_->KillProcess();
  }
}

void Machine::Pause() {
  TKV_CHECK(state_ == State::kUp);
  TKV_CHECK(!paused_);
  paused_ = true;
  inbox_.Pause();
  for (const auto& lane : lanes_) lane->Pause();
}

void Machine::Resume() {
  TKV_CHECK(paused_);
  paused_ = false;
  inbox_.Resume();
  for (const auto& lane : lanes_) lane->Resume();
}

bool Machine::running() const {
  return inbox_.running() || std::any_of(lanes_.begin(), lanes_.end(),
                                         [](const auto& lane) { return lane->running(); });
}

}  // namespace tinykv::sim
