// tinykv-ctl: the command-line client.
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <string>

#include <CLI/CLI.hpp>

#include "common/client/ctl/arguments.h"
#include "common/client/ctl/line_editor.h"
#include "common/client/ctl/repl.h"
#include "common/client/ctl/running_cluster.h"
#include "common/client/ctl/session.h"
#include "common/client/raw_client.h"
#include "common/env/clock.h"
#include "common/env/prepare_threads.h"
#include "common/status.h"

namespace tinykv::ctl {
namespace {

constexpr char kDescription[] =
    "tinykv-ctl: read and write the keys of a TinyKV store or cluster.\n"
    "Without a command it starts a session that reads commands, with a history.\n";

constexpr char kFooter[] =
    "Examples:\n"
    "  tinykv-ctl raw put hello world\n"
    "  tinykv-ctl raw get hello\n"
    "  tinykv-ctl --json raw scan a --end b --limit 10\n"
    "  tinykv-ctl raw put photo --value-file photo.jpg\n"
    "  tinykv-ctl dump all.tsv && tinykv-ctl --address 10.0.0.7:20160 load all.tsv\n"
    "  tinykv-ctl cluster\n"
    "  tinykv-ctl backup monday\n"
    "\n"
    "Without --address it talks to what ./tinykv up has started in this folder or one above it,\n"
    "or else to 127.0.0.1:20160. Of a cluster, one store is enough while that runs: it says where\n"
    "the leader is. With several, it goes on to the next where one does not answer.\n"
    "\n"
    "With --json each result is an object on a line of its own, in which keys and values are\n"
    "escaped as on the command line (\\xNN for the byte NN), before JSON's own escapes:\n"
    "  get          {\"key\":\"a\",\"cf\":\"default\",\"found\":true,\"value\":\"1\"}\n"
    "  put, delete  {\"key\":\"a\",\"cf\":\"default\",\"ok\":true}\n"
    "  scan         {\"key\":\"a\",\"value\":\"1\"}\n"
    "  load, dump   {\"records\":3,\"bytes\":30,\"seconds\":0.1}\n"
    "  cluster      {\"store\":1,\"address\":\"…\",\"answers\":true,…}, "
    "{\"region\":1,\"leader\":2,…}\n"
    "  backup       {\"store\":1,\"directory\":\"…\",\"applied\":9,\"bytes\":30}\n"
    "  errors       {\"error\":\"what happened\",\"code\":\"UNAVAILABLE\"}\n"
    "\n"
    "Exit status: 0 done or found, 1 the key is not there or the cluster is not whole, 2 an\n"
    "error. A session whose commands come from a file or pipe ends with 2 if one of them failed.\n"
    "\"tinykv-ctl raw get --help\" says more about a command.";

struct GlobalOptions {
  std::optional<std::string> address;
  double deadline_seconds = 5;
  bool json = false;
};

void AddGlobalOptions(CLI::App& app, GlobalOptions& options) {
  app.add_option("--address", options.address,
                 "The store, or several of a cluster, or environment TINYKV_ADDRESS")
      ->type_name("HOST:PORT,…")
      ->envname("TINYKV_ADDRESS");
  const std::map<std::string, double> units = {{"ms", 0.001}, {"s", 1}, {"m", 60}};
  CLI::AsNumberWithUnit with_unit(
      units, CLI::AsNumberWithUnit::Options(CLI::AsNumberWithUnit::UNIT_REQUIRED));
  with_unit.description("");  // ours says it better
  app.add_option("--deadline", options.deadline_seconds,
                 "How long to try before a call has failed, as 500ms, 5s or 1m [5s]")
      ->transform(with_unit)
      ->type_name("TIME");
  app.add_flag("--json", options.json, "Print one JSON object a line, errors included");
}

int Exit(ExitCode code) { return static_cast<int>(code); }

// Where the stores are that are meant.
absl::StatusOr<std::string> AddressOf(const GlobalOptions& options) {
  if (options.address) return *options.address;
  std::error_code error;
  const std::string folder = std::filesystem::current_path(error);
  if (error) return ClientOptions().address;  // it was deleted
  TKV_ASSIGN_OR_RETURN(const auto running, AddressesOfRunningCluster(folder));
  return running.value_or(ClientOptions().address);
}

ExitCode RunSession(Session& session, const std::string& address) {
  if (!isatty(STDIN_FILENO)) {
    session.in = nullptr;
    return RunRepl(session, []() -> std::optional<std::string> {
      std::string line;
      if (!std::getline(std::cin, line)) return std::nullopt;
      return line;
    });
  }
  const bool is_cluster = address.find(',') != std::string::npos;
  std::cout << (is_cluster ? "Stores " : "Store ") << address
            << ". Type help for the commands, Ctrl-D to end.\n";
  session.in = nullptr;
  LineEditor editor({.prompt = is_cluster ? "tinykv> " : Concat(address, "> "),
                     .words = ReplWords(),
                     .history_path = DefaultHistoryPath()});
  RunRepl(session, [&] { return editor.Next(); });
  return ExitCode::kOk;  // whoever sat there has seen the errors
}

ExitCode Run(const GlobalOptions& options, const Arguments& arguments) {
  const std::chrono::duration<double> deadline(options.deadline_seconds);
  const auto address = AddressOf(options);
  const ClientOptions client_options = {.address = address.ok() ? *address : "",
                                        .deadline = std::chrono::duration_cast<Duration>(deadline),
                                        .seed = std::random_device()()};
  const auto client = address.ok() ? RawClient::Open(client_options) : address.status();
  if (!client.ok()) {
    std::cerr << "tinykv-ctl: " << MessageOf(client.status()) << '\n';
    return ExitCode::kError;
  }
  Session session{.client = **client,
                  .options = client_options,
                  .clock = SystemClock(),
                  .out = std::cout,
                  .err = std::cerr,
                  .json = options.json,
                  .in = &std::cin,
                  .show_progress = isatty(STDERR_FILENO) == 1};
  const ExitCode code =
      arguments.run != nullptr ? arguments.run(session, arguments) : RunSession(session, *address);
  if (!std::cout.flush()) {
    std::cerr << "tinykv-ctl: " << MessageOf(ErrnoStatus("write", "standard output", errno))
              << '\n';
    return ExitCode::kError;
  }
  return code;
}

int Main(int argc, char** argv) {
  CLI::App app(kDescription);
  // So that --json may also stand behind the command.
  app.fallthrough();
  GlobalOptions options;
  AddGlobalOptions(app, options);
  Arguments arguments;
  AddRawCommands(*app.add_subcommand("raw", "get, put, delete, scan"), arguments);
  AddTransferCommands(app, arguments);
  AddClusterCommands(app, arguments);
  const CLI::App* const help = app.add_subcommand("help", "the same as --help");
  app.footer(kFooter);                        // last: the commands would inherit it
  const std::string whole_help = app.help();  // once it has parsed, it tells of the command given
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return Exit(ExitCode::kOk);
  } catch (const CLI::ParseError& error) {
    std::cerr << "tinykv-ctl: " << error.what() << "; see tinykv-ctl --help\n";
    return Exit(ExitCode::kError);
  }
  if (help->parsed()) {
    std::cout << whole_help;
    return Exit(ExitCode::kOk);
  }
  if (app.got_subcommand("raw") && arguments.run == nullptr) {
    std::cerr << "tinykv-ctl: " << kRawAlone << "; see tinykv-ctl --help\n";
    return Exit(ExitCode::kError);
  }
  return Exit(Run(options, arguments));
}

}  // namespace
}  // namespace tinykv::ctl

int main(int argc, char** argv) {
  tinykv::PrepareThreads();
  return tinykv::ctl::Main(argc, argv);
}
