"""What a run has made outside its folder, written down so that the next run can remove it.

A run cleans up after itself, however it ends; only where it is killed (kill -9, or the machine's want
of memory) something stays.
"""
from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
from dataclasses import asdict, dataclass
from pathlib import Path

from ..state import birth
from . import disk, namespaces

FILE = "run.json"


@dataclass
class Content:
    """The file. A process is a pid with its birth: another may have got the same pid."""

    owner: list
    servers: list
    tag: str = ""  # of names of network namespaces and links


class Record:
    """What is written down of this run."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._content = Content([os.getpid(), birth(os.getpid())], [])
        self._write()

    def _write(self) -> None:
        self._file.write_text(json.dumps(asdict(self._content)), encoding="utf-8")

    def started(self, pid: int) -> None:
        """A server runs."""
        self._content.servers.append([pid, birth(pid)])
        self._write()

    def tagged(self, tag: str) -> None:
        """Namespaces and links will be made whose names begin so."""
        self._content.tag = tag
        self._write()

    def keep(self) -> None:
        """The run is over, and its folder stays."""
        self._file.unlink(missing_ok=True)


def remove_all(folder: Path) -> None:
    """Removes what runs have left that were killed; their folders too."""
    for file in folder.glob(f"run-*/{FILE}"):
        with contextlib.suppress(ValueError, TypeError, KeyError):
            content = Content(**json.loads(file.read_text(encoding="utf-8")))
            if is_alive(content.owner):
                continue
            for server in content.servers:
                if is_alive(server):
                    os.kill(server[0], signal.SIGKILL)
            if content.tag:
                namespaces.remove_leftovers(content.tag)
            disk.unmount(file.parent / "small-disk")
            shutil.rmtree(file.parent, ignore_errors=True)


def is_alive(process: list) -> bool:
    """Whether that very process still runs."""
    pid, born = process
    return born != "" and birth(pid) == born
