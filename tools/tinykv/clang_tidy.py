"""Runs clang-tidy on all cores, and only on what changed since it was last found clean."""
from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from .console import Failure
from .process import capture, cores
from .workspace import Workspace

CLANG_TIDY = "clang-tidy-16"

# Findings in headers count where the header is ours; those generated from proto/ are not.
FOLDERS = "(common|lsm|stage[0-9]-[a-z]+|graders)"

# clang reads g++'s compile commands. It checks the lock annotations, as g++ cannot; and Debian's
# Asio must be told that it has coroutines.
EXTRA_ARGUMENTS = [
    "-Wno-unknown-warning-option",
    "-Wthread-safety",
    "-DASIO_HAS_CO_AWAIT=1",
    "-DASIO_HAS_STD_COROUTINE=1",
]

# What the holes of a hand-out leave unused is no mistake yet.
HANDOUT_ARGUMENTS = ["--checks=-misc-unused-parameters", "--extra-arg=-Wno-unused-private-field"]

FINDING = re.compile(r"^(/[^:\n]+):(\d+):\d+: (?:warning|error): ", re.MULTILINE)


@dataclass
class Outcome:
    """What clang-tidy found, and how many files it had to read for that."""

    findings: list[str] = field(default_factory=list)
    analysed: int = 0
    unchanged: int = 0


def analyse(
    workspace: Workspace, sources: Iterable[Path], progress: Callable[[str], None]
) -> Outcome:
    """Analyses those of `sources` that the release preset compiles."""
    folder = workspace.build("release")
    commands = compile_commands(folder)
    clean = CleanFiles(workspace.state / "clang-tidy-clean.json")
    digests = digests_of(workspace, commands)
    outcome = Outcome()
    todo = []
    for source in sources:
        if source not in commands:
            continue  # the rule "every .cc is built" speaks of it
        if clean.holds(source, digests.get(source)):
            outcome.unchanged += 1
        else:
            todo.append(source)
    found: set[str] = set()  # a header's findings come once, not once a file that includes it
    with ThreadPoolExecutor(cores()) as pool:
        running = {pool.submit(analyse_one, workspace, source): source for source in todo}
        try:
            for future in as_completed(running):
                findings = future.result()
                found.update(findings)
                outcome.analysed += 1
                progress(f"{outcome.analysed}/{len(todo)}")
                if not findings:
                    clean.add(running[future], digests.get(running[future]))
        finally:
            pool.shutdown(cancel_futures=True)
            clean.save()
    outcome.findings = sorted(found)
    return outcome


def analyse_one(workspace: Workspace, source: Path) -> list[str]:
    """The findings in one file and the headers of ours that it includes."""
    command = [
        CLANG_TIDY,
        "--quiet",
        *("-p", workspace.build("release")),
        f"--header-filter=^{re.escape(str(workspace.root))}/{FOLDERS}/",
        f"--extra-arg=--gcc-install-dir={gcc_folder()}",
        *(f"--extra-arg={argument}" for argument in EXTRA_ARGUMENTS),
        *(HANDOUT_ARGUMENTS if workspace.is_handout else []),
        source,
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    findings = findings_in(result.stdout, workspace.root)
    if result.returncode != 0 and not findings:
        return [f"{source.relative_to(workspace.root)}: {CLANG_TIDY} failed: {result.stderr}"]
    return findings


def findings_in(output: str, root: Path) -> list[str]:
    """Splits clang-tidy's output: one finding is a message with the lines that explain it."""
    begins = [match.start() for match in FINDING.finditer(output)]
    ends = [*begins[1:], len(output)]
    pieces = [output[begin:end].rstrip() for begin, end in zip(begins, ends)]
    return [piece.replace(f"{root}/", "") for piece in pieces]


@cache
def gcc_folder() -> Path:
    """Where g++ keeps its headers, so that clang reads the same standard library."""
    answer = subprocess.run(
        ["g++", "-print-libgcc-file-name"], capture_output=True, text=True, check=True
    )
    return Path(answer.stdout.strip()).parent


def compile_commands(folder: Path) -> dict[Path, str]:
    """The compile command of each source of a build folder."""
    file = folder / "compile_commands.json"
    if not file.exists():
        raise Failure(f"{file} is missing; cmake writes it")
    return {
        Path(entry["file"]): entry["command"] for entry in json.loads(file.read_text())
    }


class CleanFiles:
    """Which sources had no finding, each with a digest of all that clang-tidy read for it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._digests = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._digests = {}

    def holds(self, source: Path, digest: str | None) -> bool:
        """Whether `source` was clean when it had this digest."""
        return digest is not None and self._digests.get(str(source)) == digest

    def add(self, source: Path, digest: str | None) -> None:
        """Remembers a clean source."""
        if digest is not None:
            self._digests[str(source)] = digest

    def save(self) -> None:
        """Writes all that is remembered, at once."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(self._digests, indent=1), encoding="utf-8")
        os.replace(draft, self._path)


def digests_of(workspace: Workspace, commands: dict[Path, str]) -> dict[Path, str]:
    """A digest for each source that ninja knows the headers of.

    It covers the source, every header, the compile command, the configuration and clang-tidy.
    """
    common = hashlib.sha256()
    common.update(capture([CLANG_TIDY, "--version"])[1].encode())
    common.update((workspace.root / ".clang-tidy").read_bytes())
    common.update(" ".join(EXTRA_ARGUMENTS + [FOLDERS]).encode())
    file_digests: dict[Path, bytes] = {}

    def digest_of(file: Path) -> bytes:
        if file not in file_digests:
            content = file.read_bytes() if file.exists() else b""
            file_digests[file] = hashlib.sha256(content).digest()
        return file_digests[file]

    result = {}
    for source, files in dependencies(workspace.build("release")).items():
        if source in commands:
            whole = common.copy()
            whole.update(commands[source].encode())
            for file in files:
                whole.update(str(file).encode() + b"\0" + digest_of(file))
            result[source] = whole.hexdigest()
    return result


def dependencies(folder: Path) -> dict[Path, list[Path]]:
    """The files that each source was compiled from, itself first, as ninja remembers them."""
    status, output = capture(["ninja", "-C", folder, "-t", "deps"])
    if status != 0:
        return {}
    return parse_dependencies(output, folder)


def parse_dependencies(output: str, folder: Path) -> dict[Path, list[Path]]:
    """Reads `ninja -t deps`: an object's line that ends in (VALID), then its files, indented."""
    paths: dict[str, Path] = {}  # headers come back for every source
    result: dict[Path, list[Path]] = {}
    files: list[Path] | None = None
    for line in output.splitlines():
        if not line.startswith(" "):
            files = [] if line.endswith("(VALID)") else None
        elif files is not None:
            if line not in paths:
                paths[line] = Path(os.path.normpath(folder / line.strip()))
            files.append(paths[line])
            if len(files) == 1:
                result[files[0]] = files
    return result
