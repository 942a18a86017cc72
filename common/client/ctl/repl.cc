#include "common/client/ctl/repl.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "common/client/ctl/arguments.h"
#include "common/status.h"

namespace tinykv::ctl {
namespace {

// The grammar of one line and what parsing it found.
struct Line {
  Line() : app("", "") {
    AddRawCommands(app, arguments);
    AddTransferCommands(app, arguments);
    AddClusterCommands(app, arguments);
    AddRawCommands(*app.add_subcommand("raw"), arguments);
  }

  Arguments arguments;
  CLI::App app;
};

// The commands to list: all but raw, whose own are listed already.
std::vector<const CLI::App*> Commands(const Line& line) {
  return line.app.get_subcommands(
      [](const CLI::App* command) { return command->get_name() != "raw"; });
}

void PrintHelp(Session& session) {
  const auto print = [&](const std::string& name, const std::string& what) {
    std::string padded = name;
    padded.resize(std::max<size_t>(name.size(), 10), ' ');
    session.out << "  " << padded << what << '\n';
  };
  const Line line;
  for (const CLI::App* command : Commands(line)) {
    print(command->get_name(), command->get_description());
  }
  print("help", "Say more about a command: help scan");
  print("quit", "End the session; so does Ctrl-D");
  session.out << "Example: put \"two words\" caf\\xc3\\xa9\n";
}

// REQUIRES: !words.empty().
ExitCode RunWords(Session& session, std::vector<std::string> words) {
  Line line;
  const std::string& command = words.front();
  if (line.app.get_subcommands([&](auto* known) { return known->check_name(command); }).empty()) {
    return session.Fail(InvalidArgument("there is no command ", Quote(command), "; try help"));
  }
  // CLI11 takes them from the back.
  std::reverse(words.begin(), words.end());
  try {
    line.app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    session.out << line.app.help();
    return ExitCode::kOk;
  } catch (const CLI::ParseError& error) {
    return session.Fail(InvalidArgument(error.what(), "; try help"));
  }
  if (line.arguments.run == nullptr) return session.Fail(InvalidArgument(kRawAlone));
  return line.arguments.run(session, line.arguments);
}

}  // namespace

ExitCode RunRepl(Session& session, const LineSource& next_line) {
  ExitCode result = ExitCode::kOk;
  while (const auto line = next_line()) {
    auto words = SplitLine(*line);
    if (!words.ok()) {
      result = session.Fail(words.status());
      continue;
    }
    if (words->empty()) continue;
    const std::string& command = words->front();
    if (command == "quit" || command == "exit") break;
    if (command == "help" && words->size() == 1) {
      PrintHelp(session);
      continue;
    }
    if (command == "help") {
      words->erase(words->begin());
      words->push_back("--help");
    }
    if (RunWords(session, *std::move(words)) == ExitCode::kError) result = ExitCode::kError;
    session.out.flush();
  }
  return result;
}

absl::StatusOr<std::vector<std::string>> SplitLine(std::string_view line) {
  std::vector<std::string> words;
  bool in_word = false;
  bool in_quotes = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if ((c == ' ' || c == '\t' || c == '\r') && !in_quotes) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (c == '"') {
      in_quotes = !in_quotes;
      continue;
    }
    words.back() += c;
    if (c == '\\' && i + 1 < line.size()) words.back() += line[++i];
  }
  if (in_quotes) return InvalidArgument("a double quote is not closed: ", Quote(line));
  return words;
}

std::vector<std::string> ReplWords() {
  std::vector<std::string> words = {"exit", "help", "quit"};
  const Line line;
  for (const CLI::App* command : Commands(line)) words.push_back(command->get_name());
  std::sort(words.begin(), words.end());
  return words;
}

}  // namespace tinykv::ctl
