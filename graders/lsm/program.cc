#include "graders/lsm/program.h"

#include <array>
#include <ostream>
#include <string_view>

#include "common/check.h"
#include "common/strings.h"

namespace tinykv::lsm::grading {
namespace {

std::string ShowKey(std::optional<int> key) { return key ? Quote(KeyOf(*key)) : "none"; }

std::string ShowSnapshot(std::optional<int> slot) {
  return slot ? Concat(" in snapshot ", *slot) : "";
}

std::string Show(const KeySpan& range) {
  return Concat('[', Quote(KeyOf(range.begin)), ", ", ShowKey(range.end), ')');
}

std::string Show(const Modification& modification) {
  if (modification.deleted) {
    return Concat("delete ", modification.column_family, ':', Show(*modification.deleted));
  }
  const std::string place = Concat(modification.column_family, ':', ShowKey(modification.key));
  if (!modification.value_bytes) return Concat("delete ", place);
  return Concat("put ", place, " of ", *modification.value_bytes);
}

std::string Show(const Write& write) {
  std::string text = write.sync ? "write, sync" : "write";
  if (write.no_wait) text += ", no_wait";
  for (const Modification& modification : write.modifications) text += "; " + Show(modification);
  return text;
}

std::string Show(const Get& get) {
  return Concat("get ", get.column_family, ':', ShowKey(get.key), ShowSnapshot(get.snapshot));
}

std::string Show(const OpenCursor& open) {
  return Concat("cursor ", open.slot, ": open on ", open.column_family, ShowSnapshot(open.snapshot),
                ", from ", ShowKey(open.lower_bound), " to ", ShowKey(open.upper_bound));
}

std::string Show(const MoveCursor& move) {
  constexpr std::array<std::string_view, 6> kNames = {"Next",        "Prev",        "Seek",
                                                      "SeekForPrev", "SeekToFirst", "SeekToLast"};
  std::string text = Concat("cursor ", move.slot, ": ", kNames[static_cast<size_t>(move.move)]);
  switch (move.move) {
    case MoveCursor::Move::kNext:
    case MoveCursor::Move::kPrev:
      return Concat(text, " times ", move.times);
    case MoveCursor::Move::kSeek:
    case MoveCursor::Move::kSeekForPrev:
      return Concat(text, ' ', ShowKey(move.key));
    default:
      return text;
  }
}

std::string Show(const TakeSnapshot& take) { return Concat("take snapshot ", take.slot); }
std::string Show(const DropSnapshot& drop) { return Concat("drop snapshot ", drop.slot); }
std::string Show(const Ingest& ingest) {
  std::string text = "ingest";
  for (const ClearedSpan& span : ingest.cleared) {
    text += Concat("; clear ", span.column_family, ':', Show(span.keys));
  }
  for (const IngestedFile& file : ingest.files) {
    text += Concat("; file ", file.column_family, ": ", file.keys, " keys of ", file.value_bytes,
                   " from ", ShowKey(file.first_key));
  }
  for (const Modification& modification : ingest.modifications) text += "; " + Show(modification);
  return text;
}
std::string Show(const Flush&) { return "flush"; }
std::string Show(const CompactAll& compact) {
  return Concat("compact all of ", compact.column_family);
}
std::string Show(const SyncLog&) { return "sync the log"; }
std::string Show(const MakeCheckpoint&) { return "make a checkpoint"; }
std::string Show(const Measure& measure) {
  return Concat("measure ", measure.column_family, ", from ", ShowKey(measure.lower_bound), " to ",
                ShowKey(measure.upper_bound), ", parted at ", ShowKey(measure.key));
}
std::string Show(const RunBackground& run) { return Concat("run ", run.tasks, " tasks"); }
std::string Show(const Reopen&) { return "reopen"; }

std::string Show(const Crash& crash) {
  std::string text = crash.power_loss ? "power loss" : "kill";
  if (crash.after_changes > 0) text += Concat(" at change ", crash.after_changes, " from now");
  if (crash.recovery_changes > 0) {
    text += Concat(", again at change ", crash.recovery_changes, " of the restart");
  }
  return Concat(text, ", seed ", crash.seed);
}

std::string Show(const Fault& fault) {
  const std::string_view times = fault.sticky ? " and all later ones fail" : " fails";
  switch (fault.kind) {
    case Fault::Kind::kFailedChange:
      return Concat("change ", fault.at, " from now", times);
    case Fault::Kind::kFailedRead:
      return Concat("read ", fault.at, " from now", times);
    case Fault::Kind::kFullDisk:
      return Concat("the disk has room for ", fault.at, " bytes");
  }
  return "";
}

std::vector<std::string> MakeKeys() {
  using std::string_literals::operator""s;
  std::vector<std::string> keys = {"a"s,  ""s,     "\0"s,       "\0\0"s, "a\0"s,
                                   "aa"s, "\xff"s, "\xff\xff"s, "\x7f"s, "b"s};
  // Common prefixes, of which blocks make something, and lengths that differ.
  for (size_t i = keys.size(); i < kKeys; ++i) {
    keys.push_back(Concat("key/", 1000 + i, std::string(i % 7 * 3, 'x')));
  }
  return keys;
}

}  // namespace

const std::string& KeyOf(int number) {
  TKV_CHECK(0 <= number && number < kKeys);
  static const std::vector<std::string> keys = MakeKeys();
  return keys[static_cast<size_t>(number)];
}

void AddTo(const Modification& modification, std::string_view value, WriteBatch* batch) {
  const std::string& key = KeyOf(modification.key);
  if (const auto& range = modification.deleted) {
    const auto end =
        range->end ? std::optional<std::string_view>(KeyOf(*range->end)) : std::nullopt;
    batch->DeleteRange(modification.column_family, KeyOf(range->begin), end);
  } else if (modification.value_bytes) {
    batch->Put(modification.column_family, key, value);
  } else {
    batch->Delete(modification.column_family, key);
  }
}

Options OptionsOf(const Setup& setup) {
  Options options;
  options.column_families = {"default", "lock", "write"};
  options.memtable_bytes = setup.memtable_bytes;
  options.immutable_memtables_max = setup.immutable_memtables_max;
  options.block_bytes = setup.block_bytes;
  options.table_bytes = setup.table_bytes;
  options.bloom_bits_per_key = setup.bloom_bits_per_key;
  options.zstd_level = setup.zstd_level;
  options.block_cache_bytes = setup.block_cache_bytes;
  options.l0_compact_tables = setup.l0_compact_tables;
  options.l0_slowdown_tables = setup.l0_compact_tables + 2;
  options.l0_stop_tables = setup.l0_compact_tables + 4;
  options.level_bytes_base = 2 * setup.table_bytes;
  options.level_multiplier = setup.level_multiplier;
  options.levels = setup.levels;
  options.manifest_bytes_max = setup.manifest_bytes_max;
  return options;
}

std::ostream& operator<<(std::ostream& out, const Command& command) {
  return out << std::visit([](const auto& action) { return Show(action); }, command.action);
}

std::ostream& operator<<(std::ostream& out, const Setup& setup) {
  return out << "memtable " << setup.memtable_bytes << " bytes, at most "
             << setup.immutable_memtables_max << " wait; blocks of " << setup.block_bytes
             << " bytes, tables of " << setup.table_bytes << "; Bloom " << setup.bloom_bits_per_key
             << ", zstd " << setup.zstd_level << ", cache " << setup.block_cache_bytes
             << " bytes; L0 compacts at " << setup.l0_compact_tables << ", " << setup.levels
             << " levels, times " << setup.level_multiplier << "; manifest "
             << setup.manifest_bytes_max << " bytes; seed " << setup.seed;
}

std::ostream& operator<<(std::ostream& out, const Program& program) {
  out << program.setup << '\n';
  for (size_t i = 0; i < program.commands.size(); ++i) {
    out << "  " << i << ". " << program.commands[i] << '\n';
  }
  return out;
}

}  // namespace tinykv::lsm::grading
