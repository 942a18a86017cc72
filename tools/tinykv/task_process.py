"""Runs one process of a grader: its events, what it printed, what it used, and nothing left behind.

The process has a group of its own, so that servers it starts end with it, and a folder of its own
for temporary files.
"""
from __future__ import annotations

import os
import selectors
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import sanitizers

# Of what a task prints only the end is kept; of its events all, up to more than any task needs.
PRINTED_BYTES_MAX = 64 << 10
EVENTS_BYTES_MAX = 32 << 20

# How long a task that is over its limit has to print its stack.
LAST_WORDS_SECONDS = 5.0

POLL_SECONDS = 0.01


class Interrupted(Exception):
    """The run was called off."""


@dataclass
class Ended:
    """How a process ended."""

    status: int  # its exit status, or minus the signal that killed it
    over_limit: bool  # we ended it, as its time was up
    seconds: float
    peak_memory_mb: float
    events: bytes
    stdout: str
    stderr: str


@dataclass
class Stream:
    """The end of what came through a pipe, or all of it up to a bound."""

    fd: int
    bytes_max: int
    keeps_end: bool
    data: bytearray = field(default_factory=bytearray)
    cut: bool = False

    def read(self) -> bool:
        """Takes what is there; False at the end."""
        try:
            piece = os.read(self.fd, 1 << 16)
        except BlockingIOError:
            return True
        self.data += piece
        if len(self.data) > self.bytes_max:
            self.cut = True
            if self.keeps_end:
                del self.data[: -self.bytes_max]
            else:
                del self.data[self.bytes_max :]
        return piece != b""

    def text(self) -> str:
        """The bytes as text; where the beginning is missing, from a whole line on."""
        data = bytes(self.data)
        if self.cut and self.keeps_end:
            data = data[data.find(b"\n") + 1 :]
        return data.decode("utf-8", errors="replace")


class Pipes:
    """The reading ends of a process's result pipe and its two outputs."""

    def __init__(self, result: int, stdout: int, stderr: int) -> None:
        self.result = Stream(result, EVENTS_BYTES_MAX, keeps_end=False)
        self.stdout = Stream(stdout, PRINTED_BYTES_MAX, keeps_end=True)
        self.stderr = Stream(stderr, PRINTED_BYTES_MAX, keeps_end=True)
        self._selector = selectors.DefaultSelector()
        for stream in (self.result, self.stdout, self.stderr):
            os.set_blocking(stream.fd, False)
            self._selector.register(stream.fd, selectors.EVENT_READ, stream)

    def read(self, seconds: float) -> bool:
        """Waits that long for something to read, and reads it; was there anything?"""
        if not self._selector.get_map():
            time.sleep(seconds)
            return False
        ready = self._selector.select(seconds)
        for key, _ in ready:
            if not key.data.read():
                self._selector.unregister(key.fd)
        return bool(ready)

    def drain(self) -> None:
        """Reads what is left. A server that escaped from its group may hold a pipe open."""
        deadline = time.monotonic() + 1
        while self.read(0) and time.monotonic() < deadline:
            pass

    def close(self) -> None:
        """Closes all ends."""
        self._selector.close()
        for stream in (self.result, self.stdout, self.stderr):
            os.close(stream.fd)


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    limit_seconds: float,
    stop: threading.Event,
    result_flag: str | None = "--result-fd",
) -> Ended:
    """Runs a process to its end, or to the end of its time. `result_flag` gets the result pipe.

    Raises OSError if it cannot be started, and Interrupted once `stop` is set.
    """
    with tempfile.TemporaryDirectory(prefix="tinykv-grade-", ignore_cleanup_errors=True) as scratch:
        begin = time.monotonic()
        with started(command, cwd, scratch, result_flag) as (pid, pipes):
            over_limit = follow(pid, pipes, begin + limit_seconds, stop)
            # The process is a zombie still, so its id and its group's are nobody else's.
            kill_group(pid)
            pipes.drain()
            _, status, usage = os.wait4(pid, 0)
        return Ended(
            status=os.waitstatus_to_exitcode(status),
            over_limit=over_limit,
            seconds=time.monotonic() - begin,
            peak_memory_mb=usage.ru_maxrss / 1024,
            events=bytes(pipes.result.data),
            stdout=pipes.stdout.text(),
            stderr=pipes.stderr.text(),
        )


@contextmanager
def started(
    command: Sequence[str | Path], cwd: Path, scratch: str, result_flag: str | None
) -> Iterator[tuple[int, Pipes]]:
    """A process in a group of its own, and its pipes; if the body fails, the group is ended."""
    ends = [os.pipe() for _ in range(3)]
    pipes = Pipes(*(reading for reading, _ in ends))
    result, stdout, stderr = (writing for _, writing in ends)
    flags = [] if result_flag is None else [result_flag, str(result)]
    try:
        try:
            child = subprocess.Popen(
                [*map(str, command), *flags],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                pass_fds=[result],
                process_group=0,
                cwd=cwd,
                env={**os.environ, **sanitizers.environment(), "TMPDIR": scratch},
            )
        finally:
            for _, writing in ends:
                os.close(writing)
        child.returncode = 0  # it is for us to collect it, not for Popen
        try:
            yield child.pid, pipes
        except BaseException:
            kill_group(child.pid)
            os.waitpid(child.pid, 0)
            raise
    finally:
        pipes.close()


def follow(pid: int, pipes: Pipes, deadline: float, stop: threading.Event) -> bool:
    """Reads until the process has ended, and sees to it that it does; did its time run out?"""
    warned = False
    while True:
        pipes.read(POLL_SECONDS)
        if has_ended(pid):
            return warned
        if stop.is_set():
            raise Interrupted
        if time.monotonic() < deadline:
            continue
        if warned:
            kill_group(pid)
            deadline += LAST_WORDS_SECONDS
            continue
        warned = True
        os.kill(pid, signal.SIGABRT)
        deadline = time.monotonic() + LAST_WORDS_SECONDS


def has_ended(pid: int) -> bool:
    """Whether a child has ended; it is left to be collected."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def kill_group(pid: int) -> None:
    """Ends a process and all that it started."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
