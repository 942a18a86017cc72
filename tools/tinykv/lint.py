"""./tinykv lint: layout (clang-format), static analysis (clang-tidy) and the house rules (tidy)."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from . import build, clang_tidy, packages, setup, tidy
from .console import GREEN, RED, Step, colour, say
from .files import listed
from .gtest_report import FailedCase, Tally
from .process import capture
from .workspace import Workspace

CLANG_FORMAT = "clang-format-16"


@dataclass(frozen=True)
class Check:
    """One step of lint: a name, and a function that returns what is wrong."""

    name: str
    findings: Callable[[], list[str]]


def run(workspace: Workspace, fix: bool) -> int:
    """The command. clang-tidy reads generated headers, so the release preset is built first."""
    setup.ensure({**packages.BUILD, **packages.LINT})
    if fix:
        capture([CLANG_FORMAT, "-i", *sources(workspace)], cwd=workspace.root)
    build.build(workspace, "release")
    total = run_checks([*quick_checks(workspace), *slow_checks(workspace)])
    for case in total.failed:
        say(case.message)
    say(f"{total}")
    return 1 if total.failed else 0


def run_checks(checks: list[Check]) -> Tally:
    """Runs the steps; each counts as a test case."""
    total = Tally()
    for check in checks:
        findings = check.findings()
        verdict = colour("ok", GREEN) if not findings else colour(f"{len(findings)} found", RED)
        say(f"lint: {check.name}: {verdict}")
        if findings:
            total.failed.append(FailedCase(f"lint: {check.name}", "\n".join(findings)))
        else:
            total.passed += 1
    return total


def quick_checks(workspace: Workspace) -> list[Check]:
    """The house rules and the layout: seconds. ./tinykv test runs these."""
    files = sources(workspace)
    read = [
        tidy.Source(PurePosixPath(file), (workspace.root / file).read_text(encoding="utf-8"))
        for file in files
    ]

    def findings_of(rule: tidy.Rule) -> Callable[[], list[str]]:
        return lambda: list(rule.check(workspace.root, read))

    house = [Check(rule.name, findings_of(rule)) for rule in tidy.RULES]
    return [
        *house,
        Check("layout is clang-format's", lambda: clang_format(workspace, files)),
    ]


def slow_checks(workspace: Workspace) -> list[Check]:
    """Static analysis: minutes on a cold tree."""
    files = sources(workspace)
    return [Check("clang-tidy is content", lambda: analyse(workspace, files))]


def sources(workspace: Workspace) -> list[str]:
    """All C++ files of the project, relative to its root."""
    return [name for name in listed(workspace, [".h", ".cc"]) if (workspace.root / name).is_file()]


def clang_format(workspace: Workspace, files: list[str]) -> list[str]:
    """One finding a file, at the first place that differs."""
    if not files:
        return []
    command = [CLANG_FORMAT, "--dry-run", "-Werror", *files]
    status, output = capture(command, cwd=workspace.root)
    if status == 0:
        return []
    first: dict[str, str] = {}
    for line in output.splitlines():
        if ": error: " in line:
            path, number = line.split(":")[:2]
            finding = f"{path}:{number}: not clang-format's layout; ./tinykv lint --fix mends it"
            first.setdefault(path, finding)
    return list(first.values()) or [output]


def analyse(workspace: Workspace, files: list[str]) -> list[str]:
    """clang-tidy on every .cc, and through them on the headers."""
    wanted = [workspace.root / file for file in files if Path(file).suffix == ".cc"]
    with Step("clang-tidy") as step:
        outcome = clang_tidy.analyse(workspace, wanted, step.progress)
        step.result(f"{outcome.analysed} files read, {outcome.unchanged} unchanged")
    return outcome.findings
