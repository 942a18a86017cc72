"""Reads the command line and calls a command."""
from __future__ import annotations

import argparse
import math
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from . import address, bench, build, cluster, grade, lint, plans, setup, soak, testing
from .console import BOLD, Failure, UsageError, colour, did_you_mean, report, say, warn
from .workspace import Workspace, here

INTERRUPTED = 130  # what shells report for a program ended by Ctrl-C

# The commands in the order of the help, in groups: name -> one line.
COMMANDS = {
    "Run a server": {
        "up": "build a server or a cluster, start it, and say how to talk to it",
        "status": "say what runs, where it is and how it does",
        "down": "stop it; its data stays",
    },
    "Work on the project": {
        "build": "compile it: release (default), debug, asan or tsan",
        "grade": "grade the tasks of the course, and say what is wrong and how to see it again",
        "test": "build, run all tests and house rules; ends with 'N passed, N failed'",
        "lint": "check layout, static analysis and the house rules",
        "bench": "measure it, side by side with a yardstick",
        "soak": "load a cluster, break it again and again, and check every answer",
    },
    "Prepare the machine": {
        "setup": "install the packages that are missing (the others do it by themselves)",
    },
    "Teach the course": {
        "handout": "make the tree that students get, and prove that it works",
        "mutants": "grade the graders: each planted bug must be found",
    },
}

# What a hand-out does not have.
REFERENCE_ONLY = {"handout", "mutants"}

STATUS_JSON = """\
--json prints one object:
  state    serving, starting, silent (it runs and does not answer), crashed or
           stopped; with several servers, that of the sickest
  stage    the stage that is up, null where nothing is
  servers  for each: name (the program, or store-N of a cluster), pid, address,
           status_address, data, log, state, and
           report, its answer to GET /status (null where there is none)
"""

UP_HELP = f"""\
A flag wins over the configuration file. Without --stage, what is up already is meant, or
else the newest stage that is complete.

Of a cluster (from stage 2 on), the addresses are those of store 1, by default
{plans.FIRST_STORE_LISTEN_DEFAULT} and {plans.FIRST_STORE_STATUS_LISTEN_DEFAULT}; store 2 takes the ports after them, and so
on. Its data is in DIR/store-1, DIR/store-2 … Where none of these is there yet, a new
cluster begins. Where some stores of a cluster have died, up starts these again.
"""

BENCH_HELP = """\
usage: ./tinykv bench WHAT [--against NAMES] [--json FILE] [FLAGS]

Builds tinykv-bench and runs it. WHAT is
  server   raw gets and puts over gRPC, beside an empty call on the same server
  cluster  three stores on this machine: puts and gets, beside an empty call and,
           with --against etcd, beside three servers of etcd's; of all servers
           also the processor time, and what they write to disks
  raft     proposals through three Raft cores in memory, beside three plain logs

  --against NAMES  peers to measure too, with commas; cluster has etcd, which is
                   installed if it is missing
  --json FILE      write the rows to FILE too: {"rows": [{"workload": ...,
                   "subject": ..., "ops_per_second": ..., "p50_ms": ...,
                   "p99_ms": ..., ...}]}

All flags go to tinykv-bench; ./tinykv bench WHAT --help lists those of WHAT.
"""


HANDOUT_USAGE = """\
./tinykv handout DIR [--release OWNER/REPOSITORY@COMMIT]
       ./tinykv handout --check [--only PROOF] [--seeds N] [--write-graph] [--json FILE]"""


GRADE_HELP = """\
Exits 0 only if every task that was asked for has passed. docs/grading.md says what is
in the files, and the book (docs/book/grading.md) how to read a failure.
"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line and suggest what was meant."""

    def __init__(self, **settings) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} -h)")

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """Reads all words; one too many is an error."""
        arguments, unknown = self.parse_known_args(words)
        if unknown:
            flags = [flag for action in self._actions for flag in action.option_strings]
            guess = did_you_mean(unknown[0].split("=")[0], flags)
            self.error(f"'{unknown[0]}' means nothing here{guess}")
        return arguments


