"""How the commands speak: results on stdout, trouble on stderr, progress only on a terminal."""
from __future__ import annotations

import difflib
import os
import shutil
import sys
import time
from collections.abc import Iterable


class Failure(Exception):
    """What was asked for did not work.

    The message is one line that names the thing and what would be right; `details` (a compiler's
    output, the tail of a log) is shown above it.
    """

    exit_code = 1

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class UsageError(Failure):
    """The command line asks for something that does not exist."""

    exit_code = 2


def say(line: str = "") -> None:
    """Prints one line of a result."""
    print(line, flush=True)


def warn(line: str) -> None:
    """Prints one line that is no result: a remark or a trouble."""
    sys.stdout.flush()
    print(f"tinykv: {line}", file=sys.stderr, flush=True)


def report(failure: Failure) -> None:
    """Prints a failure: its details, then its one line."""
    sys.stdout.flush()
    if failure.details:
        print(failure.details.rstrip("\n"), file=sys.stderr)
    print(f"{colour('tinykv:', RED, sys.stderr)} {failure}", file=sys.stderr, flush=True)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion to go behind an error; empty where nothing is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else ""


BOLD, RED, GREEN = "1", "31", "32"


def colour(text: str, code: str, stream=None) -> str:
    """`text` in a colour, where `stream` (stdout unless told) is a terminal that wants colours."""
    stream = stream or sys.stdout
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\033[{code}m{text}\033[0m"


def duration(seconds: float) -> str:
    """0.42 s, 12 s, 3 min 5 s."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


class Step:
    """A piece of work that takes a while.

    On a terminal one line follows it and is overwritten by its end. Elsewhere its title is printed
    once, and its end.

        with Step("building release") as step:
            step.progress("12/80")
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._live = sys.stdout.isatty()
        self._begin = time.monotonic()
        self._result = "done"

    def __enter__(self) -> "Step":
        if self._live:
            self.progress("")
        else:
            say(f"{self._title} …")
        return self

    def progress(self, text: str) -> None:
        """Shows how far the work is; nothing where that would fill a log."""
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            line = f"{self._title} … {text}"[:width]
            print(f"\r\033[K{line}", end="", flush=True)

    def result(self, text: str) -> None:
        """Says what the closing line says; "done" unless called."""
        self._result = text

    def __exit__(self, kind, _value, _traceback) -> None:
        if self._live:
            print("\r\033[K", end="")
        if kind is not None:
            return  # the exception says what happened
        elapsed = duration(time.monotonic() - self._begin)
        say(f"{self._title}: {self._result} in {elapsed}")
