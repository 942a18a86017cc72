"""What several tests need: a scratch checkout, programs of our own, free ports."""
from __future__ import annotations

import contextlib
import socket
import sys
import tempfile
import unittest
from pathlib import Path

from tinykv.workspace import Workspace


class ScratchTest(unittest.TestCase):
    """A test with a folder of its own, which is an empty checkout."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="tinykv-test-")
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()
        self.workspace = Workspace(self.root)

    def program(self, name: str, text: str) -> Path:
        """Writes an executable script into bin/."""
        path = self.root / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        return path

    def file(self, name: str, text: str = "") -> Path:
        """Writes a file below the checkout."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


def python_program(path: Path) -> str:
    """A Python file as an executable's text."""
    return f"#!{sys.executable}\n{path.read_text(encoding='utf-8')}"


def free_port() -> int:
    """A port that nobody listens on, a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody listens on, a moment ago."""
    while True:
        first = free_port()
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    probe = stack.enter_context(socket.socket())
                    probe.bind(("127.0.0.1", port))
                return first
            except (OSError, OverflowError):
                continue
