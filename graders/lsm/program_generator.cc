#include "graders/lsm/program_generator.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tinykv::lsm::grading {
namespace {

namespace gen = rc::gen;

// Three times RapidCheck's usual length: it takes some writes until levels fill.
constexpr double kLengthFactor = 3;

rc::Gen<int> AnyKey() { return gen::inRange(0, kKeys); }
rc::Gen<int> AnySlot() { return gen::inRange(0, kSlots); }
rc::Gen<ColumnFamilyId> AnyColumnFamily() {
  // Most things happen in one, so that its levels fill.
  return gen::weightedElement<ColumnFamilyId>({{6, 0}, {2, 1}, {1, 2}});
}

// Often none.
rc::Gen<std::optional<int>> Maybe(std::size_t percent, rc::Gen<int> some) {
  return gen::weightedOneOf<std::optional<int>>(
      {{100 - percent, gen::just(std::optional<int>())},
       {percent, gen::map(std::move(some), [](int value) { return std::optional(value); })}});
}

template <typename T>
rc::Gen<std::optional<T>> Some(rc::Gen<T> some) {
  return gen::map(std::move(some), [](T value) { return std::optional(std::move(value)); });
}

template <typename T>
rc::Gen<Command> AsCommand(rc::Gen<T> action) {
  return gen::map(std::move(action), [](T value) { return Command{std::move(value)}; });
}

rc::Gen<bool> Percent(std::size_t percent) {
  return gen::weightedElement<bool>({{100 - percent, false}, {percent, true}});
}

// Mostly a few keys that are neighbours, so that something is left.
rc::Gen<KeySpan> AnyKeySpan() {
  return gen::weightedOneOf<KeySpan>(
      {{8, gen::apply(
               [](int begin, int keys) {
                 return KeySpan{begin, std::min(begin + keys, kKeys - 1)};
               },
               AnyKey(), gen::inRange(0, 12))},
       {2, gen::build<KeySpan>(gen::set(&KeySpan::begin, AnyKey()),
                               gen::set(&KeySpan::end, Maybe(70, AnyKey())))}});
}

rc::Gen<std::vector<Modification>> AnyModifications() {
  const auto value_bytes = gen::weightedOneOf<int>(
      {{10, gen::inRange(0, 150)}, {1, gen::inRange(0, 3000)}, {3, gen::just(0)}});
  const auto modification =
      gen::build<Modification>(gen::set(&Modification::column_family, AnyColumnFamily()),
                               gen::set(&Modification::key, AnyKey()),
                               gen::set(&Modification::value_bytes, Maybe(75, value_bytes)));
  const auto range_delete =
      gen::build<Modification>(gen::set(&Modification::column_family, AnyColumnFamily()),
                               gen::set(&Modification::deleted, Some(AnyKeySpan())));
  // An empty batch is one, too.
  return gen::resize(12, gen::container<std::vector<Modification>>(gen::weightedOneOf<Modification>(
                             {{20, modification}, {1, range_delete}})));
}

rc::Gen<Command> AnyWrite() {
  return AsCommand(gen::build<Write>(gen::set(&Write::modifications, AnyModifications()),
                                     gen::set(&Write::sync, Percent(30)),
                                     gen::set(&Write::no_wait, Percent(10))));
}

rc::Gen<Command> AnyIngest() {
  const auto cleared =
      gen::build<ClearedSpan>(gen::set(&ClearedSpan::column_family, AnyColumnFamily()),
                              gen::set(&ClearedSpan::keys, AnyKeySpan()));
  const auto file =
      gen::build<IngestedFile>(gen::set(&IngestedFile::column_family, AnyColumnFamily()),
                               gen::set(&IngestedFile::first_key, AnyKey()),
                               gen::set(&IngestedFile::keys, gen::inRange(1, 30)),
                               gen::set(&IngestedFile::value_bytes, gen::inRange(0, 100)));
  return AsCommand(gen::build<Ingest>(
      gen::set(&Ingest::cleared, gen::resize(3, gen::container<std::vector<ClearedSpan>>(cleared))),
      gen::set(&Ingest::files,
               gen::resize(kIngestedFilesMax, gen::container<std::vector<IngestedFile>>(file))),
      gen::set(&Ingest::modifications, AnyModifications())));
}

rc::Gen<Command> AnyGet() {
  return AsCommand(gen::build<Get>(gen::set(&Get::column_family, AnyColumnFamily()),
                                   gen::set(&Get::key, AnyKey()),
                                   gen::set(&Get::snapshot, Maybe(30, AnySlot()))));
}

rc::Gen<Command> AnyOpenCursor() {
  return AsCommand(gen::build<OpenCursor>(gen::set(&OpenCursor::slot, AnySlot()),
                                          gen::set(&OpenCursor::column_family, AnyColumnFamily()),
                                          gen::set(&OpenCursor::snapshot, Maybe(30, AnySlot())),
                                          gen::set(&OpenCursor::lower_bound, Maybe(30, AnyKey())),
                                          gen::set(&OpenCursor::upper_bound, Maybe(30, AnyKey()))));
}

rc::Gen<Command> AnyMoveCursor() {
  using Move = MoveCursor::Move;
  const auto move = gen::weightedElement<Move>({{8, Move::kNext},
                                                {8, Move::kPrev},
                                                {4, Move::kSeek},
                                                {4, Move::kSeekForPrev},
                                                {1, Move::kSeekToFirst},
                                                {1, Move::kSeekToLast}});
  return AsCommand(gen::build<MoveCursor>(
      gen::set(&MoveCursor::slot, AnySlot()), gen::set(&MoveCursor::move, move),
      gen::set(&MoveCursor::key, AnyKey()), gen::set(&MoveCursor::times, gen::inRange(1, 12))));
}

rc::Gen<Command> AnyMeasure() {
  return AsCommand(gen::build<Measure>(gen::set(&Measure::column_family, AnyColumnFamily()),
                                       gen::set(&Measure::lower_bound, Maybe(60, AnyKey())),
                                       gen::set(&Measure::upper_bound, Maybe(60, AnyKey())),
                                       gen::set(&Measure::key, AnyKey())));
}

rc::Gen<Command> AnyCrash() {
  const auto soon = [](std::size_t percent, uint64_t most) {
    return gen::weightedOneOf<uint64_t>(
        {{100 - percent, gen::just<uint64_t>(0)}, {percent, gen::inRange<uint64_t>(1, most)}});
  };
  return AsCommand(gen::build<Crash>(gen::set(&Crash::power_loss, Percent(70)),
                                     gen::set(&Crash::after_changes, soon(80, 80)),
                                     gen::set(&Crash::recovery_changes, soon(30, 25)),
                                     gen::set(&Crash::seed, gen::inRange<uint64_t>(0, 1'000'000))));
}

rc::Gen<Command> AnyFault() {
  using Kind = Fault::Kind;
  const auto kind = gen::weightedElement<Kind>(
      {{5, Kind::kFailedChange}, {2, Kind::kFailedRead}, {2, Kind::kFullDisk}});
  const auto at = gen::weightedOneOf<uint64_t>(
      {{4, gen::inRange<uint64_t>(1, 80)}, {1, gen::inRange<uint64_t>(1, 10'000)}});
  return AsCommand(gen::build<Fault>(gen::set(&Fault::kind, kind), gen::set(&Fault::at, at),
                                     gen::set(&Fault::sticky, Percent(50))));
}

rc::Gen<Command> AnyCommand(const Hazards& hazards) {
  const auto if_wanted = [](bool wanted, std::size_t weight) { return wanted ? weight : 0; };
  const auto in_slot = [](auto member, auto value) {
    return AsCommand(gen::build<decltype(value)>(gen::set(member, AnySlot())));
  };
  return gen::weightedOneOf<Command>(
      {{50, AnyWrite()},
       {8, AnyGet()},
       {6, AnyOpenCursor()},
       {14, AnyMoveCursor()},
       {3, in_slot(&TakeSnapshot::slot, TakeSnapshot())},
       {2, in_slot(&DropSnapshot::slot, DropSnapshot())},
       {3, AnyIngest()},
       {3, gen::just(Command{Flush()})},
       {2,
        AsCommand(gen::build<CompactAll>(gen::set(&CompactAll::column_family, AnyColumnFamily())))},
       {1, gen::just(Command{SyncLog()})},
       {2, gen::just(Command{MakeCheckpoint()})},
       {4, AnyMeasure()},
       {8,
        AsCommand(gen::build<RunBackground>(gen::set(&RunBackground::tasks, gen::inRange(1, 6))))},
       {if_wanted(hazards.restarts, 2), gen::just(Command{Reopen()})},
       {if_wanted(hazards.crashes, 4), AnyCrash()},
       {if_wanted(hazards.faults, 3), AnyFault()}});
}

rc::Gen<Setup> AnySetup() {
  return gen::build<Setup>(
      gen::set(&Setup::memtable_bytes, gen::element<uint64_t>(2 << 10, 600, 8 << 10)),
      gen::set(&Setup::immutable_memtables_max, gen::element(2, 1, 3)),
      gen::set(&Setup::block_bytes, gen::element<uint32_t>(256, 1, 64, 2048)),
      gen::set(&Setup::table_bytes, gen::element<uint64_t>(2 << 10, 500, 8 << 10)),
      gen::set(&Setup::bloom_bits_per_key, gen::element(10, 0, 2)),
      gen::set(&Setup::zstd_level, gen::element(1, 0)),
      gen::set(&Setup::block_cache_bytes, gen::element<uint64_t>(8 << 10, 0, 1 << 20)),
      gen::set(&Setup::l0_compact_tables, gen::element(2, 1, 4)),
      gen::set(&Setup::levels, gen::element(4, 2, 3, 7)),
      gen::set(&Setup::level_multiplier, gen::element(2, 1, 4)),
      gen::set(&Setup::manifest_bytes_max, gen::element<uint64_t>(1 << 10, 1, 1 << 20)),
      gen::set(&Setup::seed, gen::inRange<uint64_t>(0, 1000)));
}

}  // namespace

rc::Gen<Program> AnyProgram(const Hazards& hazards) {
  const auto commands =
      gen::scale(kLengthFactor, gen::container<std::vector<Command>>(AnyCommand(hazards)));
  return gen::build<Program>(gen::set(&Program::setup, AnySetup()),
                             gen::set(&Program::commands, commands));
}

}  // namespace tinykv::lsm::grading
