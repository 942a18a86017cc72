"""The house rules that no compiler checks, each a function from source files to findings.

A finding is a line "path:line: what is wrong and what would be right".
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from . import cpp_text, holes

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = {".cc": 600, ".h": 250}
COLUMNS_MAX = 100

# The folders, lowest layer first: a folder includes from itself and those before it.
LAYERS = [
    "proto",
    "common",
    "lsm",
    "stage1-standalone",
    "stage2-raftkv",
    "stage3-multiraft",
    "stage4-txn",
    "graders",
]

# Lower layers that a folder leaves alone all the same.
FOREIGN = {
    "lsm": ("proto/", "common/server/", "common/storage/", "common/client/"),
    "stage4-txn": ("stage2-raftkv/", "stage3-multiraft/"),
}

# What several tests share; they alone include it.
TEST_HELPERS = ("_test_util.h", "_test_util.cc")

# Folders whose behaviour must depend on their inputs only; tests beside them may use threads.
DETERMINISTIC = re.compile(r"(lsm|stage4-txn)/|stage\d-\w+/(raft|raftstore|scheduler)/")
NONDETERMINISM = {
    r"\b(system|steady|high_resolution)_clock\b": "a clock; take a Clock",
    r"\b(clock_gettime|gettimeofday|absl::Now|absl::GetCurrentTime\w+)\b": "a clock; take a Clock",
    r"\b(std::)?random_device\b": "randomness; take a Random",
    r"(?<![\w.>])s?rand\s*\(": "randomness; take a Random",
    r"\bstd::\w+_distribution\b": "randomness that differs between libraries; take a Random",
    r"\bstd::(ranges::)?(shuffle|sample)\b": "randomness that differs between libraries",
    r"\babsl::(BitGen|InsecureBitGen|Uniform)\b": "randomness; take a Random",
}
THREADS = {
    r"\bstd::(thread|jthread|async)\b": "a thread; take an Executor",
    r"\bstd::this_thread\b": "a thread; take an Executor or a Clock",
}


# The one file of ours that throws: NotStarted.
THROWER = "common/your_code_here.cc"

SLEEP = r"\b(sleep_for|sleep_until|usleep|nanosleep|absl::SleepFor|(?<![\w.>])sleep(?=\())"


@dataclass(frozen=True)
class Source:
    """A C++ file; `path` is relative to the root of the project."""

    path: PurePosixPath
    text: str

    @cached_property
    def code(self) -> str:
        """The text without comments and literals."""
        return cpp_text.code_of(self.text)

    @cached_property
    def lines(self) -> list[str]:
        """The text by lines."""
        return self.text.splitlines()

    @property
    def layer(self) -> str:
        """The top-level folder."""
        return self.path.parts[0]

    @property
    def is_test(self) -> bool:
        """Whether it is a test of the files beside it, or what such tests share."""
        return self.path.name.endswith(("_test.cc", *TEST_HELPERS))


@dataclass(frozen=True)
class Rule:
    """A rule's name is a claim about the code, true where there is no finding."""

    name: str
    check: Callable[[Path, Iterable[Source]], Iterator[str]]


def short_functions(_root: Path, sources: Iterable[Source]) -> Iterator[str]:
    """A function fits a screen."""
    for source in sources:
        for function in cpp_text.functions(source.text):
            if function.length > FUNCTION_LINES_MAX:
                yield (
                    f"{source.path}:{function.first_line}: {function.name} has "
                    f"{function.length} lines; at most {FUNCTION_LINES_MAX}"
                )


def short_files(_root: Path, sources: Iterable[Source]) -> Iterator[str]:
    """A file has one subject."""
    for source in sources:
        bound = FILE_LINES_MAX[source.path.suffix]
        if len(source.lines) > bound:
            yield f"{source.path}:{bound + 1}: {len(source.lines)} lines; at most {bound}"


def short_lines(_root: Path, sources: Iterable[Source]) -> Iterator[str]:
    """Two files fit side by side. Includes and addresses cannot be broken."""
    for source in sources:
        for number, line in enumerate(source.lines, start=1):
            unbreakable = line.startswith("#include") or "://" in line
            if len(line) > COLUMNS_MAX and not unbreakable:
                yield f"{source.path}:{number}: {len(line)} columns; at most {COLUMNS_MAX}"


def layered_includes(_root: Path, sources: Iterable[Source]) -> Iterator[str]:
    """A folder includes from those before it in LAYERS, never from those after."""
    for source in sources:
        if source.layer not in LAYERS:
            yield f"{source.path}:1: {source.layer}/ is no layer; they are: {', '.join(LAYERS)}"
            continue
        for line, included in cpp_text.includes(source.text):
            if reason := forbidden(source, included):
                yield f"{source.path}:{line}: includes {included}; {reason}"


