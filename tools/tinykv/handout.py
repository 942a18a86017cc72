"""./tinykv handout: the tree that students get, which is this one without its solutions.

What is made is a value first, path -> File, so that nothing is written unless all of it is right.
"""
from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from . import holes, leaks
from .console import Failure, UsageError, say
from .files import listed
from .workspace import HANDOUT, Workspace, shown

# What students do not get: files whose path begins so.
REFERENCE_ONLY = (
    ".ci/",
    ".github/workflows/ci.yml",
    "README.md",  # theirs is graders/handout/README.md
    "docs/development.md",
    "docs/instructor.md",
    "graders/handout/",
    "graders/mutants/",
    "graders/self/",
    "tools/tinykv/ablation.py",
    "tools/tinykv/handout.py",
    "tools/tinykv/leaks.py",
    "tools/tinykv/mutant",
    "tools/tinykv/task_graph.py",
    "tools/tests/test_ablation.py",
    "tools/tests/test_classroom.py",
    "tools/tests/test_handout.py",
    "tools/tests/test_leaks.py",
    "tools/tests/test_mutant",
    "tools/tests/test_task_graph.py",
)

# What only students get: everything in this folder goes to the root, but for these.
EXTRAS = "graders/handout/"
PLACES = {
    "assemble.py": "graders/classroom/assemble.py",
    "classroom.yml": ".github/workflows/classroom.yml",
    "report.py": "graders/classroom/report.py",
}

# The header of the switch that switched() puts before each solution, and the include that every file
# with a hole has.
SWITCH = "graders/handout/switched_holes.h"
HOLE_INCLUDE = '#include "common/your_code_here.h"\n'

# The list of the files that students may edit: those with holes. graders/classroom/assemble.py
# takes these from a student's tree and nothing else.
EDITABLE = "graders/handout-files.txt"

# Where classroom.yml finds the trusted copy of the hand-out; --release replaces it.
WORKFLOW = PLACES["classroom.yml"]
NO_RELEASE = "OWNER/REPOSITORY", "0" * 40
RELEASE = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)@(?P<commit>[0-9a-f]{40})")


@dataclass(frozen=True)
class File:
    """What a file holds and how it may be used."""

    content: bytes
    mode: int

    @property
    def text(self) -> str | None:
        """The content, unless it is binary."""
        try:
            return self.content.decode()
        except UnicodeDecodeError:
            return None


Tree = dict[str, File]


def run(workspace: Workspace, target: Path, release: str | None) -> int:
    """The command."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Failure(f"{shown(target)} is there already; a hand-out needs a new or empty folder")
    reference = read(workspace)
    tree = plan(reference, origin(workspace))
    if release is not None:
        tree[WORKFLOW] = pinned(tree[WORKFLOW], release)
    verify(reference, tree)
    write(tree, target)
    count = sum(len(found) for found in holes_of(reference).values())
    say(f"{shown(target)}: {len(tree)} files, {count} holes")
    if release is None:
        say(f"{WORKFLOW} is not tied to a release yet; see docs/instructor.md")
    return 0


def read(workspace: Workspace) -> Tree:
    """All files of the reference."""
    tree = {}
    for name in listed(workspace):
        path = workspace.root / name
        if path.is_symlink() or not path.is_file():
            raise Failure(f"{name} is no plain file; a hand-out has no others")
        tree[name] = File(path.read_bytes(), path.stat().st_mode & 0o777)
    return tree


def plan(reference: Mapping[str, File], origin_line: str) -> Tree:
    """The student's tree."""
    return planned(reference, origin_line, holes.cut)


def switched(reference: Mapping[str, File], origin_line: str) -> Tree:
    """The student's tree for ablation.py: it builds to programs whose holes are open where the
    environment says so.
    """
    tree = planned(reference, origin_line, with_switches)
    tree[SWITCH] = reference[SWITCH]
    return tree


def with_switches(text: str) -> str:
    """A source with its solutions, each behind a switch."""
    return holes.switched(text).replace(
        HOLE_INCLUDE, f'#include "{SWITCH}"\n{HOLE_INCLUDE}', 1
    )


