#include "common/client/ctl/transfer.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/client/ctl/progress_bar.h"
#include "common/client/raw_loader.h"
#include "common/client/raw_scanner.h"
#include "common/status.h"

namespace tinykv::ctl {
namespace {

constexpr uint32_t kDumpPagePairs = 1024;

// What was moved, and how long that took.
struct Sums {
  uint64_t records = 0;
  uint64_t bytes = 0;
  double seconds = 0;
};

double SecondsSince(Duration start, const Clock& clock) {
  return std::chrono::duration<double>(clock.Now() - start).count();
}

// "loaded 12,345 records (1.2 MB) in 3.4 s, 3,631/s"
std::string SumsText(std::string_view verb, const Sums& sums) {
  char seconds[32];
  std::snprintf(seconds, sizeof(seconds), "%.1f", sums.seconds);
  const double rate = sums.seconds > 0 ? static_cast<double>(sums.records) / sums.seconds : 0;
  return Concat(verb, " ", WithThousands(sums.records), " records (",
                BytesText(static_cast<double>(sums.bytes)), ") in ", seconds, " s, ",
                WithThousands(static_cast<uint64_t>(rate)), "/s\n");
}

nlohmann::ordered_json SumsJson(const Sums& sums) {
  return {{"records", sums.records}, {"bytes", sums.bytes}, {"seconds", sums.seconds}};
}

uint64_t FileBytes(const std::string& path) {
  struct stat file = {};
  return stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode) ? file.st_size : 0;
}

// Starts a put for every line of `in`; adds the length of each line to `bytes_read` before its put.
absl::Status PutLines(std::istream& in, std::string_view name, RawLoader& loader,
                      uint64_t* bytes_read) {
  std::string line;
  for (uint64_t number = 1; std::getline(in, line); ++number) {
    *bytes_read += line.size() + 1;
    const auto pair = ParseTsvLine(line);
    if (!pair.ok()) return Annotate(pair.status(), Concat(name, ":", number));
    TKV_RETURN_IF_ERROR(loader.Put(pair->key, pair->value));
  }
  if (in.bad()) return ErrnoStatus("read", name, errno);
  return absl::OkStatus();
}

absl::Status Load(Session& session, const Arguments& arguments, std::istream& in, Sums* sums) {
  const std::string name = arguments.file == "-" ? "standard input" : arguments.file;
  TKV_ASSIGN_OR_RETURN(const ColumnFamily column_family, arguments.column_family());
  ProgressBar bar("load", session.err, session.clock, session.show_progress);
  bar.SetBytesTotal(FileBytes(arguments.file));
  RawLoader loader(session.client,
                   {.column_family = column_family, .on_progress = [&](uint64_t acknowledged) {
                      bar.Update(acknowledged, sums->bytes);
                    }});
  absl::Status status = PutLines(in, name, loader, &sums->bytes);
  status.Update(loader.Finish());
  sums->records = loader.acknowledged();
  return status;
}

absl::Status Dump(Session& session, const Arguments& arguments, std::ostream& out, Sums* sums) {
  const std::string name = arguments.file == "-" ? "standard output" : arguments.file;
  TKV_ASSIGN_OR_RETURN(RawScannerOptions range, arguments.range());
  range.page_pairs_max = kDumpPagePairs;
  RawScanner scanner(session.client, std::move(range));
  ProgressBar bar("dump", session.err, session.clock, session.show_progress);
  while (true) {
    TKV_ASSIGN_OR_RETURN(const auto page, scanner.Next());
    if (page.empty()) break;
    std::string lines;
    for (const KeyValue& pair : page) lines += TsvLine(pair);
    if (!(out << lines)) return ErrnoStatus("write", name, errno);
    sums->records += page.size();
    sums->bytes += lines.size();
    bar.Update(sums->records, sums->bytes);
  }
  if (!out.flush()) return ErrnoStatus("write", name, errno);
  return absl::OkStatus();
}

}  // namespace

ExitCode RunLoad(Session& session, const Arguments& arguments) {
  const Duration start = session.clock.Now();
  std::ifstream file;
  if (arguments.file != "-") {
    file.open(arguments.file, std::ios::binary);
    if (!file) return session.Fail(ErrnoStatus("open", arguments.file, errno));
  } else if (session.in == nullptr) {
    return session.Fail(InvalidArgument("standard input has the commands; load needs a FILE here"));
  }
  Sums sums;
  const absl::Status status =
      Load(session, arguments, arguments.file == "-" ? *session.in : file, &sums);
  sums.seconds = SecondsSince(start, session.clock);
  if (!status.ok()) {
    const std::string rest = Concat("; ", sums.records,
                                    " records were acknowledged before the load stopped, and to "
                                    "load them again does no harm");
    return session.Fail(MakeStatus(status.code(), Concat(MessageOf(status), rest)), SumsJson(sums));
  }
  if (session.json) {
    session.PrintJson(SumsJson(sums));
  } else {
    session.err << SumsText("loaded", sums);
  }
  return ExitCode::kOk;
}

ExitCode RunDump(Session& session, const Arguments& arguments) {
  const Duration start = session.clock.Now();
  const bool to_out = arguments.file == "-";
  if (to_out && session.json) {
    return session.Fail(InvalidArgument(
        "a dump to standard output is not JSON; name a FILE, or use scan --limit 0"));
  }
  std::ofstream file;
  if (!to_out) {
    file.open(arguments.file, std::ios::binary);
    if (!file) return session.Fail(ErrnoStatus("open", arguments.file, errno));
  }
  Sums sums;
  const absl::Status status = Dump(session, arguments, to_out ? session.out : file, &sums);
  sums.seconds = SecondsSince(start, session.clock);
  if (!status.ok()) {
    const std::string rest = Concat("; the dump is incomplete, it has ", sums.records, " records");
    return session.Fail(MakeStatus(status.code(), Concat(MessageOf(status), rest)), SumsJson(sums));
  }
  if (session.json) {
    session.PrintJson(SumsJson(sums));
  } else {
    session.err << SumsText("dumped", sums);
  }
  return ExitCode::kOk;
}

}  // namespace tinykv::ctl
