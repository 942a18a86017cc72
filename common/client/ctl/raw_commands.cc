#include "common/client/ctl/raw_commands.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/client/raw_scanner.h"
#include "common/status.h"

namespace tinykv::ctl {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kPagePairsMax = 256;

// Which key of which column family a command is about.
struct Target {
  std::string key;
  ColumnFamily column_family = ColumnFamily::kDefault;

  Json ToJson() const { return {{"key", Escape(key)}, {"cf", NameOf(column_family)}}; }
};

absl::StatusOr<Target> TargetOf(const Arguments& arguments) {
  Target target;
  TKV_ASSIGN_OR_RETURN(target.key, BytesOfText(arguments.key, arguments.form()));
  TKV_ASSIGN_OR_RETURN(target.column_family, arguments.column_family());
  return target;
}

absl::StatusOr<std::string> ReadAll(std::istream& in, std::string_view name) {
  std::string bytes(std::istreambuf_iterator<char>(in), {});
  if (in.bad()) return ErrnoStatus("read", name, errno);
  return bytes;
}

absl::StatusOr<std::string> ReadValueFile(Session& session, const std::string& path) {
  if (path == "-") {
    if (session.in == nullptr) {
      return InvalidArgument("standard input has the commands; it cannot have a value, too");
    }
    return ReadAll(*session.in, "standard input");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return ErrnoStatus("open", path, errno);
  return ReadAll(file, path);
}

absl::StatusOr<std::string> ValueToPut(Session& session, const Arguments& arguments) {
  if (!arguments.value_file.empty()) return ReadValueFile(session, arguments.value_file);
  if (!arguments.value) return InvalidArgument("put needs a VALUE or a --value-file");
  if (*arguments.value == "-" && !arguments.literal) return ReadValueFile(session, "-");
  return BytesOfText(*arguments.value, arguments.form());
}

absl::Status WriteValueFile(const std::string& path, std::string_view value) {
  std::ofstream file(path, std::ios::binary);
  if (!file) return ErrnoStatus("open", path, errno);
  if (!(file << value).flush()) return ErrnoStatus("write", path, errno);
  return absl::OkStatus();
}

absl::Status PrintValue(Session& session, const Arguments& arguments, const Target& target,
                        const std::string& value) {
  const bool to_out = arguments.value_file == "-";
  const bool to_file = !arguments.value_file.empty() && !to_out;
  if (to_out && session.json) {
    return InvalidArgument("--value-file - and --json both want standard output");
  }
  if (to_file) TKV_RETURN_IF_ERROR(WriteValueFile(arguments.value_file, value));
  if (session.json) {
    Json object = target.ToJson();
    object["found"] = true;
    if (!to_file) object["value"] = Escape(value);
    session.PrintJson(object);
  } else if (to_out) {
    session.out << value;
  } else if (!to_file) {
    session.out << TextOfBytes(value, arguments.form()) << '\n';
  }
  return absl::OkStatus();
}

// How a put or a delete ends.
ExitCode ReportWrite(Session& session, const Target& target, const absl::Status& status) {
  if (!status.ok()) return session.Fail(status);
  if (session.json) {
    Json object = target.ToJson();
    object["ok"] = true;
    session.PrintJson(object);
  } else {
    session.out << "ok\n";
  }
  return ExitCode::kOk;
}

}  // namespace

ExitCode RunGet(Session& session, const Arguments& arguments) {
  const auto target = TargetOf(arguments);
  if (!target.ok()) return session.Fail(target.status());
  const auto value = session.client.Get(target->key, target->column_family);
  if (!value.ok()) return session.Fail(value.status());
  if (value->has_value()) {
    const absl::Status printed = PrintValue(session, arguments, *target, **value);
    return printed.ok() ? ExitCode::kOk : session.Fail(printed);
  }
  if (session.json) {
    Json object = target->ToJson();
    object["found"] = false;
    session.PrintJson(object);
  } else {
    session.err << "not found\n";
  }
  return ExitCode::kNotFound;
}

ExitCode RunPut(Session& session, const Arguments& arguments) {
  const auto target = TargetOf(arguments);
  if (!target.ok()) return session.Fail(target.status());
  const auto value = ValueToPut(session, arguments);
  if (!value.ok()) return session.Fail(value.status());
  return ReportWrite(session, *target,
                     session.client.Put(target->key, *value, target->column_family));
}

ExitCode RunDelete(Session& session, const Arguments& arguments) {
  const auto target = TargetOf(arguments);
  if (!target.ok()) return session.Fail(target.status());
  return ReportWrite(session, *target, session.client.Delete(target->key, target->column_family));
}

ExitCode RunScan(Session& session, const Arguments& arguments) {
  auto range = arguments.range();
  if (!range.ok()) return session.Fail(range.status());
  const uint64_t limit =
      arguments.limit == 0 ? std::numeric_limits<uint64_t>::max() : arguments.limit;
  // One more than is shown, so as to see whether there are more.
  range->page_pairs_max = static_cast<uint32_t>(std::min(limit, kPagePairsMax - 1) + 1);
  RawScanner scanner(session.client, *std::move(range));
  uint64_t shown = 0;
  while (true) {
    const auto page = scanner.Next();
    if (!page.ok()) return session.Fail(page.status());
    if (page->empty()) return ExitCode::kOk;
    for (const KeyValue& pair : *page) {
      if (shown++ == limit) {
        if (!session.json) session.err << "there are more; --limit 0 lists all\n";
        return ExitCode::kOk;
      }
      if (session.json) {
        session.PrintJson({{"key", Escape(pair.key)}, {"value", Escape(pair.value)}});
      } else {
        session.out << TsvLine(pair, arguments.form());
      }
    }
  }
}

}  // namespace tinykv::ctl
