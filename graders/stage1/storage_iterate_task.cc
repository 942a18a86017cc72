// 1-storage-iterate: an iterator is moved about beside one of the grader's own, over an engine that
// the grader has filled, within bounds, and with a disk that may fail to read.
#include <array>
#include <iterator>
#include <optional>
#include <ostream>

#include "common/status.h"
#include "common/storage/storage.h"
#include "common/strings.h"
#include "graders/stage1/tasks.h"
#include "graders/stage1/with_reader.h"
#include "graders/task/property.h"

namespace tinykv::grading {
namespace {

namespace gen = rc::gen;

struct Move {
  enum class Type { kSeekToFirst, kNext, kPrev, kSeek, kSeekForPrev, kSeekToLast };
  Type type = Type::kSeekToFirst;
  int key = 0;  // of the seeks
};

struct Program {
  // What the engine holds before.
  PlannedWrite content = {};
  ColumnFamily column_family = ColumnFamily::kDefault;
  std::optional<int> lower_bound = {};
  std::optional<int> upper_bound = {};
  std::vector<Move> moves = {};
  // From this read of a file on, the disk fails; 0: never.
  uint64_t failed_read = 0;
};

constexpr char kLoaded[] = "w";

std::string Describe(const Move& move) {
  constexpr std::array<std::string_view, 6> kNames = {"SeekToFirst", "Next",        "Prev",
                                                      "Seek",        "SeekForPrev", "SeekToLast"};
  std::string text(kNames.at(static_cast<size_t>(move.type)));
  const bool seeks = move.type == Move::Type::kSeek || move.type == Move::Type::kSeekForPrev;
  return text + (seeks ? Concat("(", Quote(KeyOf(move.key), 12), ")") : "()");
}

std::string Describe(const Program& program) {
  const auto bound = [](std::optional<int> key) {
    return key.has_value() ? Quote(KeyOf(*key), 12) : "none";
  };
  return Concat("iterator over cf ", tinykv::NameOf(program.column_family), ", bounds ",
                bound(program.lower_bound), " to ", bound(program.upper_bound));
}

std::ostream& operator<<(std::ostream& out, const Program& program) {
  out << "the engine holds the outcome of: " << ToText({program.content, kLoaded}) << '\n';
  if (program.failed_read > 0) {
    out << "the disk fails from its read " << program.failed_read << " on\n";
  }
  out << Describe(program) << '\n';
  for (const Move& move : program.moves) out << Describe(move) << '\n';
  return out;
}

rc::Gen<Program> AnyProgram() {
  using Type = Move::Type;
  const auto move =
      gen::build<Move>(gen::set(&Move::type, gen::weightedElement<Type>({{2, Type::kSeekToFirst},
                                                                         {8, Type::kNext},
                                                                         {6, Type::kPrev},
                                                                         {3, Type::kSeek},
                                                                         {3, Type::kSeekForPrev},
                                                                         {2, Type::kSeekToLast}})),
                       gen::set(&Move::key, AnyKey()));
  const auto bound = gen::weightedOneOf<std::optional<int>>(
      {{2, gen::just(std::optional<int>())},
       {1, gen::map(AnyKey(), [](int key) { return std::optional(key); })}});
  const auto failed_read =
      gen::weightedOneOf<uint64_t>({{4, gen::just<uint64_t>(0)}, {1, InRange<uint64_t>(1, 4)}});
  return gen::build<Program>(gen::set(&Program::content, AnyWrite(40)),
                             gen::set(&Program::column_family, AnyColumnFamily()),
                             gen::set(&Program::lower_bound, bound),
                             gen::set(&Program::upper_bound, bound),
                             gen::set(&Program::moves, gen::container<std::vector<Move>>(move)),
                             gen::set(&Program::failed_read, failed_read));
}

// What the iterator must do: a place in a map that holds what is within the bounds.
class ModelIterator {
 public:
  ModelIterator(const Program& program, const Content& content) {
    for (const auto& [key, value] : FamilyOf(content, program.column_family)) {
      if (program.lower_bound.has_value() && key < KeyOf(*program.lower_bound)) continue;
      if (program.upper_bound.has_value() && key >= KeyOf(*program.upper_bound)) continue;
      pairs_.emplace(key, value);
    }
    at_ = pairs_.end();
  }
  ModelIterator(const ModelIterator&) = delete;
  ModelIterator& operator=(const ModelIterator&) = delete;

  bool Valid() const { return at_ != pairs_.end(); }
  const std::string& key() const { return at_->first; }
  const std::string& value() const { return at_->second; }
  size_t size() const { return pairs_.size(); }

