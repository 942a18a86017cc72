#include "graders/lsm/session.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "common/status.h"
#include "lsm/table_writer.h"

namespace tinykv::lsm::grading {
namespace {

const std::string kIncoming = "incoming";

// No two writes of a session write the same value, so that an old one is seen to be old.
std::string ValueOf(uint64_t write, size_t index, int bytes) {
  std::string value = Concat('v', write, '.', index, ' ');
  value.resize(std::max(value.size(), static_cast<size_t>(bytes)), '.');
  return value;
}

std::string Show(const std::optional<std::string>& value) {
  return value ? Quote(*value, 16) : "nothing";
}

ModelRecord RecordOf(ColumnFamilyId column_family, const KeySpan& deleted) {
  ModelRecord record = {.column_family = column_family, .key = KeyOf(deleted.begin), .range = true};
  if (deleted.end) record.end = KeyOf(*deleted.end);
  return record;
}

ModelRecord RecordOf(const Modification& modification, const std::string& value) {
  if (modification.deleted) return RecordOf(modification.column_family, *modification.deleted);
  ModelRecord record = {.column_family = modification.column_family,
                        .key = KeyOf(modification.key)};
  if (modification.value_bytes) record.value = value;
  return record;
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
  Modify(write.modifications, &batch, &records);
  const absl::Status status = db_->Write({.sync = write.sync, .no_wait = write.no_wait}, batch);
  if (write.no_wait && absl::IsUnavailable(status)) return;
  if (!WriteSucceeded("Write()", status)) {
    model_.AddDoubtful(std::move(records));
    return;
  }
  model_.Add(std::move(records));
  if (write.sync) model_.MarkDurable();
}

void Session::Modify(const std::vector<Modification>& modifications, WriteBatch* batch,
                     ModelBatch* records) {
  for (const Modification& modification : modifications) {
    const std::string value =
        ValueOf(writes_, records->size(), modification.value_bytes.value_or(0));
    AddTo(modification, value, batch);
    records->push_back(RecordOf(modification, value));
  }
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

void Session::Do(const Ingest& ingest) {
  ++writes_;
  Ingestion ingestion;
  ModelBatch records;
  for (const ClearedSpan& span : ingest.cleared) {
    ModelRecord record = RecordOf(span.column_family, span.keys);
    ingestion.cleared.push_back({record.column_family, record.key, record.end});
    records.push_back(std::move(record));
  }
  auto files = MakeFiles(ingest.files, &records);
  if (!Succeeded("making a table", files.status())) return;
  ingestion.files = *files;
  Modify(ingest.modifications, &ingestion.batch, &records);

  const absl::Status status = db_->Ingest(std::move(ingestion));
  // The files are still ours, whatever became of the ingestion.
  for (const Ingestion::File& file : *files) {
    const absl::Status removed = disk_.Remove(file.path);
    if (!removed.ok() && !IsExplained(removed)) Fail(Concat(file.path, ": ", removed.ToString()));
  }
  if (status.ok()) {
    WriteSucceeded("Ingest()", status);
    model_.Add(std::move(records));
    model_.MarkDurable();
    return;
  }
  if (!Succeeded("Ingest()", status)) {
    // A write of nothing tells whether the engine goes on. If so, the ingestion has left no trace.
    if (WriteSucceeded("Write()", db_->Write({.sync = false}, {}))) return;
    model_.AddDoubtful(std::move(records));
  }
}

absl::StatusOr<std::vector<Ingestion::File>> Session::MakeFiles(
    const std::vector<IngestedFile>& files, ModelBatch* records) {
  std::vector<Ingestion::File> made;
  if (!files.empty()) TKV_RETURN_IF_ERROR(disk_.CreateDirectories(kIncoming));
  for (const IngestedFile& file : files) {
    made.push_back({file.column_family, Concat(kIncoming, "/", made.size())});
    TKV_ASSIGN_OR_RETURN(const auto writer, TableWriter::Create(DiskOptions(), made.back().path));
    ColumnFamilyState content;
    for (int key = file.first_key; key < std::min(file.first_key + file.keys, kKeys); ++key) {
      content[KeyOf(key)] = ValueOf(writes_, records->size() + content.size(), file.value_bytes);
    }
    for (const auto& [key, value] : content) {
      TKV_RETURN_IF_ERROR(writer->Add(key, value));
      records->push_back({.column_family = file.column_family, .key = key, .value = value});
    }
    TKV_RETURN_IF_ERROR(writer->Finish().status());
  }
  return made;
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
  // Deletions are no end in themselves.
  const bool all_is_deleted = snapshots_.empty() && model_.now()[compact.column_family].empty();
  if (levels > 0 && all_is_deleted) Fail("tables are left of a column family without keys");
}

void Session::Do(const SyncLog&) {
  if (WriteSucceeded("SyncLog()", db_->SyncLog())) model_.MarkDurable();
}

void Session::Do(const MakeCheckpoint&) {
  Checkpoint checkpoint = {Concat("checkpoint", checkpoints_.size()), model_.now()};
  const absl::Status status = db_->Checkpoint(checkpoint.directory);
  checkpoint.acknowledged = status.ok();
  checkpoints_.push_back(std::move(checkpoint));
  // An error may have hit the source's flush, which stops writes, or the checkpoint alone.
  if (poison_.ok() && db_->GetStatistics().write_error.ok()) {
    Succeeded("Checkpoint()", status);
  } else {
    WriteSucceeded("Checkpoint()", status);
  }
}

void Session::Do(const Measure& measure) {
  KeyRange range;
  if (measure.lower_bound) range.lower = KeyOf(*measure.lower_bound);
  if (measure.upper_bound) range.upper = KeyOf(*measure.upper_bound);
  const std::string& key = KeyOf(measure.key);
  const uint64_t reads = disk_.reads();
  const auto size_of = [&](const KeyRange& part) {
    const auto size = db_->ApproximateSize(measure.column_family, part);
    return Succeeded("ApproximateSize()", size.status()) ? *size : 0;
  };
  const uint64_t size = size_of(range);
  const bool inside = key >= range.lower.value_or("") && (!range.upper || key <= *range.upper);
  if (inside && size_of({range.lower, key}) + size_of({key, range.upper}) != size) {
    Fail(Concat("the sizes of two parts do not add up to ", size));
  }
  const auto middle = db_->MiddleKey(measure.column_family, range);
  if (!Succeeded("MiddleKey()", middle.status())) return;
  if (*middle &&
      (**middle <= range.lower.value_or("") || (range.upper && *middle >= *range.upper))) {
    Fail(Concat("the middle key ", Quote(**middle), " is not strictly inside the range"));
  }
  if (disk_.reads() != reads) Fail("sizes and middles must not need the disk");
  if (!range.lower && !range.upper) CheckWholeSize(measure.column_family, size);
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

Options Session::DiskOptions() {
  Options options = OptionsOf(setup_);
  options.file_system = &disk_;
  options.background = &background_;
  return options;
}

absl::Status Session::Open() {
  TKV_ASSIGN_OR_RETURN(db_, DB::Open(DiskOptions(), kDirectory));
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
  if (failure_.empty()) CheckCheckpoints();
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
