"""Makes what crashed programs leave readable: FILE(+OFFSET)[ADDRESS] becomes a line and a function.

graders/task/crash_stack.h says who prints it; frames in a sanitizer's report get the same form.
"""
from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HEADER = re.compile(r"^\*\*\* SIG\w+: stack:$", re.MULTILINE)
PROGRAM = re.compile(r"^\*\*\* the program:\n(.*?)(?=^\*\*\* SIG|\Z)", re.MULTILINE | re.DOTALL)
RAW_FRAME = re.compile(
    r"^(?P<file>.+)\((?P<symbol>[^()+]*)\+0x(?P<offset>[0-9a-f]+)\)\[0x(?P<address>[0-9a-f]+)\]$"
)
SANITIZER_FRAME = re.compile(r"^ +#\d+ 0x[0-9a-f]+ +(?:in )?(?P<function>.*?) *(?P<place>\S+)$")
RESOLVED = re.compile(
    r"^(?: \(inlined by\) )?(?P<function>.*) at (?P<file>.*?):(?P<line>\d+)"
    r"(?: \(discriminator \d+\))?$"
)

# Where compilers run, two folders below the root: some name their files from there.
COMPILED_IN = "build/preset"

# Frames that each stack has and that say nothing.
MACHINERY = (
    "graders/task/crash_stack.cc",
    "graders/task/finding.cc",
    "graders/task/grader_main.cc",
)

# The handler and the kernel's trampoline stand above the frame that the signal struck: its address
# is that of an instruction, while those below it are where calls return to, one instruction later.
STRUCK = 2

FRAMES_MAX = 24
SECONDS_MAX = 60


@dataclass(frozen=True)
class RawFrame:
    """A line as it is printed; `offset` is None where it is that from a symbol."""

    number: int
    file: str
    offset: int | None
    address: int


def readable(text: str, root: Path) -> list[str]:
    """The frames of the project's own source, innermost first: "FILE:LINE  FUNCTION".

    Empty where `text`, what a program printed on standard error, has no stack.
    """
    match = HEADER.search(text)
    if match is None:
        return []
    frames = raw_frames(text[match.end() :].splitlines()[1:])
    found: list[str] = []
    for program, offsets in by_program(frames, root):
        found += resolved(program, offsets, root)
    if len(found) > FRAMES_MAX:
        found[FRAMES_MAX:] = [f"… and {len(found) - FRAMES_MAX} frames more"]
    return found


def program_in(text: str) -> str:
    """The program of steps that a program was in when it died; "" if it left none."""
    match = PROGRAM.search(text)
    return match[1] if match else ""


def with_own_frames(report: str, root: Path) -> str:
    """A sanitizer's report without frames of libraries and machinery, nor bytes of its shadow."""
    lines = []
    for line in PROGRAM.sub("", report).splitlines():
        if line.startswith("Shadow bytes around"):
            break
        match = SANITIZER_FRAME.match(line)
        place = match["place"].split(":") if match else []
        file = own_source(str(root / COMPILED_IN / place[0]), root) if match else None
        if match is None:
            lines.append(line)
        elif file and len(place) > 1:
            lines.append(f"    {file}:{place[1]}  {short_name(match['function'])}")
    return "\n".join(lines)


def raw_frames(lines: Sequence[str]) -> list[RawFrame]:
    """The frames that stand at the beginning of these lines."""
    found = []
    for number, line in enumerate(lines):
        match = RAW_FRAME.match(line)
        if match is None and not line.endswith("]"):
            break
        if match:
            offset = None if match["symbol"] else int(match["offset"], 16)
            found.append(RawFrame(number, match["file"], offset, int(match["address"], 16)))
    return found


def by_program(frames: Sequence[RawFrame], root: Path) -> Iterator[tuple[Path, list[int]]]:
    """For each program of ours that is on the stack the offsets to look up in it."""
    for name in dict.fromkeys(frame.file for frame in frames):
        path = root / name
        own = [frame for frame in frames if frame.file == name]
        bases = [frame.address - frame.offset for frame in own if frame.offset is not None]
        if bases and path.is_relative_to(root) and path.is_file():
            yield path, [
                frame.address - bases[0] - (0 if frame.number == STRUCK else 1) for frame in own
            ]


def resolved(program: Path, offsets: Sequence[int], root: Path) -> list[str]:
    """Asks addr2line, once."""
    command = ["addr2line", "-C", "-f", "-i", "-p", "-e", str(program), *map(hex, offsets)]
    try:
        answer = subprocess.run(
            command, capture_output=True, check=False, timeout=SECONDS_MAX, cwd=root
        ).stdout.decode("utf-8", errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return []
    found = []
    for line in answer.splitlines():
        match = RESOLVED.match(line)
        place = own_source(match["file"], root) if match else None
        if match and place:
            found.append(f"{place}:{match['line']}  {short_name(match['function'])}")
    return found


def own_source(file: str, root: Path) -> str | None:
    """A path relative to the project, if it is source of ours, and not of a crash's machinery."""
    path = Path(os.path.normpath(root / file))
    if not path.is_relative_to(root):
        return None
    name = str(path.relative_to(root))
    return None if name in MACHINERY or name.startswith("build/") else name


NAMESPACES = re.compile(r"\b(?:tinykv|grading|std::__cxx11|std::__debug|absl::debian\d+)::")
ANONYMOUS = "(anonymous namespace)::"
STRING = re.compile(
    r"std::basic_string(?P<view>_view)?<char, std::char_traits<char>(?:, std::allocator<char>)? ?>"
)
CLONE = re.compile(r" \[clone [^\]]*\]")
OPERATOR = re.compile(r"operator(?:\(\)|<=>|<<=?|>>=?|->\*?|<=?|>=?)")

# How long arguments of templates and of functions may be before they are left out.
ARGUMENTS_LENGTH_MAX = {"<": 24, "(": 32}
CLOSING = {"<": ">", "(": ")"}
NAME_LENGTH_MAX = 90


def short_name(function: str) -> str:
    """A demangled name that fits a line: without our namespaces and without long arguments."""
    name = CLONE.sub("", function).replace(ANONYMOUS, "")
    name = re.sub(r"\bstd::__cxx11::", "std::", name)
    name = STRING.sub(lambda match: "std::string" + (match["view"] or ""), name)
    name = without_long_arguments(NAMESPACES.sub("", name))
    return name if len(name) <= NAME_LENGTH_MAX else f"{name[: NAME_LENGTH_MAX - 1]}…"


def without_long_arguments(name: str) -> str:
    """Has "…" stand for outermost lists of arguments, in <> and in (), that are long."""
    short = ""
    position = 0
    while position < len(name):
        if match := OPERATOR.match(name, position):
            short += match[0]
            position = match.end()
            continue
        mark = name[position]
        end = closing(name, position) if mark in CLOSING else position + 1
        arguments = name[position:end]
        if mark in CLOSING and len(arguments) > ARGUMENTS_LENGTH_MAX[mark]:
            arguments = f"{mark}…{CLOSING[mark]}"
        short += arguments
        position = end
    return short


def closing(name: str, begin: int) -> int:
    """The position behind the bracket that closes the one at `begin`; the end if none does."""
    depth = 0
    position = begin
    while position < len(name):
        if match := OPERATOR.match(name, position):
            position = match.end()
            continue
        if name.startswith("->", position):
            position += 2
            continue
        depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(name[position], 0)
        position += 1
        if depth == 0:
            return position
    return len(name)
