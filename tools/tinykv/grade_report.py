"""The report of ./tinykv grade as a student reads it in a terminal."""
from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable, Sequence

from . import verdicts
from .console import BOLD, GREEN, RED, colour, say, warn
from .grade_result import Report, TaskResult
from .gtest_report import MARKS
from .points import Part

COLUMNS_MAX = 100
VERDICT_WIDTH = max(map(len, verdicts.ALL))

# How many lines of each thing are shown; the rest is in --json FILE.
PROGRAM_LINES_MAX = 60
EVENTS_MAX = 30
PRINTED_LINES_MAX = 40
COMPILER_LINES_MAX = 25

# Verdicts that call for a story.
FAILED = set(verdicts.ALL) - {verdicts.PASSED, verdicts.NOT_STARTED, verdicts.NOT_BUILT}

COMPILER_ERROR = re.compile(r"\b(?:fatal )?error: |^CMake Error|undefined reference to")

# What leads to an error: "In file included from a.h:1,", "a.cc: In function …".
BEFORE_ERROR = re.compile(r"^(?:In file included |\s+from |\S+: (?:In|At) )")

# Lines of ninja: which step failed, and its command.
NINJA = re.compile(r"^(?:FAILED: |ninja: )")


def show(report: Report) -> None:
    """Prints all of it; the last line is the sum."""
    for part in report.parts:
        say()
        for line in table(report, part):
            say(line)
    for program, output in report.compiler_output.items():
        say()
        say(f"{colour(program, BOLD)} does not compile:")
        for line in wrapped(output.splitlines(), "  "):
            say(line)
    for task in stories(report):
        say()
        for line in story(task):
            say(line)
    for task in report.tasks:
        if task.trace:
            say()
            say(f"the run is drawn in {task.trace}; open it in a browser")
    for error in report.errors:
        say()
        say(f"{colour('error:', RED)} {error}")
    say()
    for remark in remarks(report):
        warn(remark)
    hint = where_to_begin(report)
    if hint:
        say(hint)
    say(colour(closing_line(report), GREEN if report.passed else RED))


def table(report: Report, part: Part) -> list[str]:
    """One line a task, below the part's title and above its points."""
    tasks = report.tasks_of(part)
    width = max(len(task.task) for task in tasks)
    lines = [colour(f"part {part.id}: {part.title}", BOLD)]
    for task in tasks:
        earned = f"{task.points}/{task.max_points}".rjust(6)
        verdict = coloured(task.verdict.ljust(VERDICT_WIDTH), task.verdict)
        begin = len(f"  {task.task:<{width}}  {'':<{VERDICT_WIDTH}}  {earned}  ")
        title = textwrap.shorten(task.title, max(columns() - begin, 20), placeholder=" …")
        lines.append(f"  {task.task:<{width}}  {verdict}  {earned}  {title}")
        if task.note:
            lines.append(f"{'':<{begin}}{task.note}")
    earned = sum(task.points for task in tasks)
    lines.append(f"part {part.id}: {earned} of {sum(task.max_points for task in tasks)} points")
    return lines


def coloured(text: str, verdict: str) -> str:
    """`text` in the colour of a verdict."""
    if verdict == verdicts.NOT_STARTED:
        return text
    return colour(text, GREEN if verdict == verdicts.PASSED else RED)


def closing_line(report: Report) -> str:
    """The sum of all parts."""
    passed = sum(task.verdict == verdicts.PASSED for task in report.tasks)
    return (
        f"{report.points} of {report.max_points} points, "
        f"{passed} of {len(report.tasks)} tasks passed"
    )


def stories(report: Report) -> list[TaskResult]:
    """The tasks of which there is more to say than their line.

    Why a program does not compile is said elsewhere, and why it cannot be run, once.
    """
    found: list[TaskResult] = []
    for task in report.tasks:
        told = task.verdict == verdicts.NOT_RUN and task.sentence in [t.sentence for t in found]
        if task.verdict in FAILED and not told:
            found.append(task)
    return found


def story(task: TaskResult) -> list[str]:
    """What went wrong and how to see it again."""
    verdict = coloured(task.verdict, task.verdict)
    lines = [f"{colour(task.task, BOLD)}  {verdict}  {task.points}/{task.max_points}", ""]
    lines += [f"  {line}".rstrip() for line in details(task)]
    return lines


