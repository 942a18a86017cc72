#include "common/client/ctl/arguments.h"

#include <CLI/CLI.hpp>

#include "common/client/ctl/backup_command.h"
#include "common/client/ctl/cluster_command.h"
#include "common/client/ctl/raw_commands.h"
#include "common/client/ctl/transfer.h"
#include "common/status.h"

namespace tinykv::ctl {
namespace {

constexpr char kEscapesHelp[] =
    "Keys and values may have any bytes: \\n \\r \\t \\0 \\\" \\\\ and \\xNN are understood, and\n"
    "what is not printable ASCII is shown so. In a shell, quote them: 'a\\x00b'. A key or\n"
    "value that begins with a dash goes after \"--\".";

// A command whose parsing makes `run` what is to be done.
CLI::App* AddCommand(CLI::App& app, const std::string& name, const std::string& description,
                     Arguments& arguments, decltype(Arguments::run) run) {
  CLI::App* command = app.add_subcommand(name, description);
  command->callback([&arguments, run] { arguments.run = run; });
  return command;
}

// The same, for a command that is about keys.
CLI::App* AddKeyCommand(CLI::App& app, const std::string& name, const std::string& description,
                        Arguments& arguments, decltype(Arguments::run) run) {
  CLI::App* command = AddCommand(app, name, description, arguments, run);
  command->add_option("--cf", arguments.column_family_name, "Column family: default, lock or write")
      ->type_name("NAME")
      ->capture_default_str();
  return command;
}

void AddLiteral(CLI::App& command, Arguments& arguments) {
  command.add_flag("--raw", arguments.literal,
                   "Take and print keys and values as they stand, without escapes");
  command.footer(kEscapesHelp);
}

}  // namespace

absl::StatusOr<ColumnFamily> Arguments::column_family() const {
  return ParseColumnFamily(column_family_name);
}

absl::StatusOr<RawScannerOptions> Arguments::range() const {
  RawScannerOptions range;
  TKV_ASSIGN_OR_RETURN(range.start, BytesOfText(start, form()));
  TKV_ASSIGN_OR_RETURN(range.end, BytesOfText(end, form()));
  TKV_ASSIGN_OR_RETURN(range.column_family, column_family());
  return range;
}

void AddRawCommands(CLI::App& app, Arguments& arguments) {
  CLI::App* get = AddKeyCommand(app, "get", "Print the value of a key", arguments, &RunGet);
  get->add_option("KEY", arguments.key)->required()->type_name("");
  get->add_option("--value-file", arguments.value_file,
                  "Write the value there, byte by byte; - for standard output")
      ->type_name("FILE");
  AddLiteral(*get, arguments);

  CLI::App* put = AddKeyCommand(app, "put", "Set the value of a key", arguments, &RunPut);
  put->add_option("KEY", arguments.key)->required()->type_name("");
  CLI::Option* value =
      put->add_option("VALUE", arguments.value,
                      "- reads it from standard input, byte by byte (not with --raw)")
          ->type_name("");
  put->add_option("--value-file", arguments.value_file,
                  "Read the value from there, byte by byte; - for standard input")
      ->type_name("FILE")
      ->excludes(value);
  AddLiteral(*put, arguments);

  CLI::App* del =
      AddKeyCommand(app, "delete", "Remove a key, if it is there", arguments, &RunDelete);
  del->add_option("KEY", arguments.key)->required()->type_name("");
  AddLiteral(*del, arguments);

  CLI::App* scan = AddKeyCommand(app, "scan", "List keys and values in order", arguments, &RunScan);
  scan->add_option("START", arguments.start, "The first key; without it, the first of all")
      ->type_name("");
  scan->add_option("--end", arguments.end, "Stop before this key")->type_name("KEY");
  scan->add_option("--limit", arguments.limit, "Stop after so many; 0 means never")
      ->type_name("N")
      ->capture_default_str();
  AddLiteral(*scan, arguments);
}

void AddTransferCommands(CLI::App& app, Arguments& arguments) {
  CLI::App* load = AddKeyCommand(app, "load", "Put every line of a TSV file", arguments, &RunLoad);
  load->add_option("FILE", arguments.file, "- for standard input")->required()->type_name("");
  load->footer(
      "A line is a key, a tab and a value, both with the escapes \\t \\n \\\\ \\xNN. The first "
      "line\n"
      "that is not ends the load. Loading a file again does no harm.");

  CLI::App* dump = AddKeyCommand(app, "dump", "Write keys and values to a TSV file that load reads",
                                 arguments, &RunDump);
  dump->add_option("FILE", arguments.file, "Is overwritten; - for standard output")
      ->type_name("")
      ->capture_default_str();
  dump->add_option("--start", arguments.start, "The first key")->type_name("KEY");
  dump->add_option("--end", arguments.end, "Stop before this key")->type_name("KEY");
  AddLiteral(*dump, arguments);
  dump->footer("What is written to the store meanwhile may be in the file or not.");
}

void AddClusterCommands(CLI::App& app, Arguments& arguments) {
  CLI::App* cluster =
      AddCommand(app, "cluster", "Show how each store stands", arguments, &RunCluster);
  cluster->footer(
      "Asks the stores named, and those that these name. Of each store's part in a region:\n"
      "  role     leader, follower, candidate (it stands for election) or learner (has no vote)\n"
      "  term     grows with each election\n"
      "  first    the first entry of its log that is not compacted; last: the last one\n"
      "  commit   up to where the log is decided, as far as it knows\n"
      "  applied  up to where its data has the log\n"
      "  lag      entries that the leader knows to be decided and that its data does not have\n"
      "  epoch    how often the members of the region and its bounds were changed, from 1/1 on\n"
      "  keys     the bounds of the region\n"
      "Exit status: 0 if all stores answer and every region has a leader, else 1; 2 an error.");

  CLI::App* backup = AddCommand(app, "backup", "Make a backup of all data on the leader's disk",
                                arguments, &RunBackup);
  backup->add_option("NAME", arguments.backup_name, "Of its folder: letters, digits, - _ and .")
      ->required()
      ->type_name("");
  backup->footer(
      "It has every write that was acknowledged before. The folder is below the data directory of\n"
      "the store that leads, in backups/NAME; copy it elsewhere, and remove it when it is not\n"
      "wanted any more. To restore it, start the stores of a new cluster with --cluster.restore.\n"
      "It may take up to a minute, or --deadline if that is more.");
}

}  // namespace tinykv::ctl
