"""graders/points.toml: the parts and tasks of the course, and what each is worth."""
from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass

from .console import Failure, UsageError, did_you_mean
from .cpp_text import line_of
from .files import listed
from .workspace import Workspace, shown


@dataclass(frozen=True)
class Part:
    """A part of the course; `program` is the target that holds the graders of its tasks."""

    id: str
    title: str
    program: str


@dataclass(frozen=True)
class Task:
    """What there is to earn; `seeds` is None where a task has no use for them and runs once."""

    id: str
    part: str
    title: str
    points: int
    holes: tuple[str, ...]
    limit_seconds: float
    seeds: int | None = None


@dataclass(frozen=True)
class Manifest:
    """The whole file, in its order."""

    parts: tuple[Part, ...]
    tasks: tuple[Task, ...]

    def tasks_of(self, program: str) -> list[str]:
        """The tasks that a program must have."""
        parts = {part.id for part in self.parts if part.program == program}
        return [task.id for task in self.tasks if task.part in parts]

    def chosen(self, parts: Sequence[str], only: Sequence[str]) -> list[Task]:
        """The tasks of some parts, or of all, and of these some, or all; in our order."""
        for part in parts:
            known = [known.id for known in self.parts]
            if part not in known:
                is_task = part in [task.id for task in self.tasks]
                guess = f"; did you mean '--only {part}'?" if is_task else did_you_mean(part, known)
                raise UsageError(f"no part '{part}'{guess} (there is {', '.join(known)})")
        there = [task for task in self.tasks if not parts or task.part in parts]
        for task in only:
            if task not in [known.id for known in there]:
                guess = did_you_mean(task, [known.id for known in there])
                where = f" in part {' or '.join(parts)}" if parts else ""
                raise UsageError(f"no task '{task}'{where}{guess} (see {MANIFEST})")
        return [task for task in there if not only or task.id in only]


MANIFEST = "graders/points.toml"

# The keys of a table: the types that a value may have, and whether it may be left out.
PART_KEYS = {"id": (str,), "title": (str,), "program": (str,)}
TASK_KEYS = {
    "id": (str,),
    "part": (str,),
    "title": (str,),
    "points": (int,),
    "holes": (list,),
    "seeds": (int,),
    "limit_seconds": (int, float),
}
OPTIONAL = {"seeds"}
KINDS = {str: "a text", int: "a whole number", float: "a number", list: "a list of texts"}


def load(workspace: Workspace) -> Manifest:
    """Reads the manifest of a checkout. A Failure names what is wrong with it in one line."""
    file = workspace.root / MANIFEST
    try:
        return manifest_of(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Failure(f"{shown(file)} is missing; it says which tasks there are") from None
    except (ValueError, tomllib.TOMLDecodeError) as error:
        raise Failure(f"{shown(file)}: {error}") from error


def manifest_of(text: str) -> Manifest:
    """Parses a manifest; a ValueError says what is wrong."""
    content = tomllib.loads(text)
    for key in content:
        if key not in ("part", "task"):
            raise ValueError(f"unknown key '{key}'{did_you_mean(key, ['part', 'task'])}")
    parts = tuple(Part(**checked(table, PART_KEYS, "part")) for table in tables(content, "part"))
    tasks = tuple(task_of(table) for table in tables(content, "task"))
    refuse_twins([part.id for part in parts], "part")
    refuse_twins([task.id for task in tasks], "task")
    for task in tasks:
        if task.part not in [part.id for part in parts]:
            raise ValueError(f"task {task.id} is of part '{task.part}', which there is not")
    for part in parts:
        if part.id not in [task.part for task in tasks]:
            raise ValueError(f"part {part.id} has no task")
    return Manifest(parts, tasks)


def tables(content: dict, key: str) -> list[dict]:
    """The tables [[key]] of the file, at least one."""
    found = content.get(key)
    if not isinstance(found, list) or not all(isinstance(table, dict) for table in found):
        raise ValueError(f"has no [[{key}]]")
    return found


def checked(table: dict, keys: dict[str, tuple[type, ...]], kind: str) -> dict:
    """A table whose keys are these and whose values have their types."""
    name = f"{kind} {table['id']}" if isinstance(table.get("id"), str) else f"a {kind}"
    for key in table:
        if key not in keys:
            raise ValueError(f"{name} has an unknown key '{key}'{did_you_mean(key, keys)}")
    for key, types in keys.items():
        if key not in table and key not in OPTIONAL:
            raise ValueError(f"{name} has no '{key}'")
        if key in table and type(table[key]) not in types:
            raise ValueError(f"{name}: '{key}' is to be {KINDS[types[-1]]}")
        if table.get(key) == "":
            raise ValueError(f"{name}: '{key}' is empty")
    return table


def task_of(table: dict) -> Task:
    """A table [[task]]."""
    checked(table, TASK_KEYS, "task")
    name = f"task {table['id']}"
    if not all(isinstance(hole, str) for hole in table["holes"]):
        raise ValueError(f"{name}: 'holes' is to be {KINDS[list]}")
    if table["points"] < 0:
        raise ValueError(f"{name}: 'points' is negative")
    for key in ("seeds", "limit_seconds"):
        if table.get(key, 1) <= 0:
            raise ValueError(f"{name}: '{key}' is to be positive")
    return Task(**{**table, "holes": tuple(table["holes"])})


def refuse_twins(ids: Sequence[str], kind: str) -> None:
    """An id stands for one thing."""
    for id_ in ids:
        if ids.count(id_) > 1:
            raise ValueError(f"two {kind}s are called {id_}")


# A line that a hole is known by: the mark of its solution, or what stands there instead.
MARK = re.compile(r'^ *(?:// >>> SOLUTION ([^\s:]+):.*|YourCodeHere\("([^"]+)"\);)$', re.MULTILINE)


def check_holes(workspace: Workspace, manifest: Manifest) -> None:
    """A Failure if a task names a hole that the reference does not have.

    A student's tree cannot be asked: a hole that is filled leaves no trace.
    """
    if workspace.is_handout:
        return
    texts = sources(workspace).values()
    there = {match[1] or match[2] for text in texts for match in MARK.finditer(text)}
    for task in manifest.tasks:
        for hole in task.holes:
            if hole not in there:
                guess = did_you_mean(hole, there)
                raise Failure(
                    f"{MANIFEST}: task {task.id} names the hole {hole}, which no source has{guess}"
                )


@dataclass(frozen=True)
class OpenHole:
    """A line YourCodeHere("ID") that a student is to replace."""

    id: str
    file: str
    line: int


def first_open_hole(workspace: Workspace, tasks: Sequence[Task]) -> OpenHole | None:
    """The first hole that these tasks need and that is not filled; where to begin."""
    opened: dict[str, OpenHole] = {}
    for name, text in sources(workspace).items():
        for match in MARK.finditer(text):
            if match[2]:
                opened[match[2]] = OpenHole(match[2], name, line_of(text, match.start()))
    needed = (hole for task in tasks for hole in task.holes)
    return next((opened[hole] for hole in needed if hole in opened), None)


def sources(workspace: Workspace) -> dict[str, str]:
    """The C++ files that may have holes, with whatever bytes a student put into them."""
    files = {name: workspace.root / name for name in listed(workspace, [".h", ".cc"])}
    return {
        name: file.read_text(encoding="utf-8", errors="replace")
        for name, file in files.items()
        if file.is_file() and not name.startswith(("graders/", ".")) and not name.endswith("_test.cc")
    }
