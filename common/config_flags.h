// The command line of a program that has a Config: a flag for each key, and
//
//   --config FILE    reads a TOML file first; flags win over it
//   --check-config   does nothing but check all that
//   --help, --version
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/config.h"
#include "common/env/file_system.h"

namespace tinykv {

// What the command line asks for.
enum class ProgramAction { kRun, kCheckConfig, kHelp, kVersion };

struct ProgramDescription {
  std::string name;
  std::string purpose;  // a sentence for --help
};

// Sets the keys of `config` from the file, if one is named, and from the flags. For kHelp and
// kVersion nothing is set.
// Errors: kInvalidArgument as one line that names the flag or FILE:LINE and what would be right;
// those of LoadConfigFile().
absl::StatusOr<ProgramAction> LoadConfig(FileSystem& file_system, const ProgramDescription& program,
                                         int argc, const char* const* argv, const Config& config);

// What --help prints.
std::string HelpText(const ProgramDescription& program, const Config& config);

}  // namespace tinykv
