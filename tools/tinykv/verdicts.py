"""From how a grader's process ended to a verdict: what it reported, and whether to believe it.

Whatever is not clearly a pass is none: a student's code runs in the same process, and may end it,
print anything, or write over the report.
"""
from __future__ import annotations

import json
import re
import signal
from dataclasses import dataclass, field

from . import stack
from .console import duration
from .gtest_report import MARKS
from .task_process import Ended

PASSED = "passed"
NOT_STARTED = "not started"
WRONG = "wrong"
STUCK = "stuck"
CRASHED = "crashed"
TOO_SLOW = "too slow"
NOT_BUILT = "not built"
NOT_RUN = "not run"
ALL = (PASSED, NOT_STARTED, WRONG, STUCK, CRASHED, TOO_SLOW, NOT_BUILT, NOT_RUN)

# What a grader's program may say; the others are found out from outside.
REPORTED = (PASSED, NOT_STARTED, WRONG, STUCK, CRASHED)

# What students meet, and what it usually means.
SIGNALS = {
    signal.SIGSEGV: "it used memory that is not there",
    signal.SIGBUS: "it used memory that is not there",
    signal.SIGFPE: "a division by zero",
    signal.SIGILL: "the end of a function without a return, or the like",
    signal.SIGABRT: "abort(), a failed check, or an exception that nobody caught",
    signal.SIGKILL: "it was killed from outside, as the kernel does when memory runs out",
    signal.SIGPIPE: "it wrote to a pipe or socket that nobody reads",
}

SANITIZER_ERROR = re.compile(r"(?:ERROR|WARNING): (\w+Sanitizer: .*)|(\S+: runtime error: .*)")
SENTENCE_LENGTH_MAX = 300


@dataclass
class Judgement:
    """What came of one task."""

    verdict: str
    sentence: str = ""
    seed: int | None = None
    seeds: int = 0  # how many were begun
    program: str = ""
    shrunk: bool = True  # whether the program is as small as the failure allows
    events: list[str] = field(default_factory=list)
    draws: bool = False  # whether the run can be drawn
    note: str = ""  # what else the task has to say


@dataclass(frozen=True)
class Finished:
    """The event that ends a report."""

    verdict: str
    seeds: int
    seed: int | None
    sentence: str
    program: str
    events: list[str]
    draws: bool
    note: str


@dataclass
class Told:
    """What a process told through its result pipe."""

    seeds: list[int] = field(default_factory=list)
    finished: Finished | None = None


class Garbled(Exception):
    """What came through the result pipe is no report."""


def judge(ended: Ended, seeds: range, limit_seconds: float) -> Judgement:
    """The verdict on a process that was to run a task with these seeds."""
    told = Told()
    try:
        read(ended.events, told)
    except Garbled as error:
        told.finished = None
        sentence = f"The report of the grader is damaged ({error}); something wrote over it."
        verdict = Judgement(CRASHED, sentence)
    else:
        verdict = verdict_of(ended, told, seeds, limit_seconds)
    verdict.seeds = len(told.seeds)
    if verdict.verdict != PASSED and verdict.seed is None and told.seeds:
        verdict.seed = told.seeds[-1]
    if verdict.verdict in (CRASHED, TOO_SLOW) and not verdict.program:
        verdict.program = stack.program_in(ended.stderr)
        verdict.shrunk = not verdict.program
    return verdict


def read(events: bytes, told: Told) -> None:
    """Reads the lines of a report into `told`; Garbled at the first that is none."""
    lines = events.decode("utf-8", errors="replace").split("\n")
    for line in lines:
        if told.finished and line:
            raise Garbled("it goes on after its end")
        if line:
            read_event(line, told)


def read_event(line: str, told: Told) -> None:
    """Reads one line."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        raise Garbled("a line that is no JSON") from None
    kind = event.get("event") if isinstance(event, dict) else None
    if kind == "seed" and is_count(event.get("seed")):
        told.seeds.append(event["seed"])
    elif kind == "finished":
        told.finished = finished(event)
    else:
        raise Garbled("an event that is unknown")


def finished(event: dict) -> Finished:
    """The last event, with what a pass leaves out."""
    found = Finished(
        event.get("verdict", ""),
        event.get("seeds", 0),
        event.get("seed"),
        event.get("sentence", ""),
        event.get("program", ""),
        event.get("events", []),
        event.get("draws", False),
        event.get("note", ""),
    )
    good = (
        found.verdict in REPORTED
        and is_count(found.seeds)
        and (found.seed is None or is_count(found.seed))
        and isinstance(found.sentence, str)
        and isinstance(found.program, str)
        and isinstance(found.events, list)
        and isinstance(found.draws, bool)
        and isinstance(found.note, str)
        and all(isinstance(line, str) for line in found.events)
        and (found.verdict == PASSED or found.seed is not None)
    )
    if not good:
        raise Garbled("an end that is incomplete")
    return found


def is_count(value: object) -> bool:
    """Whether a value of JSON is a whole number from 0 on."""
    return type(value) is int and value >= 0


def verdict_of(ended: Ended, told: Told, seeds: range, limit_seconds: float) -> Judgement:
    """The verdict where the report can be read, which may still be cut off."""
    found = told.finished
    if found and found.verdict != PASSED:
        return Judgement(
            found.verdict,
            found.sentence,
            found.seed,
            program=found.program,
            events=found.events,
            draws=found.draws,
        )
    if ended.over_limit and ended.status != 0:
        return Judgement(TOO_SLOW, slowness(bool(found), told, seeds, limit_seconds))
    if found and ended.status == 0:
        if found.seeds == len(seeds) and told.seeds == list(seeds):
            return Judgement(PASSED, note=found.note)
        return Judgement(NOT_RUN, f"It was to run {count(seeds)}, and reports other ones.")
    if found and ended.status > 0 and not MARKS.search(ended.stderr):
        return Judgement(NOT_RUN, f"It reports a pass, but ended with status {ended.status}.")
    return Judgement(CRASHED, crash(ended))


def slowness(has_passed: bool, told: Told, seeds: range, limit_seconds: float) -> str:
    """What the time went into, as far as it can be seen."""
    limit = duration(limit_seconds)
    if has_passed:
        return f"All went well, but then it did not end; it was given up after {limit}."
    begun = f"in the run of seed {told.seeds[-1]}" if told.seeds else "before its first seed"
    if len(seeds) > 1 and told.seeds:
        begun += f", number {len(told.seeds)} of {len(seeds)}"
    return f"It was given up after {limit}, {begun}."


def count(seeds: range) -> str:
    """A number of seeds in words."""
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"


def crash(ended: Ended) -> str:
    """How a process ended that ought not to."""
    if error := sanitizer_error(ended.stderr):
        return f"A sanitizer ended it: {error}"
    if ended.status < 0:
        number = -ended.status
        why = SIGNALS.get(signal.Signals(number)) if number in set(signal.Signals) else None
        name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        return f"It died of {name}" + (f": {why}." if why else ".")
    return (
        f"It ended with status {ended.status} before the task had; something called exit() "
        "or the like."
    )


def sanitizer_error(text: str) -> str | None:
    """The line of a sanitizer's report that names the error."""
    match = SANITIZER_ERROR.search(text)
    return (match[1] or match[2])[:SENTENCE_LENGTH_MAX] if match else None
