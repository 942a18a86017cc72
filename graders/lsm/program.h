// Program: what a test does to a database, as a value that can be drawn, shrunk, printed and run.
//
// Every command makes sense in every state (one that moves a cursor that is not there does
// nothing), so that whatever shrinking leaves of a program is a program.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lsm/format/internal_key.h"
#include "lsm/options.h"
#include "lsm/write_batch.h"

namespace tinykv::lsm::grading {

inline constexpr ColumnFamilyId kColumnFamilies = 3;
inline constexpr int kKeys = 120;
inline constexpr int kSlots = 3;  // of snapshots, and of cursors
inline constexpr int kIngestedFilesMax = 3;

// The keys of programs, by number: the awkward ones first, because shrinking makes numbers small.
const std::string& KeyOf(int number);

// The keys from `begin` on that come before `end`. Keys with neighbouring numbers are not always
// neighbours, so the range may be empty.
struct KeySpan {
  int begin = 0;
  std::optional<int> end = {};  // none: to the end of the key space
};

struct Modification {
  ColumnFamilyId column_family = 0;
  int key = 0;
  std::optional<int> value_bytes = 0;   // none: delete the key
  std::optional<KeySpan> deleted = {};  // instead: delete a range
};

// Adds it to `batch`, with `value` if it is a put.
void AddTo(const Modification& modification, std::string_view value, WriteBatch* batch);

struct Write {
  std::vector<Modification> modifications = {};
  bool sync = false;
  bool no_wait = false;
};
struct Get {
  ColumnFamilyId column_family = 0;
  int key = 0;
  std::optional<int> snapshot = {};
};
// Opens a cursor in a slot, on the newest state or a snapshot, with bounds that are keys.
struct OpenCursor {
  int slot = 0;
  ColumnFamilyId column_family = 0;
  std::optional<int> snapshot = {};
  std::optional<int> lower_bound = {};
  std::optional<int> upper_bound = {};
};
struct MoveCursor {
  enum class Move { kNext, kPrev, kSeek, kSeekForPrev, kSeekToFirst, kSeekToLast };
  int slot = 0;
  Move move = Move::kNext;
  int key = 0;    // of the seeks
  int times = 1;  // of kNext and kPrev
};
struct TakeSnapshot {
  int slot = 0;
};
struct DropSnapshot {
  int slot = 0;
};
// A file of puts of neighbouring keys, or of fewer where their numbers end.
struct IngestedFile {
  ColumnFamilyId column_family = 0;
  int first_key = 0;
  int keys = 1;
  int value_bytes = 0;
};
struct ClearedSpan {
  ColumnFamilyId column_family = 0;
  KeySpan keys = {};
};
struct Ingest {
  std::vector<ClearedSpan> cleared = {};
  std::vector<IngestedFile> files = {};
  std::vector<Modification> modifications = {};
};
struct Flush {};
struct CompactAll {
  ColumnFamilyId column_family = 0;
};
struct SyncLog {};
// Makes a checkpoint, in a folder of its own. What is in it is looked at in the end.
struct MakeCheckpoint {};
// Asks for the size and the middle of a range, and for the sizes of its parts on both sides of a
// key.
struct Measure {
  ColumnFamilyId column_family = 0;
  std::optional<int> lower_bound = {};
  std::optional<int> upper_bound = {};
  int key = 0;
};
// Runs up to that many tasks of the background.
struct RunBackground {
  int tasks = 1;
};
// Closes the database and opens it again.
struct Reopen {};
// The process dies, or the machine, at the given change of a file from now; 0: at once. If
// recovery_changes is not 0, the restart dies at that change as well.
struct Crash {
  bool power_loss = false;
  uint64_t after_changes = 0;
  uint64_t recovery_changes = 0;
  uint64_t seed = 0;
};
// From now on something is wrong with the disk, until the next crash or the first restart that
// fails for it.
struct Fault {
  enum class Kind { kFailedChange, kFailedRead, kFullDisk };
  Kind kind = Kind::kFailedChange;
  uint64_t at = 1;  // the change or read that fails, or the bytes that still fit
  bool sticky = false;
};

struct Command {
  std::variant<Write, Get, OpenCursor, MoveCursor, TakeSnapshot, DropSnapshot, Ingest, Flush,
               CompactAll, SyncLog, MakeCheckpoint, Measure, RunBackground, Reopen, Crash, Fault>
      action;
};

// The part of the engine's options that programs vary; small, so that little data goes a long way.
struct Setup {
  uint64_t memtable_bytes = 2 << 10;
  int immutable_memtables_max = 2;
  uint32_t block_bytes = 256;
  uint64_t table_bytes = 2 << 10;
  int bloom_bits_per_key = 10;
  int zstd_level = 1;
  uint64_t block_cache_bytes = 8 << 10;
  int l0_compact_tables = 2;
  int levels = 4;
  int level_multiplier = 2;
  uint64_t manifest_bytes_max = 1 << 10;
  uint64_t seed = 0;  // of the order of background tasks
};

struct Program {
  Setup setup = {};
  std::vector<Command> commands = {};
};

// Everything but the doors to the world.
Options OptionsOf(const Setup& setup);

std::ostream& operator<<(std::ostream& out, const Command& command);
std::ostream& operator<<(std::ostream& out, const Setup& setup);
std::ostream& operator<<(std::ostream& out, const Program& program);

}  // namespace tinykv::lsm::grading