def planned(
    reference: Mapping[str, File], origin_line: str, edit: Callable[[str], str]
) -> Tree:
    """A student's tree, whose files with holes are edited."""
    found = holes_of(reference)
    tree = {
        name: edited(file, edit) if name in found else file
        for name, file in reference.items()
        if not name.startswith(REFERENCE_ONLY)
    }
    for name, file in reference.items():
        if name.startswith(EXTRAS) and name != SWITCH:
            name = name.removeprefix(EXTRAS)
            tree[PLACES.get(name, name)] = file
    tree[HANDOUT] = File(f"{origin_line}\n".encode(), 0o644)
    tree[EDITABLE] = File("".join(f"{name}\n" for name in sorted(found)).encode(), 0o644)
    return tree


def holes_of(reference: Mapping[str, File]) -> dict[str, list[holes.Hole]]:
    """The holes of each file that has any; a Failure lists the regions that are none.

    What students do not get has none.
    """
    found: dict[str, list[holes.Hole]] = {}
    complaints: list[str] = []
    places: dict[str, str] = {}
    for name, file in sorted(reference.items()):
        if not name.endswith((".h", ".cc")) or name.startswith(REFERENCE_ONLY):
            continue
        good, wrong = holes.find(file.text or "")
        complaints += [f"{name}:{one.line}: {one.message}" for one in wrong]
        for hole in good:
            place = f"{name}:{hole.first_line}"
            if hole.id in places:
                complaints.append(f"{place}: hole {hole.id} is at {places[hole.id]} too")
            places.setdefault(hole.id, place)
            found.setdefault(name, []).append(hole)
    if complaints:
        raise Failure("the holes are not well-formed; see above", "\n".join(complaints))
    return found


def edited(file: File, edit: Callable[[str], str]) -> File:
    """A file whose text is edited."""
    return replace(file, content=edit(file.content.decode()).encode())


def origin(workspace: Workspace) -> str:
    """One line that says what a hand-out is made from."""

    def git(*words: str) -> str | None:
        if not (workspace.root / ".git").exists():
            return None
        answer = subprocess.run(
            ["git", *words], cwd=workspace.root, capture_output=True, text=True, check=False
        )
        return answer.stdout.strip() if answer.returncode == 0 else None

    commit = git("rev-parse", "--verify", "HEAD")
    if commit is None:
        return "made from a tree that has no commit"
    return f"made from {commit}" + (" with uncommitted changes" if git("status", "-s") else "")


def pinned(workflow: File, release: str) -> File:
    """The workflow, tied to OWNER/REPOSITORY@COMMIT."""
    match = RELEASE.fullmatch(release)
    if match is None:
        raise UsageError(f"--release '{release}' is not OWNER/REPOSITORY@COMMIT, all 40 digits")
    text = workflow.content.decode()
    for unset, value in zip(NO_RELEASE, match.groups()):
        if text.count(unset) != 1:
            raise Failure(f"{WORKFLOW} must say {unset} in one place")
        text = text.replace(unset, value)
    return replace(workflow, content=text.encode())


def verify(reference: Mapping[str, File], tree: Mapping[str, File]) -> None:
    """A Failure if the hand-out holds a piece of a solution or a link to what it leaves out."""
    solutions = [
        leaks.Solution(hole.id, lines_of(reference[name], hole))
        for name, found in holes_of(reference).items()
        for hole in found
    ]
    texts = {name: file.text for name, file in tree.items() if file.text is not None}
    findings = [
        *leaks.marks(texts),
        *leaks.solutions(texts, solutions),
        *leaks.dead_links(texts, reference),
    ]
    if findings:
        raise Failure("the hand-out would not be right; see above", "\n".join(findings))


def lines_of(file: File, hole: holes.Hole) -> list[str]:
    """What is between the marks of a hole."""
    return file.content.decode().splitlines()[hole.first_line : hole.last_line - 1]


def write(tree: Mapping[str, File], target: Path) -> int:
    """Writes the files that are not so already; how many these are.

    The others keep their time, so that a build of the tree compiles only what changed.
    """
    written = 0
    for name, file in tree.items():
        path = target / name
        if not path.is_file() or path.read_bytes() != file.content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
            written += 1
        path.chmod(file.mode)
    return written
