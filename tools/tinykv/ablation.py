"""./tinykv handout --check: proves that the hand-out works and that the manifest of tasks is true.

Each run is a hand-out with some holes open and the others filled by the reference, graded as a
student would grade it. A task must be "not started" if it names an open hole, and "passed" if not.

The hand-out with all holes open is the student's. The others are one tree, built once, in which a
switch before each solution opens it (graders/handout/switched_holes.h).
"""
from __future__ import annotations

import json as json_library
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import handout, lint, packages, points, setup, task_graph
from .console import GREEN, RED, Failure, Step, colour, say
from .files import listed
from .gtest_report import Tally
from .points import Task
from .process import follow
from .workspace import Workspace, shown

PROOFS = {
    "handout": "with every hole open it builds without warnings, keeps the house rules, scores 0",
    "ablation": "with one hole open, exactly the tasks that name it are not started",
    "filling": "with one hole filled, exactly the tasks that need no other pass",
}

HELP = """\
DIR gets the student's tree, without solutions and without what is for instructors.

--check makes hand-outs in build/handout-check, builds and grades them, and proves
  handout   every hole open: it builds without warnings, keeps the house rules and
            scores 0 points
  ablation  one hole open, for each: exactly the tasks that name it in
            graders/points.toml are not started, all others pass
  filling   one hole filled, for each: exactly the tasks that need no other pass
and that the book draws the same graph of holes and tasks. Exits 0 only if all holds.

--json FILE gets {"holds": …, "findings": […], "runs": [{"proof", "hole", "open",
"tasks": [{"task", "verdict", "expected"}]}], "graphs": {CHAPTER: MERMAID}}."""

# In the environment of a run: the holes that are open, with a comma after each but the last.
OPEN_HOLES = "TINYKV_OPEN_HOLES"
PRESET = "release"
SEEDS = 8  # of each task

SIGNS = "+ passed, o not started, . not in its program, ! neither, ? not as expected"
PASSED, NOT_STARTED = "passed", "not started"
# Of a task that is not run, since the hole that is open is nowhere in its program.
NOT_IN_IT = "not in its program"


@dataclass(frozen=True)
class Wishes:
    """The flags of the command."""

    only: str | None = None
    seeds: int = SEEDS
    write_graph: bool = False
    json: Path | None = None


@dataclass(frozen=True)
class Variant:
    """A hand-out to be graded: `hole` is the one that is open, or filled, alone."""

    proof: str
    hole: str | None
    open: frozenset[str]

    def expected(self, task: Task) -> str:
        """The verdict that a task must have."""
        return NOT_STARTED if self.open & set(task.holes) else PASSED

    @property
    def title(self) -> str:
        """What it is, in words."""
        return {
            "handout": "all holes open",
            "ablation": f"only {self.hole} open",
            "filling": f"only {self.hole} filled",
        }[self.proof]


@dataclass
class Graded:
    """What grading a variant gave."""

    variant: Variant
    verdicts: Mapping[str, str]
    findings: list[str] = field(default_factory=list)


def run(workspace: Workspace, wishes: Wishes) -> int:
    """The command."""
    reference = handout.read(workspace)
    holes = [hole.id for found in handout.holes_of(reference).values() for hole in found]
    tasks = points.load(workspace).tasks
    findings = [*manifest_findings(holes, tasks)]
    if findings:
        raise Failure("graders/points.toml and the holes disagree; see above", "\n".join(findings))
    if wishes.write_graph:
        write_graphs(workspace, tasks)
    findings += task_graph.findings(chapters(workspace, tasks), tasks)
    graded = prove(Bench(workspace, reference), variants(holes, wishes.only), tasks, wishes.seeds)
    findings += [finding for one in graded for finding in one.findings]
    show(holes, tasks, graded, findings)
    if wishes.json is not None:
        report = json_library.dumps(as_json(tasks, graded, findings), indent=1)
        wishes.json.write_text(report + "\n", encoding="utf-8")
    return 1 if findings else 0


def manifest_findings(holes: Collection[str], tasks: Sequence[Task]) -> Iterator[str]:
    """Holes that no task names, and the reverse."""
    named = {hole for task in tasks for hole in task.holes}
    yield from (f"hole {hole} is named by no task" for hole in holes if hole not in named)
    for task in tasks:
        if not task.holes:
            yield f"task {task.id} names no hole, so it passes before anything is written"
        for hole in task.holes:
            if hole not in holes:
                yield f"task {task.id} names the hole {hole}, which there is not"


def variants(holes: Sequence[str], only: str | None) -> list[Variant]:
    """The hand-outs of the proofs, or of one of them."""
    every = frozenset(holes)
    wanted = [Variant("handout", None, every)]
    wanted += [Variant("filling", hole, every - {hole}) for hole in holes]
    wanted += [Variant("ablation", hole, frozenset([hole])) for hole in holes]
    return [variant for variant in wanted if only in (None, variant.proof)]