def details(task: TaskResult) -> list[str]:
    """All of a story but its heading, without colours."""
    width = columns() - 2
    lines = wrapped([task.title], "", width) + [""]
    if task.sentence:
        lines += wrapped(task.sentence.splitlines(), "", width) + [""]
    if task.seed is not None:
        lines.append(f"seed {task.seed}")
    program = first(task.program.rstrip().splitlines(), PROGRAM_LINES_MAX)
    size = "made as small as possible" if task.shrunk else "not made smaller, since it died in it"
    lines += section(f"the program, {size}:", program, width)
    lines += section("the last events:", last(task.events, EVENTS_MAX), width)
    lines += section("where it was, innermost first:", task.stack, width)
    printed = task.printed.rstrip().splitlines()
    if MARKS.search(task.printed):
        lines += section("the sanitizer's report:", first(printed, PRINTED_LINES_MAX), width)
    else:
        lines += section("what it printed last:", last(printed, PRINTED_LINES_MAX), width)
    if task.draws and not task.trace:
        lines.append(f"drawn: {task.replay} --trace")
    return [*lines, f"again: {task.replay}"]


def section(title: str, content: Sequence[str], width: int) -> list[str]:
    """A title and lines below it; nothing where there are none."""
    return [title, *wrapped(content, "  ", width)] if content else []


def wrapped(lines: Iterable[str], indent: str, width: int | None = None) -> list[str]:
    """Lines that are indented and fit; what is broken goes on a little further to the right."""
    found: list[str] = []
    for line in map(printable, lines):
        own = line[: len(line) - len(line.lstrip())]
        found += textwrap.wrap(
            line,
            width or columns(),
            initial_indent=indent,
            subsequent_indent=indent + own + ("    " if indent else ""),
            replace_whitespace=False,
            drop_whitespace=True,
            break_on_hyphens=False,
        ) or [""]
    return found


def printable(line: str) -> str:
    """A line that cannot move the cursor or change colours."""
    return "".join(
        mark if mark.isprintable() else f"\\x{ord(mark):02x}" for mark in line.expandtabs(4)
    )


def first(lines: Sequence[str], count: int) -> list[str]:
    """The first lines, and how many there are more."""
    rest = len(lines) - count
    return [*lines[:count], f"… and {rest} lines more"] if rest > 0 else list(lines)


def last(lines: Sequence[str], count: int) -> list[str]:
    """The last lines, and how many there are before."""
    rest = len(lines) - count
    return [f"… {rest} lines before", *lines[rest:]] if rest > 0 else list(lines)


def columns() -> int:
    """The width of what is printed."""
    return min(COLUMNS_MAX, shutil.get_terminal_size((COLUMNS_MAX, 24)).columns)


def remarks(report: Report) -> list[str]:
    """What a reader should know of the run."""
    crashed = any(task.verdict == verdicts.CRASHED for task in report.tasks)
    if crashed and report.preset in ("release", "debug"):
        return ["this was built without sanitizers; --preset asan may tell why it crashed"]
    return []


def where_to_begin(report: Report) -> str | None:
    """The first open hole, for one who has work ahead."""
    hole = report.first_open_hole
    if hole is None:
        return None
    begun = any(task.verdict == verdicts.PASSED for task in report.tasks)
    return f"{'Go on' if begun else 'Begin'} with the hole {hole.id}: {hole.file}:{hole.line}"


def first_errors(output: str) -> str:
    """The part of a build's output that tells most: the first error; others may come of it."""
    lines = [line for line in output.splitlines() if not NINJA.match(line)]
    errors = [number for number, line in enumerate(lines) if COMPILER_ERROR.search(line)]
    begin = beginning(lines, errors[0]) if errors else 0
    if len(errors) < 2:
        return "\n".join(first(lines[begin:], COMPILER_LINES_MAX))
    shown = first(lines[begin : beginning(lines, errors[1])], COMPILER_LINES_MAX)
    more = f"{len(errors) - 1} error{'s' if len(errors) > 2 else ''} more"
    return "\n".join([*shown, f"… and {more}, which may come of this one"])


def beginning(lines: Sequence[str], error: int) -> int:
    """Where a compiler begins to tell of the error in this line."""
    while error > 0 and BEFORE_ERROR.match(lines[error - 1]):
        error -= 1
    return error


def first_error(output: str) -> str:
    """The line of a build's output that names its first error."""
    lines = output.splitlines()
    error = next((line for line in lines if COMPILER_ERROR.search(line)), None)
    return error or next(iter(lines), "see the compiler's output")
