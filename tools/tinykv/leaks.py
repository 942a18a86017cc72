"""What a hand-out must not hold: marks and pieces of solutions, links to what it leaves out."""
from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from . import holes
from .cpp_text import line_of

# A shorter line ("co_return response;") may stand anywhere.
DISTINCTIVE_LENGTH = 30

# The script's own sources and tests speak of marks.
SPEAKS_OF_MARKS = "tools/"

MARKS = re.compile(r"^[ \t]*//.*(?:>>>|<<<) *SOLUTION\b", re.MULTILINE)
LINK = re.compile(r"\]\((?!\w+:)(?P<path>[^)#\s]+)(?:#[^)\s]*)?\)")


@dataclass(frozen=True)
class Solution:
    """The lines between the marks of a hole."""

    hole: str
    lines: Sequence[str]

    def distinctive(self) -> dict[str, re.Pattern]:
        """The lines that are long enough to know again, however they are broken elsewhere."""
        found = {" ".join(line.split()) for line in self.lines}
        return {
            line: re.compile(r"\s+".join(map(re.escape, line.split(" "))))
            for line in sorted(found)
            if len(line) >= DISTINCTIVE_LENGTH
        }


def is_code(name: str) -> bool:
    """Whether a file is C++."""
    return name.endswith((".h", ".cc"))


def marks(texts: Mapping[str, str]) -> Iterator[str]:
    """Marks of holes that were not cut."""
    for name, text in texts.items():
        if is_code(name):
            found, wrong = holes.find(text)
            lines = [hole.first_line for hole in found] + [one.line for one in wrong]
        elif not name.startswith(SPEAKS_OF_MARKS):
            lines = [line_of(text, match.end()) for match in MARKS.finditer(text)]
        else:
            lines = []
        yield from (f"{name}:{line}: the mark of a solution" for line in lines)


def solutions(texts: Mapping[str, str], all_solutions: Sequence[Solution]) -> Iterator[str]:
    """Places that give a solution away.

    A line alone may be an idiom that given code has as well, so in C++ it takes two different lines
    of a hole in one file, or the only one that the hole has. What is not C++ quotes code for a
    reason: there one line is enough, unless given code has it.
    """
    for solution in all_solutions:
        patterns = solution.distinctive()
        places = {name: occurrences(patterns, text) for name, text in texts.items()}
        given = {line for name, found in places.items() if is_code(name) for line in found}
        for name, found in places.items():
            if is_code(name) and len(found) < min(2, len(patterns)):
                continue
            for line, match in found.items():
                if is_code(name) or line not in given:
                    where = f"{name}:{line_of(texts[name], match.start())}"
                    yield f"{where}: a line of the solution of {solution.hole}: {line}"


def occurrences(patterns: Mapping[str, re.Pattern], text: str) -> dict[str, re.Match]:
    """Where a text has these lines first."""
    return {line: match for line, pattern in patterns.items() if (match := pattern.search(text))}


def dead_links(texts: Mapping[str, str], reference: Collection[str]) -> Iterator[str]:
    """Links of Markdown to what the reference has and the hand-out leaves out."""
    left_out = with_folders(reference) - with_folders(texts)
    for name, text in texts.items():
        if not name.endswith(".md"):
            continue
        for match in LINK.finditer(text):
            to = posixpath.normpath(posixpath.join(posixpath.dirname(name), match["path"]))
            if to in left_out:
                yield f"{name}:{line_of(text, match.start())}: links to {to}, which is left out"


def with_folders(names: Collection[str]) -> set[str]:
    """Files, and the folders that they are in."""
    paths = map(PurePosixPath, names)
    return {str(place) for path in paths for place in (path, *path.parents)}
