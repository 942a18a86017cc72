"""The holes of the course: regions of the reference solution that students write anew.

    // >>> SOLUTION 1-raw-get: ask a reader, and tell an absent key from an empty value
    ...whole statements inside one function...
    // <<< SOLUTION

In the hand-out such a region becomes

    // TASK 1-raw-get: ask a reader, and tell an absent key from an empty value
    YourCodeHere("1-raw-get");

YourCodeHere() throws, so what is left compiles whatever the function returns.
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from . import cpp_text

LINES_MAX = 60

MARK = re.compile(r"//\s*(?:>>>|<<<)|//.*\bSOLUTION\b")
BEGIN = re.compile(r"(?P<indent> *)// >>> SOLUTION (?P<id>\S+): (?P<hint>\S.*)")
END = re.compile(r"(?P<indent> *)// <<< SOLUTION")
ID = re.compile(r"[1-4][A-C]?-[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class Hole:
    """One region; lines are counted from 1, and are those of the two marks."""

    id: str
    hint: str
    indent: str
    first_line: int
    last_line: int


@dataclass(frozen=True)
class Malformed:
    """A mark or a region that breaks a rule."""

    line: int
    message: str


def find(text: str) -> tuple[list[Hole], list[Malformed]]:
    """The well-formed holes of a file in order, and what is wrong with the others."""
    holes: list[Hole] = []
    wrong: list[Malformed] = []
    code = cpp_text.code_of(text).splitlines()
    bodies = [(f.first_line, f.last_line) for f in cpp_text.functions(text)]
    for found in regions(text.splitlines()):
        if isinstance(found, Malformed):
            wrong.append(found)
            continue
        inside = any(begin < found.first_line and found.last_line < end for begin, end in bodies)
        region = code[found.first_line : found.last_line - 1]
        if why := complaint(found, region) or (None if inside else "is not inside one function"):
            wrong.append(Malformed(found.first_line, f"hole {found.id} {why}"))
        else:
            holes.append(found)
    return holes, wrong


def regions(lines: list[str]) -> Iterator[Hole | Malformed]:
    """Pairs the marks."""
    opened: tuple[int, re.Match] | None = None
    for number, line in enumerate(lines, start=1):
        if not MARK.search(line):
            continue
        begin, end = BEGIN.fullmatch(line), END.fullmatch(line)
        if begin and opened:
            yield Malformed(number, f"hole {begin['id']} begins inside hole {opened[1]['id']}")
        elif begin:
            opened = (number, begin)
        elif end and opened:
            first, mark = opened
            opened = None
            if mark["indent"] != end["indent"]:
                yield Malformed(number, f"hole {mark['id']} ends at another column than it begins")
            else:
                yield Hole(mark["id"], mark["hint"], mark["indent"], first, number)
        elif end:
            yield Malformed(number, "a hole ends that did not begin")
        else:
            yield Malformed(
                number,
                "a mark is '// >>> SOLUTION ID: HINT' or '// <<< SOLUTION', on a line of its own",
            )
    if opened:
        yield Malformed(opened[0], f"hole {opened[1]['id']} does not end")


def complaint(hole: Hole, code: list[str]) -> str | None:
    """What is wrong with a hole; `code` is what it holds, without comments and literals."""
    text = "\n".join(code).strip()
    if not ID.fullmatch(hole.id):
        return "needs a name as 2A-vote: the part, a dash, words in lower case with dashes"
    if len(code) > LINES_MAX:
        return f"has {len(code)} lines; at most {LINES_MAX}"
    if not text:
        return "has no code"
    if any(line.lstrip().startswith("#") for line in code):
        return "has a line for the preprocessor"
    if not balanced(text) or text[-1] not in ";}":
        return "is not a sequence of whole statements"
    if any(line.strip() and not line.startswith(hole.indent) for line in code):
        return "has code to the left of its marks"
    return None


def balanced(text: str) -> bool:
    """Are all brackets closed by their like, and none that was opened outside?"""
    closing = {")": "(", "]": "[", "}": "{"}
    opened: list[str] = []
    for mark in re.findall(r"[()\[\]{}]", text):
        if mark not in closing:
            opened.append(mark)
        elif not opened or opened.pop() != closing[mark]:
            return False
    return not opened


def cut(text: str) -> str:
    """The file without its solutions. REQUIRES: find() has nothing to complain about."""
    lines = text.splitlines(keepends=True)
    for hole in reversed(find(text)[0]):
        lines[hole.first_line - 1 : hole.last_line] = [
            f"{hole.indent}// TASK {hole.id}: {hole.hint}\n",
            f'{hole.indent}YourCodeHere("{hole.id}");\n',
        ]
    return "".join(lines)


def switched(text: str) -> str:
    """The file with its solutions, each behind a SwitchedHole(). REQUIRES: as cut()."""
    lines = text.splitlines(keepends=True)
    for hole in reversed(find(text)[0]):
        begin, end = hole.first_line - 1, hole.last_line
        solution = lines[begin + 1 : end - 1]
        lines[begin:end] = [f'{hole.indent}SwitchedHole("{hole.id}");\n', *solution]
    return "".join(lines)
