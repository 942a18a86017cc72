"""The stores of a soak: server processes that are killed, paused and started again."""
from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .. import leader, plans, server
from ..console import Failure
from ..server import Plan
from .network import Network

# Entries that are decided and not yet applied at a store that has caught up, under load.
LAG_MAX = 500


class Store:
    """One store. Its process is gone while it is killed or stopped by us, and never else."""

    def __init__(self, number: int, program: Path, flags: Mapping[str, str], log: Path, network: Network):
        self.number = number
        self.data = Path(flags["--data"])
        self._program = program
        self._flags = dict(flags)
        self._log = log
        self._network = network
        self._child: subprocess.Popen | None = None
        self._plan = self._planned({})
        self._log_begin = 0
        self.starts = 0

    @property
    def name(self) -> str:
        """As it is told of."""
        return f"store-{self.number}"

    def _planned(self, more: Mapping[str, str]) -> Plan:
        words = plans.words({**self._flags, **more})
        status = self._network.status(self.number)
        prefix = self._network.prefix(self.number)
        return Plan(self._program, words, status, self._log, self.number, prefix=prefix)

    def start(self, **more: str) -> None:
        """Starts it, with these flags of [cluster] besides; it may not serve yet."""
        self._plan = self._planned({f"--cluster.{key}": value for key, value in more.items()})
        self._log_begin = server.prepare_log(self._log)
        self._child = server.spawn(self._plan)
        self.starts += 1

    @property
    def pid(self) -> int:
        """Its process; 0 where there is none."""
        return self._child.pid if self._child else 0

    def check(self) -> None:
        """A store that ends by itself is a failure."""
        if self._child is not None and self._child.poll() is not None:
            raise server.ended(self._plan, self._child, self._log_begin)

    def kill(self) -> None:
        """kill -9."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def stop(self) -> None:
        """Asks it to end, and sees that it does so in order."""
        assert self._child is not None
        self._child.terminate()
        try:
            status = self._child.wait(timeout=server.STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise Failure(
                f"{self.name} did not end within {server.STOP_SECONDS_MAX:.0f} s of SIGTERM",
                server.tail(self._log),
            ) from None
        if status != 0:
            raise server.ended(self._plan, self._child, self._log_begin)
        self._child = None

    def signal(self, number: signal.Signals) -> None:
        """SIGSTOP or SIGCONT."""
        os.kill(self.pid, number)

    def wipe(self) -> None:
        """Its disk is lost."""
        shutil.rmtree(self.data)

    def report(self) -> dict | None:
        """Its answer to /status; None where there is none."""
        answer = server.ask(self._plan.status_address) if self._child else None
        return answer if answer and answer.get("pid") == self.pid else None

    def memory_bytes(self) -> int:
        """What its process has in memory; 0 where there is none."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def disk_bytes(self) -> int:
        """What its data takes on disk."""
        total = 0
        for folder, _, names in os.walk(self.data):
            for name in names:
                try:
                    total += os.stat(os.path.join(folder, name)).st_blocks * 512
                except FileNotFoundError:
                    pass  # a file that was deleted meanwhile
        return total


def region(report: dict | None) -> dict:
    """What a store says of its region; empty where it does not."""
    found = leader.regions(report)
    return found[0] if found else {}


def what_is_missing(reports: Sequence[dict | None], numbers: Iterable[int]) -> str:
    """Why a cluster is not whole; empty where it is."""
    for number, report in zip(numbers, reports):
        if not report or not report.get("serving"):
            return f"store-{number} does not serve"
        state = report.get("store", {})
        for trouble in (state.get("error"), state.get("refuses_writes"), region(report).get("rejoining")):
            if trouble:
                return f"store-{number}: {trouble}"
    if not leader.agreed(reports):
        return "the stores do not agree on a leader"
    decided = max(region(report)["committed"] for report in reports)
    for number, report in zip(numbers, reports):
        lag = decided - region(report)["applied"]
        if lag > LAG_MAX:
            return f"store-{number} is {lag} entries behind"
    return ""


def log_entries(report: dict | None) -> int:
    """How long a store's log is."""
    found = region(report)
    return found["last_index"] + 1 - found["first_index"] if found else 0
