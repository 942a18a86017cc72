"""graders/mutants: planted bugs, each a patch with a head, and pairs of them; and graders/self: other
solutions that are right, likewise.

graders/mutants/README.md and graders/self/README.md say what is in the files.
"""
from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import points
from .console import Failure, UsageError, did_you_mean
from .files import listed
from .workspace import Workspace

FOLDER = "graders/mutants"
RIGHT_FOLDER = "graders/self"
PAIRS = f"{FOLDER}/pairs.txt"

ID = re.compile(r"[A-Z]\d\d[a-z]?")
HEAD_LINE = re.compile(r"^(Bug|Right|Tasks|Tests):(.*)$", re.MULTILINE)
DIFF = re.compile(r"^diff --git a/(\S+) b/(\S+)$", re.MULTILINE)
TEST_PROGRAM = re.compile(r"^\s*tinykv_test\(\s*([\w-]+)", re.MULTILINE)

# What says whether a solution is right is not what a student gets wrong.
UNTOUCHABLE = ("graders/", "tools/")

# Variables that tell git of another repository than the folder it is started in.
GIT_VARIABLES = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}


@dataclass(frozen=True)
class Mutant:
    """A planted bug, or several at a time ("A+B"); or a solution that is right."""

    id: str
    bug: str  # or what is different about the solution
    tasks: tuple[str, ...]  # one of these, or
    tests: tuple[str, ...]  # one of these test programs must find it; all must pass what is right
    patch: str
    is_right: bool = False


def ids(workspace: Workspace) -> list[str]:
    """The mutants that there are, in order."""
    files = [*(workspace.root / FOLDER).glob("*.patch"), *(workspace.root / RIGHT_FOLDER).glob("*.patch")]
    return sorted(file.stem for file in files)


def patch_of(workspace: Workspace, id_: str) -> str:
    """The name of a patch's file; that of a mutant, if there is none."""
    right = f"{RIGHT_FOLDER}/{id_}.patch"
    return right if (workspace.root / right).is_file() else f"{FOLDER}/{id_}.patch"


def pairs(workspace: Workspace) -> list[str]:
    """The lines of pairs.txt."""
    file = workspace.root / PAIRS
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    words = (line.partition("#")[0].strip() for line in lines)
    return [word for word in words if word]


def chosen(workspace: Workspace, wanted: Sequence[str]) -> list[Mutant]:
    """These mutants, or all and the pairs, in the order of their IDs.

    Errors: UsageError if there is no such mutant, Failure if one is not well-formed.
    """
    known = ids(workspace)
    for id_ in wanted:
        for single in id_.split("+"):
            if single not in known:
                guess = did_you_mean(single, known)
                raise UsageError(f"no mutant '{single}'{guess} (./tinykv mutants --list)")
    names = wanted or [*known, *pairs(workspace)]
    return [load(workspace, name) for name in sorted(dict.fromkeys(names), key=order)]


def order(id_: str) -> tuple[bool, str]:
    """The key to sort by: pairs come last."""
    return "+" in id_, id_


def load(workspace: Workspace, id_: str) -> Mutant:
    """Reads a mutant or a pair."""
    several = []
    for single in id_.split("+"):
        name = patch_of(workspace, single)
        is_right = name.startswith(RIGHT_FOLDER)
        try:
            text = (workspace.root / name).read_text(encoding="utf-8")
            several.append(parse(single, text, is_right=is_right))
        except FileNotFoundError:
            raise Failure(f"{PAIRS}: {id_}: no mutant {single}") from None
        except ValueError as error:
            raise Failure(f"{name}: {error}") from error
    return several[0] if len(several) == 1 else together(several)


def together(several: Sequence[Mutant]) -> Mutant:
    """Several bugs at a time."""
    return Mutant(
        "+".join(mutant.id for mutant in several),
        "; ".join(mutant.bug for mutant in several),
        tuple(dict.fromkeys(task for mutant in several for task in mutant.tasks)),
        tuple(dict.fromkeys(test for mutant in several for test in mutant.tests)),
        "".join(mutant.patch for mutant in several),
    )