  void Do(const Move& move) {
    switch (move.type) {
      case Move::Type::kSeekToFirst:
        at_ = pairs_.begin();
        break;
      case Move::Type::kNext:
        ++at_;
        break;
      case Move::Type::kPrev:
        at_ = Before(at_);
        break;
      case Move::Type::kSeek:
        at_ = pairs_.lower_bound(KeyOf(move.key));
        break;
      case Move::Type::kSeekForPrev:
        at_ = Before(pairs_.upper_bound(KeyOf(move.key)));
        break;
      case Move::Type::kSeekToLast:
        at_ = Before(pairs_.end());
        break;
    }
  }

 private:
  using Pairs = std::map<std::string, std::string>;

  Pairs::const_iterator Before(Pairs::const_iterator at) const {
    return at == pairs_.begin() ? pairs_.end() : std::prev(at);
  }

  Pairs pairs_;
  Pairs::const_iterator at_;
};

void Do(const Move& move, StorageIterator& iterator) {
  switch (move.type) {
    case Move::Type::kSeekToFirst:
      return iterator.SeekToFirst();
    case Move::Type::kNext:
      return iterator.Next();
    case Move::Type::kPrev:
      return iterator.Prev();
    case Move::Type::kSeek:
      return iterator.Seek(KeyOf(move.key));
    case Move::Type::kSeekForPrev:
      return iterator.SeekForPrev(KeyOf(move.key));
    case Move::Type::kSeekToLast:
      return iterator.SeekToLast();
  }
}

// Compares the two after something was done to both. Nothing more can be said of an iterator that
// has met a failed disk; `ended` tells.
Result Compare(const Program& program, const std::string& done, const StorageIterator& iterator,
               const ModelIterator& model, bool* ended) {
  if (!iterator.status().ok()) {
    *ended = true;
    if (program.failed_read > 0 && !iterator.Valid()) return std::nullopt;
    return Wrong(Concat("after ", done, " the iterator has the error ",
                        MessageOf(iterator.status()),
                        program.failed_read > 0 ? " and is valid; an error makes it invalid"
                                                : "; nothing is wrong with the disk"));
  }
  const std::string expected =
      model.Valid() ? Concat(Quote(model.key(), 12), " = ", Quote(model.value(), 12)) : "the end";
  const std::string found =
      iterator.Valid() ? Concat(Quote(iterator.key(), 12), " = ", Quote(iterator.value(), 12))
                       : "the end";
  const bool same =
      model.Valid() == iterator.Valid() &&
      (!model.Valid() || (model.key() == iterator.key() && model.value() == iterator.value()));
  if (same) return std::nullopt;
  return Wrong(Concat("after ", done, " the ", Describe(program), " stands at ", found,
                      " and must stand at ", expected));
}

Result MoveAbout(const Program& program, StorageIterator& iterator, ModelIterator& model) {
  bool ended = false;
  for (const Move& move : program.moves) {
    const bool steps = move.type == Move::Type::kNext || move.type == Move::Type::kPrev;
    if (steps && !model.Valid()) continue;
    Do(move, iterator);
    model.Do(move);
    Result finding = Compare(program, Describe(move), iterator, model, &ended);
    if (finding.has_value() || ended) return finding;
  }
  // Once through all of it, whatever the moves were.
  Move move{.type = Move::Type::kSeekToFirst};
  for (size_t step = 0; step <= model.size(); ++step) {
    Do(move, iterator);
    model.Do(move);
    const std::string done = Concat("SeekToFirst() and ", Counted(step, "time"), " Next()");
    Result finding = Compare(program, done, iterator, model, &ended);
    if (finding.has_value() || ended) return finding;
    move.type = Move::Type::kNext;
  }
  return std::nullopt;
}

Result Run(const Program& program) {
  Content content;
  Apply({program.content, kLoaded}, content);
  return WithReader(content, program.failed_read, [&](StorageReader& reader) -> Result {
    const auto bound = [](std::optional<int> key) {
      return key.has_value() ? std::optional(KeyOf(*key)) : std::nullopt;
    };
    const IterateOptions options{.lower_bound = bound(program.lower_bound),
                                 .upper_bound = bound(program.upper_bound)};
    const auto iterator = reader.NewIterator(program.column_family, options);
    if (iterator == nullptr) return Wrong("NewIterator() returned null; it never does");
    ModelIterator model(program, content);
    return MoveAbout(program, *iterator, model);
  });
}

}  // namespace

Task StorageIterate() {
  return {.id = "1-storage-iterate",
          .run = [](uint64_t seed) { return CheckProgram<Program>(seed, AnyProgram(), Run); }};
}

}  // namespace tinykv::grading
