"""./tinykv bench: builds and runs tinykv-bench, which measures ours and others side by side."""
from __future__ import annotations

import signal
import subprocess

from . import build
from .console import Failure, UsageError
from .workspace import Workspace

PROGRAM = "tinykv-bench"

# CLI11, which reads the flags of our programs, ends with these for what it does not understand.
USAGE_ERRORS = 100


def run(workspace: Workspace, arguments: list[str]) -> int:
    """The command; `arguments` go to the program as they are."""
    build.build(workspace, "release", [PROGRAM])
    command = [workspace.program("release", PROGRAM), *arguments]
    status = subprocess.run(command, check=False).returncode
    if status < 0:
        raise Failure(f"{PROGRAM} was killed by {signal.Signals(-status).name}")
    return UsageError.exit_code if status >= USAGE_ERRORS else status
