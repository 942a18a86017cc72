"""A copy of the tree in which mutants are built and graded, one after the other.

It is kept from run to run, and only files that differ are written, so that a build compiles what
changed and no more. Whatever an interrupted run left in it, restore() mends.
"""
from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import build, gtest_report, handout, mutant_files, task_process, verdicts
from .console import duration
from .grade_report import first_error, first_errors
from .process import cores
from .task_process import Interrupted
from .workspace import Workspace, shown

PRESET = "release"

# Of a test program; the tasks have limits of their own in the manifest.
TEST_SECONDS_MAX = 300
# How many programs a property of RapidCheck tries.
PROPERTY_RUNS = 300

# How long a program that is called off has to end what it started.
END_SECONDS_MAX = 10
POLL_SECONDS = 0.1

SENTENCE_LENGTH_MAX = 300

RUNNING_CASE = re.compile(r"^\[ RUN      \] (\S+)", re.MULTILINE)
PLACE = re.compile(r"\S+:\d+:?")


@dataclass(frozen=True)
class Found:
    """What a task or a test program made of a tree."""

    task: str  # of a test program: "PROGRAM: CASE"
    verdict: str  # one of verdicts.ALL
    sentence: str = ""
    seed: int | None = None
    seconds: float = 0.0

    @property
    def is_kill(self) -> bool:
        """Whether it has seen that something is wrong."""
        failures = (verdicts.WRONG, verdicts.STUCK, verdicts.CRASHED, verdicts.TOO_SLOW)
        return self.verdict in failures


class Broken(Exception):
    """The tree does not compile, or its graders do not run."""


class Bench:
    """A tree below build/mutants, and what is done in it."""

    def __init__(
        self, root: Path, reference: handout.Tree, logs: Path, stop: threading.Event
    ) -> None:
        self.tree = Workspace(root)
        self._reference = {
            name: file
            for name, file in reference.items()
            if not name.startswith(f"{mutant_files.FOLDER}/")
        }
        self._logs = logs
        self._stop = stop

    def restore(self) -> None:
        """Makes the tree the reference."""
        for name in handout.listed(self.tree) if self.tree.root.exists() else []:
            if name not in self._reference:
                (self.tree.root / name).unlink()
        handout.write(self._reference, self.tree.root)

    def build(self, targets: Sequence[str]) -> None:
        """Configures it and builds these targets; a Failure says why that does not work."""
        build.build(self.tree, PRESET, targets)

    def run(
        self, name: str, tasks: Sequence[str], tests: Sequence[str], seeds: int | None
    ) -> list[Found]:
        """Builds what is needed, and runs tasks and test programs; `name` is that of the log."""
        found = self._grade(name, tasks, seeds) if tasks else []
        if tests:
            self._compile(name, tests)
        return found + [self._run_test(test, seeds) for test in tests]

    def log(self, name: str) -> Path:
        """Where what the programs print goes to."""
        return self._logs / f"{name}.log"

    def _grade(self, name: str, tasks: Sequence[str], seeds: int | None) -> list[Found]:
        """Grades with the tree's own script."""
        report = self._logs / f"{name}.json"
        report.unlink(missing_ok=True)
        command = [self.tree.root / "tinykv", "grade", "--preset", PRESET, "--json", report]
        command += [word for task in tasks for word in ("--only", task)]
        command += [] if seeds is None else ["--seeds", seeds]
        self._call(name, command)
        try:
            read = json.loads(report.read_text(encoding="utf-8"))["tasks"]
            found = [found_of(task) for task in read]
        except (OSError, ValueError, KeyError):
            raise Broken(f"no report of the graders; see {shown(self.log(name))}") from None
        for one in found:
            if one.verdict == verdicts.NOT_BUILT:
                raise Broken(one.sentence)
        return sorted(found, key=lambda one: tasks.index(one.task))

    def _compile(self, name: str, targets: Sequence[str]) -> None:
        """Builds targets of a tree that was built before."""
        command = ["cmake", "--build", self.tree.build(PRESET), "--parallel", cores()]
        begin = self.log(name).stat().st_size if self.log(name).exists() else 0
        if self._call(name, [*command, "--target", *targets]) != 0:
            said = self.log(name).read_bytes()[begin:].decode(errors="replace")
            error = first_error(first_errors(said)).replace(f"{self.tree.root}/", "")
            raise Broken(f"{' and '.join(targets)} could not be built: {error}")

    def _call(self, name: str, command: Sequence[object]) -> int:
        """Runs a program, adding what it prints to a log; its exit status."""
        with self.log(name).open("ab") as file:
            child = subprocess.Popen(
                [str(word) for word in command],
                cwd=self.tree.root,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                process_group=0,
                env={**os.environ, **build.cache_settings(self.tree)},
            )
            try:
                while (status := patiently(child)) is None:
                    if self._stop.is_set():
                        raise Interrupted
                return status
            except BaseException:
                end(child)
                raise

    def _run_test(self, program: str, seeds: int | None) -> Found:
        """Runs a test program up to its first case that fails."""
        results = self._logs / f"{self.tree.root.name}-{program}"
        shutil.rmtree(results, ignore_errors=True)
        results.mkdir()
        parameters = f"seed=1 max_success={seeds or PROPERTY_RUNS}"
        try:
            ended = task_process.run(
                [
                    *("env", f"RC_PARAMS={os.environ.get('RC_PARAMS', parameters)}"),
                    *(f"GTEST_OUTPUT=xml:{results}/", self.tree.program(PRESET, program)),
                    "--gtest_fail_fast",
                ],
                cwd=self.tree.root,
                limit_seconds=TEST_SECONDS_MAX,
                stop=self._stop,
                result_flag=None,
            )
            return found_of_test(program, ended, results, self.tree.root)
        finally:
            shutil.rmtree(results, ignore_errors=True)


