// 1-storage-snapshot: readers and iterators that stay open while others write, flush and compact.
#include <array>
#include <ostream>
#include <variant>

#include "common/status.h"
#include "common/strings.h"
#include "graders/stage1/sim_store.h"
#include "graders/stage1/tasks.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;

constexpr int kReaders = 3;

struct Write {
  PlannedWrite plan = {};
};
struct OpenReader {
  int reader = 0;
};
struct CloseReader {
  int reader = 0;
};
struct Get {
  int reader = 0;
  ColumnFamily column_family = ColumnFamily::kDefault;
  int key = 0;
};
// Opens an iterator, or moves on the one that is open, and reads a few pairs.
struct Walk {
  int reader = 0;
  ColumnFamily column_family = ColumnFamily::kDefault;
  int pairs = 1;
};
struct Command {
  std::variant<Write, OpenReader, Get, Walk, CloseReader> action = {};
};

struct Program {
  uint64_t seed = 0;
  std::vector<Command> commands = {};
};

std::string NameOf(size_t command) { return Concat('w', command + 1); }

std::string ReaderName(int reader) { return Concat("reader ", reader + 1); }

std::string Describe(const Command& command, size_t number) {
  if (const auto* write = std::get_if<Write>(&command.action)) {
    return Concat("Write ", NameOf(number), ": ", ToText({write->plan, NameOf(number)}));
  }
  if (const auto* open = std::get_if<OpenReader>(&command.action)) {
    return Concat(ReaderName(open->reader), ": open");
  }
  if (const auto* close = std::get_if<CloseReader>(&command.action)) {
    return Concat(ReaderName(close->reader), ": close");
  }
  if (const auto* get = std::get_if<Get>(&command.action)) {
    const Place place{get->column_family, KeyOf(get->key)};
    return Concat(ReaderName(get->reader), ": Get ", ToText(place));
  }
  const auto& walk = std::get<Walk>(command.action);
  return Concat(ReaderName(walk.reader), ": iterate over cf ", tinykv::NameOf(walk.column_family),
                ", ", Counted(walk.pairs, "pair"));
}

std::ostream& operator<<(std::ostream& out, const Program& program) {
  for (size_t i = 0; i < program.commands.size(); ++i) {
    out << i + 1 << ". " << Describe(program.commands[i], i) << '\n';
  }
  return out;
}

rc::Gen<Program> AnyProgram() {
  const auto as_command = [](auto action) {
    return gen::map(std::move(action), [](auto value) { return Command{std::move(value)}; });
  };
  const auto reader = InRange(0, kReaders);
  const auto command = gen::weightedOneOf<Command>(
      {{6, as_command(gen::build<Write>(gen::set(&Write::plan, AnyWrite(8))))},
       {3, as_command(gen::build<OpenReader>(gen::set(&OpenReader::reader, reader)))},
       {5, as_command(gen::build<Get>(gen::set(&Get::reader, reader),
                                      gen::set(&Get::column_family, AnyColumnFamily()),
                                      gen::set(&Get::key, AnyKey())))},
       {5, as_command(gen::build<Walk>(gen::set(&Walk::reader, reader),
                                       gen::set(&Walk::column_family, AnyColumnFamily()),
                                       gen::set(&Walk::pairs, InRange(1, 8))))},
       {1, as_command(gen::build<CloseReader>(gen::set(&CloseReader::reader, reader)))}});
  return gen::build<Program>(
      gen::set(&Program::seed, InRange<uint64_t>(0, 1000)),
      gen::set(&Program::commands, gen::scale(2.0, gen::container<std::vector<Command>>(command))));
}

// A reader, its iterators, and what they must see.
struct Open {
  std::unique_ptr<StorageReader> reader;
  Content content;
  size_t opened_by = 0;  // the command
  struct Iterator {
    std::unique_ptr<StorageIterator> iterator;
    std::map<std::string, std::string> pairs;
    std::map<std::string, std::string>::const_iterator at;
  };
  std::array<Iterator, kColumnFamilyNames.size()> iterators;
};

class Session {
 public:
  explicit Session(const Program& program)
      : program_(program), store_({.seed = program.seed, .small_tables = true}) {}

  Result Run() {
    if (const absl::Status status = store_.Start(); !status.ok()) return Wrong(status.ToString());
    for (number_ = 0; number_ < program_.commands.size(); ++number_) {
      Result finding = std::visit([&](const auto& action) { return Do(action); },
                                  program_.commands[number_].action);
      if (finding.has_value()) return finding;
    }
    for (Open& open : readers_) open = {};
    const uint64_t snapshots = store_.storage().GetStatistics().live_snapshots;
    if (snapshots == 0) return std::nullopt;
    return Wrong(Concat("all readers are closed, and the engine still keeps ",
                        Counted(snapshots, "snapshot"), ": whoever takes one releases it"));
  }

