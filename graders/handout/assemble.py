#!/usr/bin/env python3
"""Puts together the tree that is graded: the trusted release, with a student's solutions in it.

    python3 -I RELEASE/graders/classroom/assemble.py STUDENT GRADED

Run it from the release, never from the student's tree. It takes from STUDENT the files that
RELEASE/graders/handout-files.txt lists and nothing else, and only their bytes: a symbolic link, a
pipe or a file of a strange size is not followed or read, and the release's own file stays, whose
holes are open. GRADED must not exist yet.

Names that a student chose are never printed, since a runner may take lines of a log for commands.
"""
from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path, PurePosixPath

LIST = "graders/handout-files.txt"
BYTES_MAX = 1 << 20

# Folders at the root of a release that are no part of it.
IGNORED = {".git", ".tinykv", "build"}


class Refused(Exception):
    """Why a student's file is not taken."""


def main(words: list[str]) -> int:
    """The program."""
    if len(words) != 2:
        sys.exit("usage: python3 -I RELEASE/graders/classroom/assemble.py STUDENT GRADED")
    student, graded = map(Path, words)
    release = Path(__file__).resolve().parents[2]
    if not student.is_dir():
        sys.exit(f"assemble: no folder {student}")
    if os.path.lexists(graded):
        sys.exit(f"assemble: {graded} is there already")
    if graded.resolve().is_relative_to(release):
        sys.exit("assemble: the graded tree must be outside of the release")
    editable = editable_files(release)
    copy_release(release, graded)
    for name in editable:
        try:
            (graded / name).write_bytes(read(student, name))
            print(f"assemble: {name}: the student's")
        except Refused as why:
            print(f"assemble: {name}: the release's, since the student's {why}")
    for name in changed_in_vain(release, student, editable):
        print(f"assemble: {name}: the release's; the student's differs and does not count")
    return 0


def editable_files(release: Path) -> list[str]:
    """The names on the release's list; it is an error if one is not a file of the release."""
    names = (release / LIST).read_text(encoding="utf-8").split("\n")
    names = [name for name in names if name]
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not (release / name).is_file():
            sys.exit(f"assemble: {LIST} names {name}, which is no file of the release")
    if not names:
        sys.exit(f"assemble: {LIST} names no files")
    return names


def copy_release(release: Path, graded: Path) -> None:
    """The release as it is, without its history and what was built in it."""
    shutil.copytree(
        release,
        graded,
        symlinks=True,
        ignore=lambda folder, _: IGNORED if Path(folder) == release else {"__pycache__"},
    )


def changed_in_vain(release: Path, student: Path, editable: list[str]) -> list[str]:
    """Files of the release that the student has otherwise, and that are not on the list."""
    changed = []
    for folder, folders, names in os.walk(release):
        if Path(folder) == release:
            folders[:] = sorted(set(folders) - IGNORED)
        for name in sorted(names):
            path = (Path(folder) / name).relative_to(release).as_posix()
            if path not in editable and not same(release / path, student, path):
                changed.append(path)
    return changed


def same(trusted: Path, student: Path, name: str) -> bool:
    """Whether the student's file is the release's."""
    try:
        return read(student, name) == trusted.read_bytes()
    except Refused:
        return False


def read(root: Path, name: str) -> bytes:
    """The bytes of a plain file below `root`; no folder on the way to it may be a link either."""
    *folders, last = PurePosixPath(name).parts
    opened: list[int] = []

    def step(part: str | Path, flags: int) -> int:
        at = opened[-1] if opened else None
        opened.append(os.open(part, flags | os.O_RDONLY | os.O_CLOEXEC, dir_fd=at))
        return opened[-1]

    try:
        step(root, os.O_DIRECTORY)
        for folder in folders:
            step(folder, os.O_DIRECTORY | os.O_NOFOLLOW)
        file = step(last, os.O_NOFOLLOW | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise Refused("is no plain file")
        return read_all(file)
    except FileNotFoundError:
        raise Refused("is missing") from None
    except OSError:
        raise Refused("cannot be read or is a symbolic link") from None
    finally:
        for descriptor in reversed(opened):
            os.close(descriptor)


def read_all(file: int) -> bytes:
    """What an open file holds."""
    content = b""
    while piece := os.read(file, BYTES_MAX):
        content += piece
        if len(content) > BYTES_MAX:
            raise Refused(f"has more than {BYTES_MAX} bytes")
    return content


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
