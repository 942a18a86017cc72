"""Where the project keeps its files."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# A file at the root of a hand-out, the tree that students get; it says what it was made from.
HANDOUT = "HANDOUT"


@dataclass(frozen=True)
class Workspace:
    """A checkout of the project. Everything that the script writes is under build/ or .tinykv/."""

    root: Path

    @property
    def is_handout(self) -> bool:
        """Whether this is a student's tree."""
        return (self.root / HANDOUT).exists()

    @property
    def tools(self) -> Path:
        """The script's own source."""
        return self.root / "tools"

    @property
    def state(self) -> Path:
        """What outlives a call: running servers, their data and logs, caches."""
        return self.root / ".tinykv"

    def build(self, preset: str) -> Path:
        """The build folder of a preset."""
        return self.root / "build" / preset

    def program(self, preset: str, name: str) -> Path:
        """Where a preset's program is once it is built."""
        return self.build(preset) / "bin" / name


def here() -> Workspace:
    """The checkout that this file stands in, wherever it is called from."""
    return Workspace(Path(__file__).resolve().parents[2])


def shown(path: Path) -> str:
    """`path` as a user would type it: relative where it is below the current folder."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, FileNotFoundError):
        return str(path)