def parse(id_: str, text: str, *, is_right: bool = False) -> Mutant:
    """Reads a patch; a ValueError says what is wrong with it."""
    if not ID.fullmatch(id_):
        raise ValueError("its name is no ID, as S03 or S03b")
    diff = DIFF.search(text)
    if diff is None:
        raise ValueError("has no 'diff --git a/… b/…', as git diff makes it")
    head: dict[str, str] = {}
    for match in HEAD_LINE.finditer(text[: diff.start()]):
        if match[1] in head:
            raise ValueError(f"has two lines '{match[1]}:'")
        head[match[1]] = match[2].strip()
    what = "Right" if is_right else "Bug"
    if not text.startswith(f"{what}:") or not head[what]:
        raise ValueError(f"its first line is not '{what}: …'")
    tasks, tests = head.get("Tasks", "").split(), head.get("Tests", "").split()
    if not tasks and not tests:
        must = "pass" if is_right else "kill"
        raise ValueError(f"names neither 'Tasks: …' nor 'Tests: …' that must {must} it")
    patch = text.rstrip("\n") + "\n"
    return Mutant(id_, head[what], tuple(tasks), tuple(tests), patch, is_right)


def test_programs(workspace: Workspace) -> set[str]:
    """The test programs that CMake knows."""
    files = (workspace.root / name for name in listed(workspace, ["CMakeLists.txt"]))
    return {name for file in files for name in TEST_PROGRAM.findall(file.read_text("utf-8"))}


def check_names(mutant: Mutant, tasks: Collection[str], tests: Collection[str]) -> Iterator[str]:
    """What a mutant names and there is not."""
    for task in mutant.tasks:
        if task not in tasks:
            yield f"no task '{task}'{did_you_mean(task, tasks)} (see {points.MANIFEST})"
    for test in mutant.tests:
        if test not in tests:
            yield f"no test program '{test}'{did_you_mean(test, tests)}"


def findings(workspace: Workspace) -> list[str]:
    """What is wrong with the mutants of a checkout, without building any; a line each."""
    tasks = [task.id for task in points.load(workspace).tasks]
    tests = test_programs(workspace)
    known = ids(workspace)
    found = []
    for id_ in known:
        name = patch_of(workspace, id_)
        try:
            mutant = load(workspace, id_)
        except Failure as failure:
            found.append(str(failure))
            continue
        found += [f"{name}: {wrong}" for wrong in check_names(mutant, tasks, tests)]
        found += [f"{name}: {wrong}" for wrong in check_patch(workspace, mutant)]
    for id_ in pairs(workspace):
        found += [f"{PAIRS}: {wrong}" for wrong in check_pair(workspace, id_, known)]
    return found


def check_patch(workspace: Workspace, mutant: Mutant) -> Iterator[str]:
    """Whether a patch applies, and to what it may."""
    for match in DIFF.finditer(mutant.patch):
        for name in sorted({match[1], match[2]}):
            if name.startswith(UNTOUCHABLE):
                yield f"changes {name}; a mutant changes what is graded, not what grades"
    if complaint := apply(workspace.root, mutant.patch, check=True):
        yield f"does not apply: {complaint.splitlines()[0]}"


def check_pair(workspace: Workspace, id_: str, known: Collection[str]) -> Iterator[str]:
    """Whether a line of pairs.txt can be run."""
    singles = id_.split("+")
    missing = [single for single in singles if single not in known]
    if len(singles) < 2:
        yield f"'{id_}' is no pair A+B"
    elif missing:
        yield f"{id_}: no mutant {missing[0]}{did_you_mean(missing[0], known)}"
    else:
        try:
            mutant = load(workspace, id_)
        except Failure:
            return  # said of the mutant itself
        if complaint := apply(workspace.root, mutant.patch, check=True):
            yield f"{id_} does not apply: {complaint.splitlines()[0]}"


def apply(root: Path, patch: str, *, check: bool = False) -> str | None:
    """Applies a patch, whole or not at all; what git says if it does not fit exactly.

    With `check` nothing is changed.
    """
    command = ["git", "-c", "apply.ignoreWhitespace=no", "apply", "--whitespace=nowarn"]
    # Within a repository git would leave out what is not below the current folder.
    environment = {key: text for key, text in os.environ.items() if key not in GIT_VARIABLES}
    environment |= {"GIT_CEILING_DIRECTORIES": str(root.resolve().parent), "LC_ALL": "C"}
    if check:
        command.append("--check")
    answer = subprocess.run(
        [*command, "-"],
        cwd=root,
        env=environment,
        input=patch.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if answer.returncode == 0:
        return None
    return answer.stdout.decode(errors="replace").strip() or f"git ended with {answer.returncode}"
