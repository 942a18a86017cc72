#include "common/config_flags.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "common/config_file.h"
#include "common/status.h"

namespace tinykv {
namespace {

// "--engine.memtable-bytes" for the key "engine.memtable_bytes".
std::string FlagOf(const Config::Key& key) {
  std::string flag = Concat("--", key.name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

// How --help shows what a flag takes.
std::string_view PlaceholderOf(Config::Type type) {
  switch (type) {
    case Config::Type::kText:
      return "TEXT";
    case Config::Type::kBool:
      return "true|false";
    case Config::Type::kCount:
      return "NUMBER";
    case Config::Type::kSize:
      return "SIZE";
    case Config::Type::kDuration:
      return "TIME";
  }
  return "";
}

// "engine" for "engine.memtable_bytes": --help shows the keys of a table together.
std::string GroupOf(const Config::Key& key) {
  const size_t dot = key.name.find('.');
  return dot == std::string::npos ? "Settings" : Concat("Settings: ", key.name.substr(0, dot));
}

// CLI11 only takes the line apart; values are checked by the keys themselves, so that a flag and a
// file's line have the same rules and the same messages.
struct CommandLine {
  CommandLine(const ProgramDescription& program, const Config& config)
      : app(program.purpose, program.name) {
    app.set_help_flag();  // ours, so that --help is an action like the others
    app.add_flag("-h,--help", help, "Print this and exit");
    app.add_flag("--version", version, "Print the version and exit");
    app.add_option("--config", config_file, "Read settings from this TOML file; flags win over it")
        ->type_name("FILE");
    app.add_flag("--check-config", check_config, "Check the configuration and exit");
    for (const Config::Key& key : config.keys()) {
      auto& [setting_key, text] = settings.emplace_back(&key, "");
      options.push_back(app.add_option(FlagOf(key), text, key.help)
                            ->type_name(std::string(PlaceholderOf(key.type)))
                            ->default_str(key.default_text)
                            ->group(GroupOf(key)));
    }
    app.allow_extras();  // to name them ourselves
  }

  // "--lisen" with what it may have meant.
  absl::Status CheckExtras() const {
    const std::vector<std::string> extras = app.remaining();
    if (extras.empty()) return absl::OkStatus();
    if (!extras.front().starts_with("-")) {
      return InvalidArgument("unexpected argument ", Quote(extras.front()),
                             "; --help shows what there is");
    }
    std::vector<std::string> names = {"--config", "--check-config", "--help", "--version"};
    for (const auto& [key, text] : settings) names.push_back(FlagOf(*key));
    const std::string flag = extras.front().substr(0, extras.front().find('='));
    const std::string suggestion = DidYouMean(flag, names);
    return InvalidArgument("unknown flag ", flag, suggestion, suggestion.empty() ? ";" : "",
                           " --help shows what there is");
  }

  CLI::App app;
  bool help = false;
  bool version = false;
  bool check_config = false;
  std::string config_file;
  std::deque<std::pair<const Config::Key*, std::string>> settings;
  std::vector<const CLI::Option*> options;  // of the settings, in the same order
};

}  // namespace

absl::StatusOr<ProgramAction> LoadConfig(FileSystem& file_system, const ProgramDescription& program,
                                         int argc, const char* const* argv, const Config& config) {
  CommandLine line(program, config);
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return InvalidArgument(error.what());
  }
  TKV_RETURN_IF_ERROR(line.CheckExtras());
  if (line.help) return ProgramAction::kHelp;
  if (line.version) return ProgramAction::kVersion;

  if (!line.config_file.empty()) {
    TKV_RETURN_IF_ERROR(LoadConfigFile(file_system, line.config_file, config));
  }
  for (size_t i = 0; i < line.options.size(); ++i) {
    if (line.options[i]->count() == 0) continue;
    const auto& [key, text] = line.settings[i];
    TKV_RETURN_IF_ERROR(Annotate(key->set(text), FlagOf(*key)));
  }
  return line.check_config ? ProgramAction::kCheckConfig : ProgramAction::kRun;
}

std::string HelpText(const ProgramDescription& program, const Config& config) {
  return CommandLine(program, config).app.help();
}

}  // namespace tinykv
