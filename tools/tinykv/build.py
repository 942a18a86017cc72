"""./tinykv build: configures a preset where needed and compiles it; a second run is incremental."""
from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from . import packages, setup
from .console import Failure, Step
from .process import capture, cores, follow
from .workspace import Workspace, shown

PRESETS = {
    "release": "optimised, with checks on; what up, test and bench use",
    "debug": "not optimised, for a debugger",
    "asan": "AddressSanitizer and UndefinedBehaviorSanitizer",
    "tsan": "ThreadSanitizer, on what does not need gRPC",
}

# Ninja says "[12/80] Building …" before each step; all other lines come from compilers.
PROGRESS = re.compile(r"^\[(\d+)/(\d+)\] ")

# Lines of compiler output shown when a build fails; the first error is what matters.
DETAILS_LINES_MAX = 150


def run(workspace: Workspace, preset: str) -> int:
    """The command."""
    build(workspace, preset)
    return 0


def build(workspace: Workspace, preset: str, targets: Sequence[str] = ()) -> None:
    """Installs what is missing and compiles `targets` (all unless told) of a preset."""
    setup.ensure(packages.BUILD)
    configure(workspace, preset)
    compile_targets(workspace, preset, targets)


def configure(workspace: Workspace, preset: str) -> None:
    """Runs cmake where that was never done, the presets changed, or the checkout was moved.

    All other changes ninja notices itself.
    """
    if is_configured(workspace, preset):
        return
    command = ["cmake", "--fresh", "--preset", preset]
    with Step(f"configuring {preset}"):
        status, output = capture(command, cwd=workspace.root)
        if status != 0:
            raise Failure(f"cmake could not configure the preset {preset}; see above", output)
    stamp(workspace, preset).touch()


def is_configured(workspace: Workspace, preset: str) -> bool:
    """Whether ninja can start in the preset's build folder."""
    done = stamp(workspace, preset)
    cache = workspace.build(preset) / "CMakeCache.txt"
    if not done.exists() or not cache.exists():
        return False
    if done.stat().st_mtime < (workspace.root / "CMakePresets.json").stat().st_mtime:
        return False
    return f"CMAKE_HOME_DIRECTORY:INTERNAL={workspace.root}\n" in cache.read_text()


def stamp(workspace: Workspace, preset: str) -> Path:
    """An empty file that says: cmake went through."""
    return workspace.build(preset) / ".configured"


def compile_targets(workspace: Workspace, preset: str, targets: Sequence[str]) -> None:
    """Runs ninja; a Failure shows what the compilers said."""
    folder = workspace.build(preset)
    command = ["cmake", "--build", folder, "--parallel", str(cores())]
    if targets:
        command += ["--target", *targets]
    said: list[str] = []
    steps = 0
    what = f"building {preset}" if not targets else f"building {' and '.join(targets)}"
    with Step(what) as step:

        def on_line(line: str) -> None:
            nonlocal steps
            if match := PROGRESS.match(line):
                steps += 1
                step.progress(f"{match[1]}/{match[2]}")
            elif line != "ninja: no work to do.":
                said.append(line)

        environment = {"NINJA_STATUS": "[%f/%t] ", **cache_settings(workspace)}
        status = follow(command, on_line, cwd=workspace.root, env=environment)
        if status != 0:
            where = shown(folder)
            raise Failure(f"the {preset} build in {where} failed; see above", shortened(said))
        step.result("up to date" if steps == 0 else f"{steps} steps")
    for line in said:  # a remark of cmake or a linker
        print(line)


def cache_settings(workspace: Workspace) -> dict[str, str]:
    """What has ccache, where there is one, know a file again in every copy of the tree."""
    return {"CCACHE_BASEDIR": str(workspace.root), "CCACHE_NOHASHDIR": "1"}


def shortened(lines: Sequence[str]) -> str:
    """The first lines of a long output, and how many there are more."""
    if len(lines) <= DETAILS_LINES_MAX:
        return "\n".join(lines)
    rest = len(lines) - DETAILS_LINES_MAX
    return "\n".join([*lines[:DETAILS_LINES_MAX], f"… and {rest} lines more"])
