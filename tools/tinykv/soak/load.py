"""tinykv-soak-load, which calls the cluster, checks its answers and counts."""
from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from ..console import Failure

PROGRAM = "tinykv-soak-load"

# A bound, not a wait: of reading all keys of a cluster that works.
ANSWER_SECONDS_MAX = 300.0


class Violation(Failure):
    """The cluster gave an answer that cannot be."""


class Load:
    """The program, which runs beside us."""

    def __init__(self, command: Sequence[str | Path], log: Path) -> None:
        with open(log, "ab") as errors:
            self._child = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,  # Ctrl-C is for us, and we tell it
            )
        self._log = log
        self._events: queue.SimpleQueue[dict | None] = queue.SimpleQueue()
        self.violations: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._next("started")

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            event = json.loads(line)
            if event["event"] == "violation":
                self.violations.append(event["what"])
            else:
                self._events.put(event)
        self._events.put(None)

    def check(self) -> None:
        """Passes on what it has found wrong."""
        if self.violations:
            raise Violation(self.violations[0])

    def _next(self, name: str) -> dict:
        try:
            event = self._events.get(timeout=ANSWER_SECONDS_MAX)
        except queue.Empty:
            raise Failure(f"{PROGRAM} has not said '{name}' within {ANSWER_SECONDS_MAX:.0f} s") from None
        self.check()
        if event is None:
            words = self._log.read_text(encoding="utf-8", errors="replace")
            raise Failure(f"{PROGRAM} has ended with status {self._child.wait()}", words[-4000:])
        if event["event"] != name:
            raise Failure(f"{PROGRAM} said '{event['event']}' where '{name}' was expected")
        return event

    def _ask(self, command: str, name: str) -> dict:
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(f"{command}\n")
            self._child.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass  # _next() says why
        return self._next(name)

    def counts(self) -> dict:
        """What was done in this phase so far."""
        return self._ask("counts", "counts")

    def written(self) -> int:
        """Writes that were acknowledged since the start."""
        return self.counts()["written"]

    def end_phase(self) -> dict:
        """What was done in this phase; the next begins."""
        return self._ask("phase", "counts")

    def read_all(self) -> dict:
        """Has all keys read and checked; `error` says why one could not be read."""
        event = self._ask("check", "checked")
        self.check()
        return event

    def stop(self) -> None:
        """Ends the calls, but for those of read_all()."""
        self._ask("stop", "stopped")

    def finish(self) -> None:
        """Ends the program, whose last word is its exit status."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        status = self._child.wait(timeout=ANSWER_SECONDS_MAX)
        self._reader.join()
        self.check()
        if status != 0:
            raise Failure(f"{PROGRAM} has ended with status {status}")

    def close(self) -> None:
        """Ends the program, whatever it does."""
        self._child.kill()
        self._child.wait()
        self._reader.join()
        for pipe in (self._child.stdin, self._child.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
