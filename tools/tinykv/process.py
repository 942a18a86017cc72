"""Calling other programs."""
from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


def cores() -> int:
    """How many programs to run at a time: the cores we may use, and a gigabyte for each."""
    usable = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(usable, memory >> 30))


def follow(
    command: Sequence[str | Path],
    on_line: Callable[[str], None],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> int:
    """Runs `command`, hands every line that it prints to `on_line`, returns its exit status.

    If this is interrupted the program is ended too.
    """
    with subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env=None if env is None else {**os.environ, **env},
        encoding="utf-8",
        errors="replace",
    ) as child:
        try:
            assert child.stdout is not None
            for line in child.stdout:
                on_line(line.rstrip("\n"))
            return child.wait()
        except BaseException:
            child.terminate()
            raise


def capture(command: Sequence[str | Path], *, cwd: Path | None = None) -> tuple[int, str]:
    """Runs `command`; its exit status and all that it printed."""
    lines: list[str] = []
    status = follow(command, lines.append, cwd=cwd)
    return status, "\n".join(lines)
