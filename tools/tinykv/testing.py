"""./tinykv test: builds a preset and runs its tests.

With release and asan it grades the tasks of the course as well, with release it also runs the
script's own tests, a short soak of real processes, and the quick part of lint.
"""
from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from . import build, grade, grade_report, gtest_report, lint, packages, points, sanitizers, setup, soak
from .console import GREEN, RED, Failure, Step, colour, report, say
from .gtest_report import FailedCase, Tally
from .process import cores, follow
from .verdicts import PASSED
from .workspace import Workspace, shown

# With these the tasks of the course are graded too, each with so many seeds at most (None: as many
# as the manifest says). Tasks need gRPC, which tsan does without.
GRADED = {"release": None, "asan": 100}

# " 3/20 Test  #3: lsm_test ....   Passed    0.12 sec": the lines of ctest that tell progress.
CTEST_RESULT = re.compile(r"^\s*\d+/\d+ Test\s+#\d+: ")


def run(workspace: Workspace, preset: str) -> int:
    """The command. The last line that it prints is "N passed, N failed"."""
    total = Tally()
    try:
        setup.ensure({**packages.BUILD, **packages.LINT} if preset == "release" else packages.BUILD)
        build.build(workspace, preset)
        total.add(run_ctest(workspace, preset))
        if preset in GRADED:
            total.add(run_graders(workspace, preset))
        if preset == "release":
            total.add(run_own_tests(workspace))
            if not workspace.is_handout:
                total.add(run_soak(workspace))
            total.add(lint.run_checks(lint.quick_checks(workspace)))
    except Failure as failure:
        report(failure)
        total.failed.append(FailedCase(f"./tinykv test --preset {preset}", str(failure)))
    if total.passed == 0 and not total.failed:
        total.failed.append(FailedCase(f"./tinykv test --preset {preset}", "no test ran"))
    show(total)
    return 1 if total.failed else 0


def show(total: Tally) -> None:
    """The failed cases with their messages, the skipped ones, and the closing line."""
    for name in total.skipped:
        say(f"skipped: {name}")
    for case in total.failed:
        say(f"{colour('FAILED', RED)} {case.name}")
        for line in case.message.splitlines():
            say(f"    {line}")
    say(colour(str(total), RED if total.failed else GREEN))


def run_ctest(workspace: Workspace, preset: str) -> Tally:
    """Runs all test programs of a preset and counts their cases."""
    folder = workspace.build(preset)
    results = folder / "test-results"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir()
    junit = folder / "ctest.xml"
    junit.unlink(missing_ok=True)
    command = [
        *steady_addresses(preset),
        "ctest",
        *("--test-dir", folder),
        *("--parallel", str(cores())),
        *("--output-junit", junit),
        "--no-tests=error",
    ]
    said: list[str] = []

    def on_line(line: str) -> None:
        said.append(line)
        if CTEST_RESULT.match(line):
            say(line)

    say(f"running the tests of {preset} …")
    status = follow(command, on_line, cwd=workspace.root, env=test_environment(results))
    if not junit.exists():
        raise Failure(f"ctest ended with status {status} and no report", "\n".join(said[-40:]))
    counted = gtest_report.tally(gtest_report.programs(junit, binaries(folder)), results)
    if status != 0 and not counted.failed:
        message = "\n".join(said[-40:])
        counted.failed.append(FailedCase(f"ctest (status {status})", message))
    if counted.failed:
        say(f"what the programs printed: {shown(folder)}/Testing/Temporary/LastTest.log")
    return counted


def test_environment(results: Path) -> dict[str, str]:
    """Has GoogleTest write reports into a folder and sanitizers say where they are.

    RapidCheck draws the same programs each time, unless the caller wants others: a test that fails
    today and not tomorrow tells nobody what has changed.
    """
    return {
        "GTEST_OUTPUT": f"xml:{results}/",
        "RC_PARAMS": os.environ.get("RC_PARAMS", "seed=1"),
        **sanitizers.environment(),
    }


def run_graders(workspace: Workspace, preset: str) -> Tally:
    """Grades all tasks of the course; each counts as a test case."""
    counted = Tally()
    try:
        points.check_holes(workspace, points.load(workspace))
        wishes = grade.Wishes(preset=preset, seeds_max=GRADED[preset])
        graded = grade.grade(workspace, wishes, quiet=False)
    except Failure as failure:
        counted.failed.append(FailedCase(f"grade: {points.MANIFEST}", str(failure)))
        return counted
    for task in graded.tasks:
        if task.verdict == PASSED:
            counted.passed += 1
        else:
            message = "\n".join([task.verdict, *grade_report.details(task)])
            counted.failed.append(FailedCase(f"grade: {task.task}", message))
    counted.failed += [FailedCase(f"grade: {points.MANIFEST}", error) for error in graded.errors]
    return counted


def steady_addresses(preset: str) -> list[str]:
    """A prefix that switches address randomisation off for ThreadSanitizer.

    On kernels that use all 32 bits of it the older runtimes stop with "unexpected memory mapping".
    """
    prefix = ["setarch", platform.machine(), "--addr-no-randomize"]
    if preset != "tsan" or shutil.which("setarch") is None:
        return []
    allowed = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    return prefix if allowed else []


def binaries(folder: Path) -> dict[str, str]:
    """The name of the executable of each ctest case."""
    command = ["ctest", "--test-dir", folder, "--show-only=json-v1"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    cases = json.loads(answer)["tests"]
    return {case["name"]: Path(case["command"][0]).name for case in cases if "command" in case}


def run_own_tests(workspace: Workspace) -> Tally:
    """Runs the tests of this script, tools/tests."""
    loader = unittest.TestLoader()
    suite = loader.discover(str(workspace.tools / "tests"), top_level_dir=str(workspace.tools))
    result = unittest.TestResult()
    result.buffer = True
    with Step("testing the script itself") as step:
        suite.run(result)
        troubles = [*result.failures, *result.errors]
        step.result(f"{result.testsRun - len(troubles)} of {result.testsRun} passed")
    failed = [FailedCase(str(case), text) for case, text in troubles]
    skipped = [str(case) for case, _ in result.skipped]
    return Tally(result.testsRun - len(failed) - len(skipped), failed, skipped)


def run_soak(workspace: Workspace) -> Tally:
    """Breaks a cluster of real processes once in each way; each counts as a test case."""
    say("breaking three stores under load …")
    outcome = soak.once(workspace)
    failed = [
        FailedCase(f"soak: {verdict.name}", verdict.figures)
        for verdict in outcome.verdicts
        if not verdict.passed
    ]
    if outcome.failure:
        failed.append(FailedCase("./tinykv soak", outcome.failure))
    passed = len(outcome.faults) + sum(verdict.passed for verdict in outcome.verdicts)
    return Tally(passed, failed, [f"soak: {why}" for why in outcome.left_out])