def found_of(task: Mapping) -> Found:
    """A task in the report of ./tinykv grade."""
    return Found(task["task"], task["verdict"], task["sentence"], task["seed"], task["seconds"])


def found_of_test(program: str, ended: task_process.Ended, results: Path, root: Path) -> Found:
    """What the end of a test program and its report mean."""

    def found(task: str, verdict: str, sentence: str = "") -> Found:
        sentence = sentence.replace(f"{root}/", "")
        return Found(task, verdict, sentence, None, round(ended.seconds, 3))

    begun = RUNNING_CASE.findall(ended.stdout)
    running = f"{program}: {begun[-1]}" if begun else program
    if ended.over_limit:
        given_up = f"It was given up after {duration(TEST_SECONDS_MAX)}."
        return found(running, verdicts.TOO_SLOW, given_up)
    reports = gtest_report.reports_of(results, program)
    ran = gtest_report.Program(program, program, ended.status == 0, "", ended.stderr)
    counted = gtest_report.tally([ran], results)
    if reports and counted.failed and counted.failed[0].name != program:
        case = counted.failed[0]
        return found(case.name, verdicts.WRONG, sentence_of(case.message))
    if ended.status == 0 and reports:
        nothing = counted.passed == 0
        return found(program, verdicts.NOT_RUN if nothing else verdicts.PASSED)
    if ended.status in (126, 127) and not begun:  # env could not start it
        return found(program, verdicts.NOT_RUN, ended.stderr.strip())
    check = [line for line in ended.stderr.splitlines() if "check failed: " in line][:1]
    return found(running, verdicts.CRASHED, " ".join([verdicts.crash(ended), *check]))


def sentence_of(message: str) -> str:
    """What GoogleTest or RapidCheck says of a failed case, in one line without the places."""
    lines = [line.strip() for line in message.splitlines()]
    said = [line for line in lines if line and line != "Failed" and not PLACE.fullmatch(line)]
    if said and said[0].startswith("Falsifiable "):
        # Then come the program and, after the call of a macro, why it fails.
        calls = [number for number, line in enumerate(said) if line.startswith("RC_")]
        if calls and calls[-1] + 1 < len(said):
            said = [said[calls[-1] + 1], f"({said[0]})"]
    text = " ".join(said)
    return text if len(text) <= SENTENCE_LENGTH_MAX else text[: SENTENCE_LENGTH_MAX - 1] + "…"


def patiently(child: subprocess.Popen) -> int | None:
    """The exit status of a child, once it has one."""
    try:
        return child.wait(POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def end(child: subprocess.Popen) -> None:
    """Ends a child and its group, which gets the time to end in peace."""
    if child.returncode is not None:
        return
    child.terminate()
    deadline = time.monotonic() + END_SECONDS_MAX
    while not task_process.has_ended(child.pid) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    # A zombie still, so that its group's id is nobody else's.
    task_process.kill_group(child.pid)
    child.wait()