def prove(
    bench: Bench, wanted: Sequence[Variant], tasks: Sequence[Task], seeds: int
) -> list[Graded]:
    """Grades the variants and says in each what is not as expected."""
    graded = []
    for variant in wanted:
        troubles = bench.prepare(variant)
        with Step(variant.title) as step:
            one = bench.grade(variant, tasks, seeds)
            one.findings += troubles + wrong_verdicts(one, tasks)
            step.result("as expected" if not one.findings else counted(one.findings))
        graded.append(one)
    return graded


def wrong_verdicts(graded: Graded, tasks: Sequence[Task]) -> list[str]:
    """The tasks that have another verdict than they must."""
    found = []
    for task in tasks:
        verdict = graded.verdicts.get(task.id, "not run")
        expected = graded.variant.expected(task)
        if verdict != expected and (verdict, expected) != (NOT_IN_IT, PASSED):
            found.append(f"{graded.variant.title}: {task.id} is {verdict}, should be {expected}")
    return found


class Bench:
    """Two folders: the student's hand-out, and the tree whose holes have switches.

    Only files that differ are written, so that a build compiles what changed and no more.
    """

    def __init__(self, workspace: Workspace, reference: handout.Tree) -> None:
        self._folder = workspace.root / "build" / "handout-check"
        self._handout = Workspace(self._folder / "tree")
        self._switched = Workspace(self._folder / "switched")
        self._reference = reference
        self._origin = handout.origin(workspace)
        self._is_switched_ready = False

    def prepare(self, variant: Variant) -> list[str]:
        """Makes the tree that a variant is graded in; what is wrong with it."""
        if variant.proof == "handout":
            lay_out(handout.plan(self._reference, self._origin), self._handout)
            return self._troubles_of_the_handout()
        if self._is_switched_ready:
            return []
        lay_out(handout.switched(self._reference, self._origin), self._switched)
        self._is_switched_ready = True
        with Step("building the hand-out with a switch at each hole"):
            built = self._tinykv(self._switched, "build-switched", ["build"]) == 0
        log = self._log("build-switched")
        return [] if built else [f"the hand-out with switches does not build; see {log}"]

    def _troubles_of_the_handout(self) -> list[str]:
        """What is wrong with the tree, its points apart."""
        setup.ensure({**packages.BUILD, **packages.LINT})
        found = []
        with Step("building the hand-out"):
            if self._tinykv(self._handout, "build", ["build"]) != 0:
                found.append(f"the hand-out does not build; see {self._log('build')}")
        with Step("the script's own tests in the hand-out"):
            if self._own_tests() != 0:
                found.append(f"the script's own tests fail; see {self._log('own-tests')}")
        found += findings_of(lint.run_checks(lint.quick_checks(self._handout)))
        for name in ("handout", "mutants"):
            if self._tinykv(self._handout, "hidden", [name, "-h"]) == 0:
                found.append(f"the hand-out has the command {name}")
        try:
            handout.verify(self._reference, handout.plan(self._reference, self._origin))
        except Failure as failure:
            found.append(failure.details)
        return found

    def grade(self, variant: Variant, tasks: Sequence[Task], seeds: int) -> Graded:
        """Grades the tree with its own script."""
        without = self._parts_without(variant.hole, tasks) if variant.proof == "ablation" else set()
        spared = [
            task.id for task in tasks if task.part in without and variant.hole not in task.holes
        ]
        name = "-".join(filter(None, (variant.proof, variant.hole)))
        report = self._folder / f"{name}.json"
        report.unlink(missing_ok=True)
        words = ["grade", "--seeds", str(seeds), "--json", str(report)]
        if spared:
            for task in tasks:
                words += [] if task.id in spared else ["--only", task.id]
        if variant.proof == "handout":
            status = self._tinykv(self._handout, name, words)
        else:
            opened = {OPEN_HOLES: ",".join(sorted(variant.open))}
            status = self._tinykv(self._switched, name, words, opened)
        try:
            found = json_library.loads(report.read_text(encoding="utf-8"))
            verdicts = {task["task"]: task["verdict"] for task in found["tasks"]}
            verdicts |= dict.fromkeys(spared, NOT_IN_IT)
        except (OSError, ValueError, KeyError):
            log = self._log(name)
            return Graded(variant, {}, [f"{variant.title}: no report of the graders; see {log}"])
        graded = Graded(variant, verdicts)
        if (status == 0) != all(task["verdict"] == PASSED for task in found["tasks"]):
            graded.findings.append(f"{variant.title}: ./tinykv grade exits with {status}")
        if variant.proof == "handout" and found["points"] != 0:
            graded.findings.append(f"{variant.title}: {found['points']} points, should be 0")
        return graded

    def _parts_without(self, hole: str, tasks: Sequence[Task]) -> set[str]:
        """The parts whose program does not have this hole, and so not its name.

        What the program starts is built of the same layers, or of lower ones.
        """
        programs = {
            task.part: self._switched.program(PRESET, f"grade-{task.part}") for task in tasks
        }
        return {
            part
            for part, program in programs.items()
            if program.is_file() and hole.encode() not in program.read_bytes()
        }

    def _log(self, name: str) -> str:
        return shown(self._folder / f"{name}.log")

    def _own_tests(self) -> int:
        """Runs the tests of the tree's script, where it has any; their exit status."""
        words = ["-m", "unittest", "discover", "-s", "tools/tests", "-t", "tools"]
        there = (self._handout.tools / "tests").is_dir()
        return self._logged(self._handout, "own-tests", ["python3", *words]) if there else 0

    def _tinykv(
        self, tree: Workspace, log: str, words: Sequence[str], env: Mapping[str, str] | None = None
    ) -> int:
        """Runs a tree's own ./tinykv; its exit status."""
        return self._logged(tree, log, [tree.root / "tinykv", *words], env)

    def _logged(
        self,
        tree: Workspace,
        log: str,
        command: Sequence[str | Path],
        env: Mapping[str, str] | None = None,
    ) -> int:
        """Runs a program in a tree, with what it prints in a file; its exit status."""
        with (self._folder / f"{log}.log").open("w", encoding="utf-8") as file:
            return follow(command, lambda line: print(line, file=file), cwd=tree.root, env=env)


