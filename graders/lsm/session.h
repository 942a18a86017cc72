// Session: runs a program on an engine with a simulated disk, and on the model beside it, and
// compares all that can be seen of the two.
//
// Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graders/lsm/model.h"
#include "graders/lsm/program.h"
#include "graders/sim/sim_clock.h"
#include "graders/sim/sim_executor.h"
#include "graders/sim/sim_file_system.h"
#include "lsm/db.h"

namespace tinykv::lsm::grading {

inline const std::string kDirectory = "db";

class Session {
 public:
  explicit Session(const Setup& setup);
  ~Session();

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Runs the commands on a fresh database, then lets an announced crash happen, restarts once more
  // and compares everything. Crashes and faults at the start of a program are announced before the
  // database is created. Returns what went wrong, in words, or "" if nothing did. A session runs
  // one program.
  std::string Run(const std::vector<Command>& commands);

  // Changes of files that the commands made, without the restart at the end; since the last crash
  // or fault, if there was one.
  uint64_t changes() const { return changes_; }
  // Did Crash::recovery_changes come true: was a restart cut short?
  bool restart_was_cut_short() const { return restart_was_cut_short_; }
  uint64_t trace_hash() const { return disk_.trace_hash(); }
  // Of the database as it was before the restart at the end.
  const Statistics& statistics() const { return statistics_; }

 private:
  struct HeldSnapshot {
    std::unique_ptr<const Snapshot> snapshot;
    State state;
  };
  // An iterator of the engine, and where it must stand: on `at`, or nowhere.
  struct Cursor {
    std::unique_ptr<Iterator> iterator;
    std::optional<int> snapshot;
    ColumnFamilyState view;  // what is within its bounds
    ColumnFamilyState::const_iterator at;
  };

  // A folder that Checkpoint() was asked to make, and what must be in it if it is there.
  struct Checkpoint {
    std::string directory;
    State state;
    bool acknowledged = false;
  };

  void Run(const Command& command);
  void AfterCommand(size_t number);
  void Do(const Write& write);
  void Do(const Get& get);
  void Do(const OpenCursor& open);
  void Do(const MoveCursor& move);
  void Do(const TakeSnapshot& take);
  void Do(const DropSnapshot& drop);
  void Do(const Ingest& ingest);
  void Do(const Flush& flush);
  void Do(const CompactAll& compact);
  void Do(const SyncLog& sync);
  void Do(const MakeCheckpoint& make);
  void Do(const Measure& measure);
  void Do(const RunBackground& run);
  void Do(const Reopen& reopen);
  void Do(const Crash& crash);
  void Do(const Fault& fault);

  // Adds them to the engine's batch and to the model's.
  void Modify(const std::vector<Modification>& modifications, WriteBatch* batch,
              ModelBatch* records);
  // The options of a database on this session's disk.
  Options DiskOptions();
  // Makes the files of an ingestion; adds what they hold to `records`.
  absl::StatusOr<std::vector<Ingestion::File>> MakeFiles(const std::vector<IngestedFile>& files,
                                                         ModelBatch* records);
  absl::Status Open();
  // Opens after a crash, and asks the model whether what is found is allowed.
  void Recover(Loss loss);
  void RepairDisk();
  void CrashNow(const Crash& crash);
  // Where the end is part of a program: whatever is announced happens.
  void Finish();
  void ReleaseReaders();
  void Move(Cursor& cursor, const MoveCursor& move);

  void CheckEverything();
  void CheckCursor(const Cursor& cursor);
  void CheckStatistics();
  // Compares the size of a whole column family with what statistics say.
  void CheckWholeSize(ColumnFamilyId column_family, uint64_t size);
  void CheckNoFileIsLeft();
  void CheckCheckpoints();
  // Compares what is in the database in `directory`, which nobody has open.
  void CheckContent(const std::string& directory, const State& expected);
  absl::StatusOr<State> ReadForward() { return ReadForward(*db_); }
  absl::StatusOr<State> ReadForward(DB& db);
  absl::StatusOr<State> ReadBackward();

  // What is asked after each call of the engine. Notes a failure if `status` is an error that
  // nothing explains. Returns whether the call succeeded.
  bool Succeeded(std::string_view call, const absl::Status& status);
  // The same for calls that write: after an error, each of them must return the same error.
  bool WriteSucceeded(std::string_view call, const absl::Status& status);
  bool IsExplained(const absl::Status& status) const;
  // The model's state that readers with this snapshot see; null if there is no such snapshot.
  const State* StateSeenBy(std::optional<int> snapshot) const;
  // Keeps the first failure.
  void Fail(std::string what);

  const Setup setup_;
  sim::SimFileSystem disk_;
  sim::SimClock clock_;
  sim::SimExecutor background_;
  std::unique_ptr<DB> db_;
  Model model_{kColumnFamilies};
  std::map<int, HeldSnapshot> snapshots_;
  std::map<int, Cursor> cursors_;
  std::vector<Checkpoint> checkpoints_;
  std::optional<Crash> crash_;  // announced
  std::optional<Fault> fault_;
  // Since the start of the process there was another fault than fault_, so the engine may have met
  // an error that it will still return.
  bool disk_was_bad_ = false;
  absl::Status poison_;  // the engine's first error, which writes must go on to return
  uint64_t writes_ = 0;  // makes every value distinct
  int starts_ = 0;
  bool restart_was_cut_short_ = false;
  uint64_t changes_ = 0;
  Statistics statistics_;
  std::string failure_;
};

// Runs `program` in a session of its own.
std::string RunProgram(const Program& program);

}  // namespace tinykv::lsm::grading