 private:
  Result Do(const Write& write) {
    const NamedWrite named{write.plan, NameOf(number_)};
    const auto status = store_.RunToEnd(store_.storage().Write(context_, ToWriteSet(named)));
    if (!status.has_value()) return Stuck(Concat(Here(), ", is never answered"));
    if (!status->ok()) return Wrong(Concat(Here(), ", failed: ", MessageOf(*status)));
    Apply(named, content_);
    return std::nullopt;
  }

  Result Do(const OpenReader& open) {
    auto reader = store_.RunToEnd(store_.storage().Reader(context_));
    if (!reader.has_value()) return Stuck(Concat(Here(), ", never returns"));
    if (!reader->ok()) return Wrong(Concat(Here(), ", failed: ", MessageOf(reader->status())));
    readers_[open.reader] = {};
    readers_[open.reader] = {
        .reader = **std::move(reader), .content = content_, .opened_by = number_, .iterators = {}};
    return std::nullopt;
  }

  Result Do(const CloseReader& close) {
    readers_[close.reader] = {};
    return std::nullopt;
  }

  Result Do(const Get& get) {
    const Open& open = readers_[get.reader];
    if (open.reader == nullptr) return std::nullopt;
    const Place place{get.column_family, KeyOf(get.key)};
    const auto found = open.reader->Get(place.first, place.second);
    if (!found.ok()) return Wrong(Concat(Here(), ", failed: ", MessageOf(found.status())));
    const auto at = open.content.find(place);
    const auto expected = at == open.content.end() ? std::nullopt : std::optional(at->second);
    if (*found == expected) return std::nullopt;
    return Wrong(Concat(Here(), ", returned ", ToText(*found),
                        "; the reader is of the moment of step ", open.opened_by + 1,
                        ", when there was ", ToText(expected)));
  }

  Result Do(const Walk& walk) {
    Open& open = readers_[walk.reader];
    if (open.reader == nullptr) return std::nullopt;
    Open::Iterator& cursor = open.iterators.at(static_cast<size_t>(walk.column_family));
    if (cursor.iterator == nullptr) {
      cursor.iterator = open.reader->NewIterator(walk.column_family);
      cursor.pairs = FamilyOf(open.content, walk.column_family);
      cursor.at = cursor.pairs.begin();
      cursor.iterator->SeekToFirst();
    }
    for (int step = 0; step < walk.pairs; ++step) {
      if (Result finding = Compare(cursor, open)) return finding;
      if (cursor.at == cursor.pairs.end()) return std::nullopt;
      cursor.iterator->Next();
      ++cursor.at;
    }
    return Compare(cursor, open);
  }

  Result Compare(const Open::Iterator& cursor, const Open& open) const {
    const StorageIterator& iterator = *cursor.iterator;
    if (!iterator.status().ok()) {
      return Wrong(Concat(Here(), ", failed: ", MessageOf(iterator.status())));
    }
    const bool at_end = cursor.at == cursor.pairs.end();
    const bool same = at_end ? !iterator.Valid()
                             : iterator.Valid() && iterator.key() == cursor.at->first &&
                                   iterator.value() == cursor.at->second;
    if (same) return std::nullopt;
    const auto show = [](std::string_view key, std::string_view value) {
      return Concat(Quote(key, 12), " = ", Quote(value, 12));
    };
    return Wrong(Concat(Here(), ", comes to ",
                        iterator.Valid() ? show(iterator.key(), iterator.value()) : "the end",
                        "; the reader is of the moment of step ", open.opened_by + 1,
                        ", when it was ",
                        at_end ? "the end" : show(cursor.at->first, cursor.at->second)));
  }

  std::string Here() const {
    return Concat("step ", number_ + 1, ", ", Describe(program_.commands[number_], number_));
  }

  const Program& program_;
  const kvrpcpb::Context context_;
  SimStore store_;
  Content content_;  // as it is now
  std::array<Open, kReaders> readers_;
  size_t number_ = 0;
};

Result Run(const Program& program) {
  Session session(program);
  return session.Run();
}

}  // namespace

Task StorageSnapshot() {
  return {.id = "1-storage-snapshot",
          .run = [](uint64_t seed) { return CheckProgram<Program>(seed, AnyProgram(), Run); }};
}

}  // namespace tinykv::grading
