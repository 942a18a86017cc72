"""What ./tinykv grade found out."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from . import verdicts
from .points import OpenHole, Part


@dataclass(frozen=True)
class TaskResult:
    """What came of one task."""

    task: str
    part: str
    title: str
    verdict: str
    points: int
    max_points: int
    sentence: str = ""
    seed: int | None = None  # of the failure
    seeds: int = 0  # how many were begun
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
    program: str = ""
    shrunk: bool = True  # whether the program is as small as the failure allows
    events: Sequence[str] = ()
    stack: Sequence[str] = ()  # "FILE:LINE  FUNCTION", innermost first
    printed: str = ""  # the end of what it printed, or a sanitizer's report
    replay: str | None = None  # the command that repeats the failure
    note: str = ""  # what else the task has to say
    draws: bool = False  # whether that command has something to draw with --trace
    trace: str | None = None  # the page that was drawn


@dataclass(frozen=True)
class Report:
    """What came of all tasks that were asked for, in the manifest's order."""

    preset: str
    seed_base: int
    parts: Sequence[Part]
    tasks: Sequence[TaskResult]
    errors: Sequence[str] = ()  # what is wrong with graders and manifest
    compiler_output: dict[str, str] = field(default_factory=dict)  # program -> its first errors
    first_open_hole: OpenHole | None = None

    @property
    def points(self) -> int:
        """What was earned."""
        return sum(task.points for task in self.tasks)

    @property
    def max_points(self) -> int:
        """What there was to earn."""
        return sum(task.max_points for task in self.tasks)

    @property
    def passed(self) -> bool:
        """Whether all is well."""
        return not self.errors and all(task.verdict == verdicts.PASSED for task in self.tasks)

    def tasks_of(self, part: Part) -> list[TaskResult]:
        """Those of one part."""
        return [task for task in self.tasks if task.part == part.id]