def forbidden(source: Source, included: str) -> str | None:
    """Why `source` must not include a header; None where it may."""
    target = included.split("/")[0]
    if target not in LAYERS:
        return None
    if included.endswith(TEST_HELPERS) and not source.is_test:
        return "that is for tests only"
    if target == "graders" and source.is_test:
        return None
    if LAYERS.index(target) > LAYERS.index(source.layer):
        return f"{source.layer}/ stands below {target}/"
    if included.startswith(FOREIGN.get(source.layer, ())):
        return f"{source.layer}/ knows nothing of {included.rpartition('/')[0]}/"
    return None


def rooted_includes(root: Path, sources: Iterable[Source]) -> Iterator[str]:
    """An include is a path from the root of the project, or a library's."""
    for source in sources:
        for line, included in cpp_text.includes(source.text):
            beside = root / source.path.parent / included
            if not (root / included).exists() and beside.exists():
                right = beside.resolve().relative_to(root.resolve())
                yield f'{source.path}:{line}: includes "{included}"; from the root it is "{right}"'


def built_files(root: Path, sources: Iterable[Source]) -> Iterator[str]:
    """A .cc is named in the CMakeLists.txt of its folder or one above; else nobody builds it."""
    named: dict[Path, set[str]] = {}
    for source in sources:
        if source.path.suffix != ".cc":
            continue
        above = [Path(folder) for folder in source.path.parents]
        for folder in above:
            if folder not in named:
                named[folder] = words_of(root / folder / "CMakeLists.txt")
        if not any(str(source.path.relative_to(folder)) in named[folder] for folder in above):
            yield f"{source.path}:1: no CMakeLists.txt names it, so it is not built"


def words_of(cmake_file: Path) -> set[str]:
    """The words of a CMake file without its comments; none where there is no such file."""
    if not cmake_file.is_file():
        return set()
    text = re.sub(r"#[^\n]*", "", cmake_file.read_text(encoding="utf-8"))
    return set(re.split(r'[\s()"]+', text))


def running_tests(_root: Path, sources: Iterable[Source]) -> Iterator[str]:
    """No test is switched off."""
    for source in sources:
        for match in re.finditer(r"\bDISABLED_\w*", source.code):
            line = cpp_text.line_of(source.code, match.start())
            yield f"{source.path}:{line}: {match[0]} does not run; mend it or remove it"


def determinism(_root: Path, sources: Iterable[Source]) -> Iterator[str]:
    """What must replay from a seed reads no clock, draws no randomness and starts no thread."""
    for source in sources:
        if not DETERMINISTIC.match(str(source.path)):
            continue
        banned = NONDETERMINISM if source.is_test else {**NONDETERMINISM, **THREADS}
        for pattern, why in banned.items():
            for match in re.finditer(pattern, source.code):
                line = cpp_text.line_of(source.code, match.start())
                yield f"{source.path}:{line}: {match[0].strip()} is {why}"


def no_exceptions(_root: Path, sources: Iterable[Source]) -> Iterator[str]:
    """Failures are Statuses. Only a hole throws, and what grades or tests."""
    for source in sources:
        if source.is_test or source.layer == "graders" or str(source.path) == THROWER:
            continue
        for match in re.finditer(r"\bthrow\b(?!\s*;)", source.code):
            line = cpp_text.line_of(source.code, match.start())
            yield f"{source.path}:{line}: throws; return a Status, or TKV_CHECK an invariant"


def no_sleeps(_root: Path, sources: Iterable[Source]) -> Iterator[str]:
    """Whoever waits for a time waits too long here and too short on a slow machine."""
    for source in sources:
        for match in re.finditer(SLEEP, source.code):
            line = cpp_text.line_of(source.code, match.start())
            yield f"{source.path}:{line}: {match[0]} sleeps; wait for what must happen, or take a Clock"


def well_formed_holes(_root: Path, sources: Iterable[Source]) -> Iterator[str]:
    """A hole can be cut out, and no two bear one name."""
    places: dict[str, str] = {}
    for source in sources:
        found, wrong = holes.find(source.text)
        yield from (f"{source.path}:{w.line}: {w.message}" for w in wrong)
        for hole in found:
            place = f"{source.path}:{hole.first_line}"
            if hole.id in places:
                yield f"{place}: hole {hole.id} is at {places[hole.id]} too; one name, one hole"
            places.setdefault(hole.id, place)


RULES = [
    Rule("functions are short", short_functions),
    Rule("files are short", short_files),
    Rule("lines are short", short_lines),
    Rule("includes respect the layers", layered_includes),
    Rule("includes start at the root", rooted_includes),
    Rule("every .cc is built", built_files),
    Rule("no test is switched off", running_tests),
    Rule("cores are deterministic", determinism),
    Rule("only holes throw", no_exceptions),
    Rule("nobody sleeps", no_sleeps),
    Rule("holes are well-formed", well_formed_holes),
]
