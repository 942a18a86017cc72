// 1-storage-get: gets on an engine that the grader has filled, with a disk that may fail to read.
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

struct Get {
  ColumnFamily column_family = ColumnFamily::kDefault;
  int key = 0;
};

struct Program {
  // What the engine holds before.
  PlannedWrite content = {};
  std::vector<Get> gets = {};
  // From this read of a file on, the disk fails; 0: never.
  uint64_t failed_read = 0;
};

constexpr char kLoaded[] = "w";

Place PlaceOf(const Get& get) { return {get.column_family, KeyOf(get.key)}; }

std::ostream& operator<<(std::ostream& out, const Program& program) {
  out << "the engine holds the outcome of: " << ToText({program.content, kLoaded}) << '\n';
  if (program.failed_read > 0) {
    out << "the disk fails from its read " << program.failed_read << " on\n";
  }
  for (const Get& get : program.gets) out << "Get " << ToText(PlaceOf(get)) << '\n';
  return out;
}

rc::Gen<Program> AnyProgram() {
  const auto get = gen::build<Get>(gen::set(&Get::column_family, AnyColumnFamily()),
                                   gen::set(&Get::key, AnyKey()));
  const auto failed_read =
      gen::weightedOneOf<uint64_t>({{3, gen::just<uint64_t>(0)}, {1, InRange<uint64_t>(1, 4)}});
  return gen::build<Program>(gen::set(&Program::content, AnyWrite(20)),
                             gen::set(&Program::gets, gen::container<std::vector<Get>>(get)),
                             gen::set(&Program::failed_read, failed_read));
}

Result Check(const Program& program, const Get& get, const Content& content,
             const absl::StatusOr<std::optional<std::string>>& found) {
  const std::string request = Concat("Get ", ToText(PlaceOf(get)));
  if (!found.ok()) {
    if (program.failed_read > 0) return std::nullopt;
    return Wrong(Concat(request, " returned an error (", MessageOf(found.status()),
                        "); no error was due, and a missing key is std::nullopt"));
  }
  const auto at = content.find(PlaceOf(get));
  const auto expected = at == content.end() ? std::nullopt : std::optional(at->second);
  if (*found == expected) return std::nullopt;
  return Wrong(Concat(request, " returned ", ToText(*found), "; the engine holds ",
                      ToText(expected), " there"));
}

Result Run(const Program& program) {
  Content content;
  Apply({program.content, kLoaded}, content);
  return WithReader(content, program.failed_read, [&](StorageReader& reader) -> Result {
    for (const Get& get : program.gets) {
      const auto found = reader.Get(get.column_family, PlaceOf(get).second);
      if (Result finding = Check(program, get, content, found)) return finding;
    }
    return std::nullopt;
  });
}

}  // namespace

Task StorageGet() {
  return {.id = "1-storage-get",
          .run = [](uint64_t seed) { return CheckProgram<Program>(seed, AnyProgram(), Run); }};
}

}  // namespace tinykv::grading
