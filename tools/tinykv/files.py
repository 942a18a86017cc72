"""The files of the project: what git tracks or would track."""
from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .console import Failure
from .workspace import Workspace

# Folders that .gitignore names, and git's own: left out where there is no git to ask.
IGNORED = {".git", ".tinykv", "build", "__pycache__"}


def listed(workspace: Workspace, suffixes: Sequence[str] = ()) -> list[str]:
    """The files with one of these suffixes, or all, relative to the root and in order.

    A tree that is no repository, as a hand-out that was only unpacked, is walked; so is one that
    merely lies within another repository, which says nothing of it.
    """
    is_repository = (workspace.root / ".git").exists()
    names = asked_of_git(workspace) if is_repository else walked(workspace.root)
    return [name for name in sorted(names) if name.endswith(tuple(suffixes) or "")]


def asked_of_git(workspace: Workspace) -> set[str]:
    """What git tracks or would, without what was deleted and not yet committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(
        command, cwd=workspace.root, capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        raise Failure(f"git cannot list the files: {answer.stderr.strip()}")
    names = set(answer.stdout.split("\0")) - {""}
    return {name for name in names if os.path.lexists(workspace.root / name)}


def walked(root: Path) -> set[str]:
    """All files below a folder, without those that git would be told to ignore."""
    found = set()
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in IGNORED]
        found.update(str((Path(folder) / name).relative_to(root)) for name in names)
    return found