def main(words: Sequence[str]) -> int:
    """Runs the command that `words` name; the script's exit status."""
    sys.stdout.reconfigure(errors="replace")
    sys.stderr.reconfigure(errors="replace")
    signal.signal(signal.SIGTERM, interrupt)
    try:
        return dispatch(here(), list(words))
    except Failure as failure:
        report(failure)
        return failure.exit_code
    except KeyboardInterrupt:
        print(file=sys.stderr)
        warn("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone; leave without a second error when Python flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        report(Failure(f"{where}{error.strerror or error}"))
        return 1


def interrupt(_number: int, _frame: object) -> NoReturn:
    """Makes a polite request to end the same as Ctrl-C: commands clean up on their way out."""
    raise KeyboardInterrupt


def dispatch(workspace: Workspace, words: list[str]) -> int:
    """Finds the command and hands it the rest of the words."""
    if not words or words[0] in ("-h", "--help", "help"):
        say(help_text(workspace))
        return 0
    name, rest = words[0], words[1:]
    handlers: dict[str, Callable[[Workspace, list[str]], int]] = {
        "setup": setup_command,
        "build": build_command,
        "up": up_command,
        "status": status_command,
        "down": down_command,
        "grade": grade_command,
        "test": test_command,
        "lint": lint_command,
        "bench": bench_command,
        "soak": soak_command,
        "handout": handout_command,
        "mutants": mutants_command,
    }
    if workspace.is_handout:
        handlers = {name: run for name, run in handlers.items() if name not in REFERENCE_ONLY}
    if name not in handlers:
        guess = did_you_mean(name, list(handlers))
        raise UsageError(f"no command '{name}'{guess} (./tinykv -h lists them all)")
    return handlers[name](workspace, rest)


def commands(workspace: Workspace) -> dict[str, dict[str, str]]:
    """The groups of commands that a checkout has."""
    hidden = REFERENCE_ONLY if workspace.is_handout else set()
    shown = {
        title: {name: line for name, line in group.items() if name not in hidden}
        for title, group in COMMANDS.items()
    }
    return {title: group for title, group in shown.items() if group}


def help_text(workspace: Workspace) -> str:
    """What ./tinykv says when it stands alone."""
    lines = [
        "TinyKV in C++: a key-value store in four stages, and all it takes to run and test it.",
        "",
        "usage: ./tinykv COMMAND [FLAGS]",
    ]
    for title, group in commands(workspace).items():
        lines += ["", colour(title, BOLD)]
        lines += [f"  {name:<8} {line}" for name, line in group.items()]
    lines += [
        "",
        "New here? Try:  ./tinykv up",
        "What a command takes:  ./tinykv COMMAND -h",
    ]
    return "\n".join(lines)


def parser(command: str, **settings) -> Parser:
    """The parser of one command."""
    about = {name: line for group in COMMANDS.values() for name, line in group.items()}
    description = f"{about[command][0].upper()}{about[command][1:]}."
    return Parser(prog=f"./tinykv {command}", description=description, **settings)


def preset(word: str) -> str:
    """Reads a preset's name."""
    if word not in build.PRESETS:
        guess = did_you_mean(word, list(build.PRESETS))
        raise UsageError(f"no preset '{word}'{guess} (there are {', '.join(build.PRESETS)})")
    return word


def setup_command(_workspace: Workspace, words: list[str]) -> int:
    """./tinykv setup"""
    parser("setup").parse(words)
    return setup.run()


def build_command(workspace: Workspace, words: list[str]) -> int:
    """./tinykv build [PRESET]"""
    presets = "\n".join(f"  {name:<8} {text}" for name, text in build.PRESETS.items())
    reader = parser("build", epilog=f"presets:\n{presets}\n\nPrograms come to build/PRESET/bin.")
    reader.add_argument(
        "preset",
        nargs="?",
        default="release",
        metavar="PRESET",
        type=preset,
        help="see below",
    )
    return build.run(workspace, reader.parse(words).preset)


def up_command(workspace: Workspace, words: list[str]) -> int:
    """./tinykv up …"""
    reader = parser("up", epilog=UP_HELP)
    flag = reader.add_argument
    newest = plans.newest(workspace)
    flag(
        "--stage",
        type=int,
        metavar="N",
        help=f"which server (default: the newest that is complete, {newest})",
    )
    stores = plans.STORES_DEFAULT
    flag("--stores", type=int, metavar="N", help=f"how many, from stage 2 on (default: {stores})")
    flag("--data", metavar="DIR", help="where its data is (default: .tinykv/stageN/data)")
    flag(
        "--listen",
        metavar="HOST:PORT",
        help=f"where it serves clients (default: {plans.LISTEN_DEFAULT}; a cluster: see below)",
    )
    flag(
        "--status-listen",
        metavar="HOST:PORT",
        help=f"where its status page and metrics are (default: {plans.STATUS_LISTEN_DEFAULT}; the same)",
    )
    flag("--config", metavar="FILE", help="a configuration in TOML")
    return cluster.up(workspace, wishes_of(workspace, reader.parse(words)))


def wishes_of(workspace: Workspace, arguments: argparse.Namespace) -> plans.Wishes:
    """The flags of `up`, read; paths are made absolute, as the server's log will name them."""

    def path(text: str | None) -> Path | None:
        return None if text is None else Path(os.path.abspath(text))

    def place(text: str | None, flag: str) -> address.Address | None:
        return None if text is None else address.parse(text, flag)

    return plans.Wishes(
        stage=cluster.stage_meant(workspace) if arguments.stage is None else arguments.stage,
        stores=arguments.stores,
        data=path(arguments.data),
        listen=place(arguments.listen, "--listen"),
        status_listen=place(arguments.status_listen, "--status-listen"),
        config=path(arguments.config),
    )


def status_command(workspace: Workspace, words: list[str]) -> int:
    """./tinykv status [--json]"""
    reader = parser("status", epilog=f"Exits 0 if it serves, else 1.\n\n{STATUS_JSON}")
    reader.add_argument("--json", action="store_true", help="for programs")
    return cluster.status(workspace, reader.parse(words).json)


def down_command(workspace: Workspace, words: list[str]) -> int:
    """./tinykv down"""
    parser("down").parse(words)
    return cluster.down(workspace)


def test_command(workspace: Workspace, words: list[str]) -> int:
    """./tinykv test [--preset P]"""
    reader = parser("test", epilog="Lint and the script's own tests run with release only.")
    reader.add_argument(
        "--preset",
        default="release",
        metavar="PRESET",
        type=preset,
        help=f"{', '.join(build.PRESETS)} (default: release)",
    )
    return testing.run(workspace, reader.parse(words).preset)


def grade_command(workspace: Workspace, words: list[str]) -> int:
    """./tinykv grade …"""
    reader = parser("grade", epilog=GRADE_HELP)
    flag = reader.add_argument
    flag("parts", nargs="*", metavar="PART", help="which part of the course, for example 1; all unless told")
    flag("--only", action="append", default=[], metavar="TASK", help="this task; may be repeated")
    flag(
        "--preset",
        default="release",
        metavar="PRESET",
        type=preset,
        help=f"{', '.join(grade.SLOWNESS)} (default: release)",
    )
    flag("--seed", type=seed, metavar="N", help="this seed alone, to repeat a failure")
    flag("--seeds", type=seed_count, metavar="N", help="how many seeds a task, not the usual number")
    flag("--seed-base", type=seed, metavar="N", help="the first seed (default: 1)")
    flag("--trace", action="store_true", help="draw the run, the last one of --only TASK, as a page in build/traces")
    flag("--json", type=Path, metavar="FILE", help="write the result there too; - is stdout")
    flag("--junit", type=Path, metavar="FILE", help="the same for CI systems")
    read = reader.parse(words)
    if read.trace and len(read.only) != 1:
        reader.error("--trace draws one run: name one task with --only")
    if read.preset not in grade.SLOWNESS:
        reader.error(f"nothing is graded with {read.preset}, which leaves out all that needs gRPC")
    if read.seed is not None and (read.seeds is not None or read.seed_base is not None):
        reader.error("--seed is one seed; --seeds and --seed-base are for several")
    wishes = grade.Wishes(
        parts=read.parts,
        only=read.only,
        preset=read.preset,
        seed=read.seed,
        seeds=read.seeds,
        seed_base=1 if read.seed_base is None else read.seed_base,
        trace=read.trace,
    )
    return grade.run(workspace, wishes, read.json, read.junit)


def seed(word: str) -> int:
    """Reads a seed."""
    if not word.isascii() or not word.isdigit() or int(word) > grade.SEED_MAX:
        raise UsageError(f"'{word}' is no seed; they are whole numbers from 0 on, of 64 bits")
    return int(word)


def seed_count(word: str) -> int:
    """Reads how many seeds to run."""
    if not word.isascii() or not word.isdigit() or not 0 < int(word) <= grade.SEEDS_MAX:
        raise UsageError(f"--seeds '{word}' is to be a number from 1 to {grade.SEEDS_MAX}")
    return int(word)


def lint_command(workspace: Workspace, words: list[str]) -> int:
    """./tinykv lint [--fix]"""
    reader = parser("lint")
    reader.add_argument("--fix", action="store_true", help="run clang-format on all files first")
    return lint.run(workspace, reader.parse(words).fix)


def bench_command(workspace: Workspace, words: list[str]) -> int:
    """./tinykv bench WHAT …"""
    if words and words[0] in ("-h", "--help"):
        say(BENCH_HELP.rstrip())
        return 0
    if not words or words[0].startswith("-"):
        raise UsageError("bench what? Try ./tinykv bench server, or ./tinykv bench -h")
    return bench.run(workspace, words)


def soak_command(workspace: Workspace, words: list[str]) -> int:
    """./tinykv soak …"""
    reader = parser("soak", epilog=soak.HELP)
    flag = reader.add_argument
    flag("--minutes", type=minutes, default=0.0, metavar="M", help="how long, at least (default: each fault once)")
    flag("--seed", type=seed, default=1, metavar="N", help="of faults and load (default: 1)")
    flag("--rate", type=rate, default=soak.RATE_DEFAULT, metavar="N",
         help=f"calls per second, half of them writes (default: {soak.RATE_DEFAULT})")
    flag("--only", action="append", default=[], choices=soak.FAULT_NAMES, metavar="FAULT",
         help="this fault; may be repeated")
    flag("--network", choices=soak.NETWORKS, help="how the network is cut (default: what is allowed)")
    flag("--json", type=Path, metavar="FILE", help="write what came of it there too")
    read = reader.parse(words)
    wishes = soak.Wishes(read.minutes, read.seed, read.rate, read.network, read.only, read.json)
    return soak.command(workspace, wishes)


def minutes(word: str) -> float:
    """Reads how long to soak."""
    try:
        found = float(word)
    except ValueError:
        found = math.nan
    if not 0 < found <= 60 * 24 * 7:
        raise UsageError(f"--minutes '{word}' is to be a number above 0, of a week at most")
    return found


def rate(word: str) -> int:
    """Reads how many calls per second."""
    if not word.isascii() or not word.isdigit() or not 0 < int(word) <= 1_000_000:
        raise UsageError(f"--rate '{word}' is to be a number from 1 to 1000000")
    return int(word)


def mutants_command(workspace: Workspace, words: list[str]) -> int:
    """./tinykv mutants [ID…]"""
    from . import mutants  # a hand-out does not have them

    reader = parser("mutants", epilog=mutants.HELP)
    flag = reader.add_argument
    flag("ids", nargs="*", metavar="ID", help="S03, or S03+S07 for both at once; all unless told")
    flag("--jobs", type=job_count, default=1, metavar="N", help="how many at a time (default: 1)")
    flag("--seeds", type=seed_count, metavar="N", help="how many seeds a task, not the usual number")
    flag("--json", type=Path, metavar="FILE", help="write what came of each, see below")
    flag("--list", action="store_true", help="only say which there are")
    read = reader.parse(words)
    if read.list:
        return mutants.show_list(workspace, read.ids)
    return mutants.run(workspace, mutants.Wishes(read.ids, read.jobs, read.seeds, read.json))


def job_count(word: str) -> int:
    """Reads how many trees to work in."""
    if not word.isascii() or not word.isdigit() or not 0 < int(word) <= 64:
        raise UsageError(f"--jobs '{word}' is to be a number from 1 to 64")
    return int(word)


def handout_command(workspace: Workspace, words: list[str]) -> int:
    """./tinykv handout DIR | --check"""
    from . import ablation, handout  # a hand-out does not have them

    reader = parser("handout", usage=HANDOUT_USAGE, epilog=ablation.HELP)
    flag = reader.add_argument
    flag("folder", nargs="?", type=Path, metavar="DIR", help="a new or empty folder")
    flag(
        "--release",
        metavar="OWNER/REPOSITORY@COMMIT",
        help="the trusted hand-out that the workflow of this one takes its graders from",
    )
    flag("--check", action="store_true", help="see below")
    flag("--only", choices=ablation.PROOFS, help="with --check: one of the proofs")
    flag(
        "--seeds",
        type=seed_count,
        default=ablation.SEEDS,
        metavar="N",
        help=f"with --check: how many seeds a task (default: {ablation.SEEDS})",
    )
    flag("--write-graph", action="store_true", help="with --check: put the graphs into the book")
    flag("--json", type=Path, metavar="FILE", help="with --check: write what was found")
    arguments = reader.parse(words)
    if arguments.check == (arguments.folder is not None):
        reader.error("either DIR or --check")
    if arguments.check and arguments.release:
        reader.error("--release is for a hand-out that is written to DIR")
    if not arguments.check:
        return handout.run(workspace, arguments.folder, arguments.release)
    wishes = ablation.Wishes(
        only=arguments.only,
        seeds=arguments.seeds,
        write_graph=arguments.write_graph,
        json=arguments.json,
    )
    return ablation.run(workspace, wishes)
