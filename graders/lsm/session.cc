#include "graders/lsm/session.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "common/status.h"

namespace tinykv::lsm::grading {
namespace {

const std::string kDirectory = "db";

// No two writes of a session write the same value, so that an old one is seen to be old.
std::string ValueOf(uint64_t write, size_t index, int bytes) {
  std::string value = Concat('v', write, '.', index, ' ');
  value.resize(std::max(value.size(), static_cast<size_t>(bytes)), '.');
  return value;
}

std::string Show(const std::optional<std::string>& value) {
  return value ? Quote(*value, 16) : "nothing";
}

bool IsAboutTheDisk(const Command& command) {
  return std::holds_alternative<Crash>(command.action) ||
         std::holds_alternative<Fault>(command.action);
}

}  // namespace

Session::Session(const Setup& setup) : setup_(setup), background_(clock_, Random(setup.seed)) {}

Session::~Session() {
  ReleaseReaders();
  db_.reset();
}

std::string Session::Run(const std::vector<Command>& commands) {
  // An engine that waits for ever cannot be unwound; what is left to do is to say how it came.
  background_.SetStuckHook([this, &commands] {
    std::cerr << "the engine waits for background work, but there is none\n"
              << Program{setup_, commands};
    std::abort();
  });
  size_t i = 0;
  for (; i < commands.size() && IsAboutTheDisk(commands[i]); ++i) Run(commands[i]);
  Recover(Loss::kProcess);
  AfterCommand(i);
  for (; i < commands.size() && failure_.empty(); ++i) {
    Run(commands[i]);
    AfterCommand(i);
  }
  if (failure_.empty()) Finish();
  if (failure_.empty()) return "";
  std::string text = failure_ + "\nthe last operations on files:\n";
  for (const std::string& operation : disk_.recent_operations()) text += "  " + operation + "\n";
  return text;
}

void Session::Run(const Command& command) {
  std::visit([this](const auto& action) { Do(action); }, command.action);
}

void Session::AfterCommand(size_t number) {
  if (disk_.halted() && failure_.empty()) CrashNow(Crash(*crash_));
  if (failure_.empty()) CheckStatistics();
  if (!failure_.empty()) Fail(Concat("command ", number));
}

void Session::Do(const Write& write) {
  ++writes_;
  WriteBatch batch;
  ModelBatch records;
  for (const Modification& modification : write.modifications) {
    const std::string& key = KeyOf(modification.key);
    std::optional<std::string> value;
    if (modification.value_bytes) {
      value = ValueOf(writes_, records.size(), *modification.value_bytes);
      batch.Put(modification.column_family, key, *value);
    } else {
      batch.Delete(modification.column_family, key);
    }
    records.push_back({modification.column_family, key, value});
  }
  const absl::Status status = db_->Write({.sync = write.sync, .no_wait = write.no_wait}, batch);
  if (write.no_wait && absl::IsUnavailable(status)) return;
  if (!WriteSucceeded("Write()", status)) {
    model_.AddDoubtful(std::move(records));
    return;
  }
  model_.Add(std::move(records));
  if (write.sync) model_.MarkDurable();
}

void Session::Do(const Get& get) {
  const State* state = StateSeenBy(get.snapshot);
  if (state == nullptr) return;
  const std::string& key = KeyOf(get.key);
  const ReadOptions options = {
      .snapshot = get.snapshot ? snapshots_.at(*get.snapshot).snapshot.get() : nullptr};
  const auto found = db_->Get(options, get.column_family, key);
  if (!Succeeded("Get()", found.status())) return;
  const ColumnFamilyState& expected = state->at(get.column_family);
  const auto it = expected.find(key);
  const auto wanted = it == expected.end() ? std::nullopt : std::optional(it->second);
  if (*found != wanted) Fail(Concat("expected ", Show(wanted), ", found ", Show(*found)));
}

void Session::Do(const OpenCursor& open) {
  const State* state = StateSeenBy(open.snapshot);
  if (state == nullptr) return;
  ReadOptions options;
  if (open.snapshot) options.snapshot = snapshots_.at(*open.snapshot).snapshot.get();
  if (open.lower_bound) options.lower_bound = KeyOf(*open.lower_bound);
  if (open.upper_bound) options.upper_bound = KeyOf(*open.upper_bound);

  Cursor& cursor = cursors_[open.slot];
  cursor.iterator = db_->NewIterator(options, open.column_family);
  cursor.snapshot = open.snapshot;
  cursor.view.clear();
  for (const auto& [key, value] : state->at(open.column_family)) {
    const bool below = options.lower_bound && key < *options.lower_bound;
    const bool above = options.upper_bound && key >= *options.upper_bound;
    if (!below && !above) cursor.view.emplace(key, value);
  }
  cursor.at = cursor.view.end();
  CheckCursor(cursor);
}

void Session::Do(const MoveCursor& move) {
  const auto it = cursors_.find(move.slot);
  if (it == cursors_.end()) return;
  Cursor& cursor = it->second;
  const bool steps = move.move == MoveCursor::Move::kNext || move.move == MoveCursor::Move::kPrev;
  for (int i = 0; i < (steps ? move.times : 1) && failure_.empty(); ++i) {
    if (steps && cursor.at == cursor.view.end()) return;  // it must be valid
    Move(cursor, move);
    if (!Succeeded("Iterator::status()", cursor.iterator->status())) {
      cursors_.erase(it);
      return;
    }
    CheckCursor(cursor);
  }
}

void Session::Move(Cursor& cursor, const MoveCursor& move) {
  const ColumnFamilyState& view = cursor.view;
  const std::string& key = KeyOf(move.key);
  switch (move.move) {
    case MoveCursor::Move::kNext:
      cursor.iterator->Next();
      ++cursor.at;
      return;
    case MoveCursor::Move::kPrev:
      cursor.iterator->Prev();
      cursor.at = cursor.at == view.begin() ? view.end() : std::prev(cursor.at);
      return;
    case MoveCursor::Move::kSeek:
      cursor.iterator->Seek(key);
      cursor.at = view.lower_bound(key);
      return;
    case MoveCursor::Move::kSeekForPrev:
      cursor.iterator->SeekForPrev(key);
      cursor.at = view.upper_bound(key);
      cursor.at = cursor.at == view.begin() ? view.end() : std::prev(cursor.at);
      return;
    case MoveCursor::Move::kSeekToFirst:
      cursor.iterator->SeekToFirst();
      cursor.at = view.begin();
      return;
    case MoveCursor::Move::kSeekToLast:
      cursor.iterator->SeekToLast();
      cursor.at = view.empty() ? view.end() : std::prev(view.end());
      return;
  }
}

void Session::Do(const TakeSnapshot& take) {
  Do(DropSnapshot{take.slot});
  snapshots_[take.slot] = {db_->NewSnapshot(), model_.now()};
}

void Session::Do(const DropSnapshot& drop) {
  // A snapshot must outlive the iterators that use it.
  std::erase_if(cursors_, [&](const auto& item) { return item.second.snapshot == drop.slot; });
  snapshots_.erase(drop.slot);
}

void Session::Do(const Flush&) {
  if (!WriteSucceeded("Flush()", db_->Flush())) return;
  if (const uint64_t count = db_->GetStatistics().immutable_memtables; count > 0) {
    Fail(Concat(count, " immutable memtables are left after Flush()"));
  }
}

void Session::Do(const CompactAll& compact) {
  if (!WriteSucceeded("CompactAll()", db_->CompactAll(compact.column_family))) return;
  const Statistics statistics = db_->GetStatistics();
  int levels = 0;
  for (const LevelStatistics& level : statistics.levels[compact.column_family]) {
    levels += level.tables > 0;
  }
  if (levels > 1) Fail(Concat(levels, " levels hold tables after CompactAll()"));
}

void Session::Do(const SyncLog&) {
  if (WriteSucceeded("SyncLog()", db_->SyncLog())) model_.MarkDurable();
}

void Session::Do(const RunBackground& run) {
  for (int i = 0; i < run.tasks && background_.ready_count() > 0; ++i) background_.RunOne();
}

void Session::Do(const Reopen&) {
  ReleaseReaders();
  const bool closed = Succeeded("Close()", db_->Close());
  db_.reset();
  if (closed) model_.MarkDurable();
  if (disk_.halted()) return;
  Recover(Loss::kProcess);
}

void Session::Do(const Crash& crash) {
  crash_ = crash;
  disk_was_bad_ = fault_.has_value();
  fault_.reset();
  disk_.SetFaults({.halt_at_change = crash.after_changes});
  if (crash.after_changes == 0) disk_.Halt();
}

void Session::Do(const Fault& fault) {
  crash_.reset();
  disk_was_bad_ = fault_.has_value();
  fault_ = fault;
  sim::FaultPlan plan;
  const sim::FaultPlan::Failure failure = {.at = fault.at, .sticky = fault.sticky};
  switch (fault.kind) {
    case Fault::Kind::kFailedChange:
      plan.failed_change = failure;
      break;
    case Fault::Kind::kFailedRead:
      plan.failed_read = failure;
      break;
    case Fault::Kind::kFullDisk:
      plan.capacity_bytes = disk_.used_bytes() + fault.at;
      break;
  }
  disk_.SetFaults(plan);
}

absl::Status Session::Open() {
  Options options = OptionsOf(setup_);
  options.file_system = &disk_;
  options.background = &background_;
  TKV_ASSIGN_OR_RETURN(db_, DB::Open(options, kDirectory));
  return absl::OkStatus();
}

void Session::Recover(Loss loss) {
  ++starts_;
  poison_ = absl::OkStatus();
  disk_was_bad_ = false;
  absl::Status status = Open();
  if (disk_.halted()) return;  // the crash goes on
  if (!status.ok() && IsExplained(status)) {
    // With a good disk it must open, and nothing may be lost.
    disk_.KillProcess();
    RepairDisk();
    status = Open();
  }
  if (!Succeeded("Open()", status)) return;
  auto found = ReadForward();
  if (!found.ok() && IsExplained(found.status())) {
    RepairDisk();
    found = ReadForward();
  }
  if (!Succeeded("a scan after Open()", found.status())) return;
  if (auto wrong = model_.Recover(*found, loss)) Fail(Concat("after a restart: ", *wrong));
}

void Session::RepairDisk() {
  fault_.reset();
  disk_.SetFaults({});
}

void Session::CrashNow(const Crash& crash) {
  crash_.reset();
  Random random(crash.seed);
  const Loss loss = crash.power_loss ? Loss::kPower : Loss::kProcess;
  uint64_t halt_at_change = crash.recovery_changes;
  do {
    disk_.Halt();
    ReleaseReaders();
    db_.reset();
    background_.Clear();
    if (crash.power_loss) {
      disk_.Crash(random);
    } else {
      disk_.KillProcess();
    }
    disk_.SetFaults({.halt_at_change = std::exchange(halt_at_change, 0)});
    Recover(loss);
    restart_was_cut_short_ |= disk_.halted();
  } while (disk_.halted());
  disk_.SetFaults({});
}

void Session::Finish() {
  changes_ = disk_.changes();
  if (crash_) CrashNow(Crash(*crash_));
  if (failure_.empty()) CheckEverything();
  if (!failure_.empty()) return;
  statistics_ = db_->GetStatistics();
  if (fault_) Do(Reopen());
  RepairDisk();
  if (failure_.empty()) Do(Reopen());
  if (failure_.empty()) CheckEverything();
  if (failure_.empty()) CheckNoFileIsLeft();
}

void Session::ReleaseReaders() {
  cursors_.clear();
  snapshots_.clear();
}

bool Session::Succeeded(std::string_view call, const absl::Status& status) {
  if (!status.ok() && !IsExplained(status)) Fail(Concat(call, ": ", status.ToString()));
  return status.ok();
}

bool Session::WriteSucceeded(std::string_view call, const absl::Status& status) {
  if (!poison_.ok() && status != poison_) {
    Fail(Concat(call, " returned ", status.ToString(), " after a call had failed with ",
                poison_.ToString()));
  }
  if (poison_.ok()) poison_ = status;
  return Succeeded(call, status);
}

bool Session::IsExplained(const absl::Status& status) const {
  if (disk_.halted() || disk_was_bad_) return true;
  if (!poison_.ok() && status == poison_) return true;
  if (!fault_) return false;
  switch (fault_->kind) {
    case Fault::Kind::kFailedChange:
      return disk_.changes() >= fault_->at;
    case Fault::Kind::kFailedRead:
      return disk_.reads() >= fault_->at;
    case Fault::Kind::kFullDisk:
      return absl::IsResourceExhausted(status);
  }
  return false;
}

const State* Session::StateSeenBy(std::optional<int> snapshot) const {
  if (!snapshot) return &model_.now();
  const auto it = snapshots_.find(*snapshot);
  return it == snapshots_.end() ? nullptr : &it->second.state;
}

void Session::Fail(std::string what) {
  if (failure_.empty()) {
    failure_ = std::move(what);
  } else {
    failure_ += Concat(" (", what, ")");
  }
}

std::string RunProgram(const Program& program) {
  return Session(program.setup).Run(program.commands);
}

}  // namespace tinykv::lsm::grading