def lay_out(tree: handout.Tree, workspace: Workspace) -> None:
    """Makes the files of a folder those of a tree."""
    for name in listed(workspace) if workspace.root.exists() else []:
        if name not in tree:
            (workspace.root / name).unlink()
    handout.write(tree, workspace.root)


def counted(findings: Sequence[str]) -> str:
    """How many there are, in words."""
    return "1 finding" if len(findings) == 1 else f"{len(findings)} findings"


def findings_of(tally: Tally) -> list[str]:
    """The lines of what failed."""
    return [line for case in tally.failed for line in case.message.splitlines()]


def chapters(workspace: Workspace, tasks: Sequence[Task]) -> dict[str, str | None]:
    """The text of the chapters that have drawings."""
    paths = {name: workspace.root / name for name in task_graph.by_chapter(tasks)}
    return {
        name: path.read_text(encoding="utf-8") if path.is_file() else None
        for name, path in paths.items()
    }


def write_graphs(workspace: Workspace, tasks: Sequence[Task]) -> None:
    """Puts the drawings into the chapters that have marks for them."""
    for name, text in chapters(workspace, tasks).items():
        of_stage = task_graph.by_chapter(tasks)[name]
        right = None if text is None else task_graph.drawn(text, task_graph.mermaid(of_stage))
        if right is not None and right != text:
            (workspace.root / name).write_text(right, encoding="utf-8")
            say(f"{name}: written")


def show(
    holes: Sequence[str],
    tasks: Sequence[Task],
    graded: Sequence[Graded],
    findings: Sequence[str],
) -> None:
    """The tables, the graphs, and what is wrong."""
    for proof in PROOFS:
        if rows := table(proof, holes, tasks, graded):
            say("\n".join(["", *rows]))
    for name, of_stage in task_graph.by_chapter(tasks).items():
        say(f"\n{name}:\n{task_graph.mermaid(of_stage)}")
    say()
    for finding in findings:
        say(finding)
    verdict = "the hand-out is as it should be" if not findings else counted(findings)
    say(colour(verdict, RED if findings else GREEN))


def table(
    proof: str,
    holes: Sequence[str],
    tasks: Sequence[Task],
    graded: Sequence[Graded],
) -> list[str]:
    """Tasks by runs: + passed, o not started, . the hole is not in its program, ! something else; a
    ? follows what should not be.
    """
    runs = [one for one in graded if one.variant.proof == proof]
    if not runs:
        return []
    width = max(len(task.id) for task in tasks)
    lines = [f"{proof}: {PROOFS[proof]}  ({SIGNS})"]
    if proof != "handout":
        lines += [f"  {number:>2} {run.variant.hole}" for number, run in enumerate(runs, start=1)]
    heads = "".join(f"{number:>3} " for number in range(1, len(runs) + 1))
    lines.append(f"  {'':<{width}}{heads}" if proof != "handout" else "")
    for task in tasks:
        cells = "".join(f"  {cell(one, task)}" for one in runs)
        lines.append(f"  {task.id:<{width}}{cells}".rstrip())
    return lines


def cell(graded: Graded, task: Task) -> str:
    """One verdict in two characters."""
    verdict = graded.verdicts.get(task.id, "not run")
    sign = {PASSED: "+", NOT_STARTED: "o", NOT_IN_IT: "."}.get(verdict, "!")
    return sign + ("?" if wrong_verdicts(graded, [task]) else " ")


def as_json(
    tasks: Sequence[Task], graded: Sequence[Graded], findings: Sequence[str]
) -> dict:
    """What --json writes."""
    return {
        "holds": not findings,
        "findings": list(findings),
        "runs": [
            {
                "proof": one.variant.proof,
                "hole": one.variant.hole,
                "open": sorted(one.variant.open),
                "tasks": [
                    {
                        "task": task.id,
                        "verdict": one.verdicts.get(task.id, "not run"),
                        "expected": one.variant.expected(task),
                    }
                    for task in tasks
                ],
            }
            for one in graded
        ],
        "graphs": {
            name: task_graph.mermaid(of_stage)
            for name, of_stage in task_graph.by_chapter(tasks).items()
        },
    }
