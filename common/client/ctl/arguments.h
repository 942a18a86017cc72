// Arguments: what one command line asks for, and the grammar of commands, which the program's
// command line and the lines of an interactive session share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/client/ctl/session.h"
#include "common/client/ctl/text_format.h"
#include "common/client/raw_scanner.h"
#include "common/storage/column_family.h"

namespace CLI {  // NOLINT(readability-identifier-naming): it is CLI11's
class App;
}

namespace tinykv::ctl {

struct Arguments {
  // The command; null if none was named.
  ExitCode (*run)(Session& session, const Arguments& arguments) = nullptr;

  // As typed, so still escaped if form() says so. Each command uses some of them.
  std::string key;
  std::optional<std::string> value;
  std::string value_file;
  std::string start;
  std::string end;
  std::string file = "-";
  std::string backup_name;
  std::string column_family_name = "default";
  uint64_t limit = 100;
  bool literal = false;

  TextForm form() const { return literal ? TextForm::kLiteral : TextForm::kEscaped; }
  // Errors: kInvalidArgument.
  absl::StatusOr<ColumnFamily> column_family() const;
  absl::StatusOr<RawScannerOptions> range() const;
};

// Adds get, put, delete and scan to `app`. Parsing then fills in `arguments`, which must outlive
// `app`. An App keeps what it parsed: make a fresh pair for each line.
void AddRawCommands(CLI::App& app, Arguments& arguments);

// The same for load and dump.
void AddTransferCommands(CLI::App& app, Arguments& arguments);

// The same for cluster and backup.
void AddClusterCommands(CLI::App& app, Arguments& arguments);

// What to say of a line that ends with "raw".
inline constexpr char kRawAlone[] = "raw is followed by get, put, delete or scan";

}  // namespace tinykv::ctl
