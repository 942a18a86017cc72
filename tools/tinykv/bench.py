"""./tinykv bench: builds and runs tinykv-bench, which measures ours and others side by side."""
from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from . import build, cluster_bench, plans
from .console import Failure, UsageError
from .workspace import Workspace

PROGRAM = "tinykv-bench"

# The stage whose stores `bench cluster` measures.
CLUSTER_STAGE = 2

# CLI11, which reads the flags of our programs, ends with these for what it does not understand.
USAGE_ERRORS = 100


def run(workspace: Workspace, arguments: list[str]) -> int:
    """The command; `arguments` go to the program as they are."""
    is_cluster = arguments[0] == "cluster"
    if is_cluster and not (workspace.root / plans.SOURCES[CLUSTER_STAGE]).is_file():
        raise UsageError("bench cluster: this tree has no server of stage 2 yet, which it measures")
    server = plans.SERVERS[CLUSTER_STAGE]
    build.build(workspace, "release", [PROGRAM, server] if is_cluster else [PROGRAM])
    program = workspace.program("release", PROGRAM)
    if not is_cluster:
        return call([program, *arguments])
    # Before anything is started: whether the flags can be read, and all that -h asks for.
    status = call([program, *arguments, "--check"])
    if status != 0 or {"-h", "--help"} & set(arguments):
        return status
    programs = cluster_bench.Programs(program, workspace.program("release", server))
    return cluster_bench.measure(workspace.state, programs, arguments[1:], call)


def call(command: Sequence[str | Path]) -> int:
    """Runs tinykv-bench; the exit status for it."""
    status = subprocess.run(command, check=False).returncode
    if status < 0:
        raise Failure(f"{PROGRAM} was killed by {signal.Signals(-status).name}")
    return UsageError.exit_code if status >= USAGE_ERRORS else status
