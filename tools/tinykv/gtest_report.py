"""Counts test cases: out of ctest's report of programs and GoogleTest's reports of cases."""
from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

# Where a sanitizer's report begins in a program's output.
MARKS = re.compile(r"WARNING: ThreadSanitizer|ERROR: \w+Sanitizer|runtime error:")
DETAILS_LINES_MAX = 60


@dataclass(frozen=True)
class FailedCase:
    """A case that failed, and what it said."""

    name: str
    message: str


@dataclass
class Tally:
    """What the closing line counts, and what is shown above it."""

    passed: int = 0
    failed: list[FailedCase] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Counts another's cases too."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self) -> str:
        return f"{self.passed} passed, {len(self.failed)} failed"


@dataclass(frozen=True)
class Program:
    """One ctest case: a test program that ran."""

    name: str
    binary: str  # the name of its executable, which names GoogleTest's report
    passed: bool
    reason: str  # ctest's word for what went wrong: Failed, Timeout, SEGFAULT …
    output: str


def programs(junit: Path, binaries: dict[str, str]) -> list[Program]:
    """Reads ctest's report. `binaries` maps ctest cases to their executables."""
    found = []
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        name = case.get("name", "")
        trouble = case.find("failure")
        if trouble is None:
            trouble = case.find("skipped")
        passed = case.get("status") == "run"
        reason = "" if trouble is None else trouble.get("message", "")
        output = case.findtext("system-out") or ""
        found.append(Program(name, binaries.get(name, name), passed, reason, output))
    return found


def tally(ran: Iterable[Program], results: Path) -> Tally:
    """Counts the cases of all programs. `results` holds the reports of this run and no others."""
    total = Tally()
    for program in ran:
        reports = reports_of(results, program.binary)
        cases = Tally()
        for report in reports:
            cases.add(cases_of(report, program.name))
        if not program.passed and not cases.failed:
            # It crashed, or timed out, or a sanitizer spoke after the last case.
            message = f"{program.reason or 'Failed'}\n{excerpt(program.output)}"
            cases.failed.append(FailedCase(program.name, message))
        elif program.passed and not reports:
            cases.passed += 1  # not a GoogleTest program: its exit status is its one case
        total.add(cases)
    return total


def reports_of(results: Path, binary: str) -> list[Path]:
    """A program's reports: NAME.xml, and NAME_1.xml … where it ran more than once."""
    pattern = re.compile(rf"{re.escape(binary)}(_\d+)?\.xml")
    return [file for file in sorted(results.glob("*.xml")) if pattern.fullmatch(file.name)]


def cases_of(report: Path, program: str) -> Tally:
    """Reads one report of GoogleTest."""
    try:
        root = ElementTree.parse(report).getroot()
    except ElementTree.ParseError as error:
        return Tally(failed=[FailedCase(program, f"{report.name} is cut off: {error}")])
    found = Tally()
    for case in root.iter("testcase"):
        if case.get("status") == "notrun":
            continue
        name = f"{program}: {case.get('classname')}.{case.get('name')}"
        failures = [failure.get("message", "") for failure in case.iter("failure")]
        if failures:
            found.failed.append(FailedCase(name, shortened("\n".join(failures))))
        elif case.get("result") == "skipped":
            found.skipped.append(name)
        else:
            found.passed += 1
    return found


def excerpt(output: str, lines_max: int | None = DETAILS_LINES_MAX) -> str:
    """The part of a program's output that tells most: a sanitizer's report, or else the end."""
    lines = output.splitlines()
    for number, line in enumerate(lines):
        if MARKS.search(line):
            return "\n".join(lines[number:][:lines_max])
    return "\n".join(lines[-DETAILS_LINES_MAX:])


def shortened(message: str) -> str:
    """The beginning of a long message."""
    lines = message.splitlines()
    if len(lines) <= DETAILS_LINES_MAX:
        return message
    rest = len(lines) - DETAILS_LINES_MAX
    return "\n".join([*lines[:DETAILS_LINES_MAX], f"… and {rest} lines more"])
