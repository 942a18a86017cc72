"""./tinykv mutants: grades the graders. Each planted bug must make some task or test fail."""
from __future__ import annotations

import contextlib
import fcntl
import json as json_library
import os
import textwrap
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from . import handout, mutant_files, points
from .console import GREEN, RED, Failure, Step, colour, say
from .mutant_bench import Bench, Broken, Found
from .mutant_files import Mutant
from .points import Manifest
from .verdicts import PASSED
from .workspace import Workspace, shown

KILLED, SURVIVED, DOES_NOT_APPLY = "killed", "survived", "does_not_apply"
# Of a solution that is right.
ACCEPTED, REFUSED = "accepted", "refused"

BUG_COLUMNS = 60

HELP = """\
ID is a patch in graders/mutants, A+B two of them at once; all, and the pairs in
graders/mutants/pairs.txt, unless told. Each is applied to a copy of the tree in
build/mutants, built, and graded: first by the tasks (or test programs) that its head
names, then, if these have passed it, by the others of the part. The tree without a bug
has to pass them first. Patches in graders/self are solutions of other styles that are
right: they must pass. Exits 0 only if all mutants are killed and all of those pass.

--json FILE gets {"mutants": [{"id", "verdict", "task", "how", "seed", "seconds",
"sentence", "bug", "expected", "also"}]}:
  verdict   killed, survived or does_not_apply (nor does what cannot be compiled)
  task      what killed it, a task or "PROGRAM: CASE" of a test; else null
  how       its verdict: wrong, stuck, crashed or too slow; else null
  seed      of the failure, null where there is none
  seconds   how long that task or test ran; in all, where nothing killed it
  sentence  what it said, or why the mutant does not apply
  expected  whether the head of the patch names the task
  also      other tasks that would have killed it
and "variants": [{"id", "verdict", "task", "sentence", "style"}], the verdict being
accepted, refused (by that task) or does_not_apply."""


@dataclass(frozen=True)
class Wishes:
    """The flags of the command."""

    ids: Sequence[str] = ()
    jobs: int = 1
    seeds: int | None = None
    json: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a mutant."""

    mutant: Mutant
    verdict: str
    sentence: str = ""
    by: Found | None = None  # what killed it
    expected: bool = False  # whether its head says so
    also: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def is_well(self) -> bool:
        """Whether it is as it must be."""
        return self.verdict == (ACCEPTED if self.mutant.is_right else KILLED)


def run(workspace: Workspace, wishes: Wishes) -> int:
    """The command."""
    if wishes.json:
        wishes.json.write_text("")  # if we fail, nobody takes the last result for this one's
    manifest = points.load(workspace)
    mutants = mutant_files.chosen(workspace, wishes.ids)
    if not mutants:
        raise Failure(f"there are no mutants in {mutant_files.FOLDER}")
    check_names(workspace, manifest, mutants)
    with alone(workspace) as folder, unpublished():
        outcomes = Trials(workspace, folder, manifest, wishes).run(mutants)
    show(outcomes)
    if wishes.json:
        wishes.json.write_text(as_json(outcomes), encoding="utf-8")
    return 0 if all(outcome.is_well for outcome in outcomes) else 1


def show_list(workspace: Workspace, ids: Sequence[str]) -> int:
    """The command with --list."""
    mutants = mutant_files.chosen(workspace, ids)
    width = max((len(mutant.id) for mutant in mutants), default=0)
    for mutant in mutants:
        say(f"{mutant.id:<{width}}  {mutant.bug}")
        by = "passes" if mutant.is_right else "by"
        say(f"{'':<{width}}  {by} {', '.join([*mutant.tasks, *mutant.tests])}")
    return 0


def check_names(workspace: Workspace, manifest: Manifest, mutants: Sequence[Mutant]) -> None:
    """A Failure if a mutant names a task or test that there is not."""
    tasks = [task.id for task in manifest.tasks]
    tests = mutant_files.test_programs(workspace)
    wrong = [
        f"mutant {mutant.id}: {wrong}"
        for mutant in mutants
        for wrong in mutant_files.check_names(mutant, tasks, tests)
    ]
    if wrong:
        raise Failure(wrong[0], "\n".join(wrong[1:]))


@contextlib.contextmanager
def alone(workspace: Workspace) -> Iterator[Path]:
    """The folder of the trees, which nobody else uses meanwhile."""
    folder = workspace.root / "build" / "mutants"
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(f"another ./tinykv mutants is at work in {shown(folder)}") from None
        yield folder


@contextlib.contextmanager
def unpublished() -> Iterator[None]:
    """Has graders tell nobody but us."""
    before = dict(os.environ)
    os.environ.pop("GITHUB_STEP_SUMMARY", None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Trials:
    """One call of the command."""

    def __init__(
        self, workspace: Workspace, folder: Path, manifest: Manifest, wishes: Wishes
    ) -> None:
        self._manifest = manifest
        self._wishes = wishes
        self._stop = threading.Event()
        reference = handout.read(workspace)
        logs = folder / "logs"
        self._benches = [
            Bench(folder / str(number), reference, logs, self._stop)
            for number in range(1, wishes.jobs + 1)
        ]

    def run(self, mutants: Sequence[Mutant]) -> list[Outcome]:
        """Tries all mutants; the outcomes have their order."""
        for log in self._benches[0].log("x").parent.glob("*.log"):
            log.unlink()
        del self._benches[len(mutants) :]
        self._prepare(mutants)
        self._try_without_bugs(mutants)
        free = list(self._benches)

        def try_one(mutant: Mutant) -> Outcome:
            bench = free.pop()  # there are as many as threads
            try:
                return self._try(bench, mutant)
            finally:
                free.append(bench)

        with self._pool() as pool:
            futures = {pool.submit(try_one, mutant): mutant for mutant in mutants}
            for future in as_completed(futures):
                tell(future.result())
        return [future.result() for future in futures]

    @contextlib.contextmanager
    def _pool(self) -> Iterator[ThreadPoolExecutor]:
        """A thread for each tree; an exception calls off what they do."""
        with ThreadPoolExecutor(len(self._benches)) as pool:
            try:
                yield pool
            except BaseException:
                self._stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _prepare(self, mutants: Sequence[Mutant]) -> None:
        """Builds all trees without a bug."""
        parts = self._parts(mutants)
        programs = [part.program for part in self._manifest.parts if part.id in parts]
        targets = list(dict.fromkeys([*programs, *tests_of(mutants)]))
        for bench in self._benches:
            bench.restore()
            say(f"in {shown(bench.tree.root)}:")
            bench.build(targets)

    def _try_without_bugs(self, mutants: Sequence[Mutant]) -> None:
        """A Failure unless the reference passes: a grader that fails it proves nothing."""
        parts = self._parts(mutants)
        tasks = [task.id for task in self._manifest.tasks if task.part in parts]
        bench, name = self._benches[0], "without-bugs"
        with Step("grading the tree without bugs") as step:
            try:
                found = bench.run(name, tasks, tests_of(mutants), self._wishes.seeds)
            except Broken as broken:
                raise Failure(f"the tree without bugs is not right: {broken}") from broken
            failed = [one for one in found if one.verdict != PASSED]
            step.result(f"{len(found) - len(failed)} of {len(found)} passed")
        if failed:
            lines = [f"{one.task}: {one.verdict}: {one.sentence}" for one in failed]
            where = shown(bench.log(name))
            raise Failure(f"the tree without bugs does not pass; see {where}", "\n".join(lines))

    def _try(self, bench: Bench, mutant: Mutant) -> Outcome:
        """Applies a mutant, grades it, and takes it back."""
        bench.restore()
        try:
            complaint = mutant_files.apply(bench.tree.root, mutant.patch)
            if complaint:
                return Outcome(mutant, DOES_NOT_APPLY, complaint)
            return self._grade(bench, mutant)
        except Broken as broken:
            return Outcome(mutant, DOES_NOT_APPLY, str(broken))
        finally:
            bench.restore()

    def _grade(self, bench: Bench, mutant: Mutant) -> Outcome:
        """Runs what is expected to kill a mutant, then the rest of the part."""
        seeds = self._wishes.seeds
        expected = bench.run(mutant.id, mutant.tasks, mutant.tests, seeds)
        if mutant.is_right:
            return outcome_of_right(mutant, expected)
        outcome = outcome_of(mutant, expected, expected=True)
        rest = self._rest_of_the_parts(mutant)
        if outcome.verdict == KILLED or not rest:
            return outcome
        others = outcome_of(mutant, bench.run(mutant.id, rest, (), seeds), expected=False)
        if others.verdict == KILLED:
            return others
        sentences = filter(None, (outcome.sentence, others.sentence))
        seconds = outcome.seconds + others.seconds
        return replace(outcome, sentence=" ".join(sentences), seconds=round(seconds, 3))

    def _rest_of_the_parts(self, mutant: Mutant) -> list[str]:
        """The tasks that nobody expects to kill a mutant, of the parts of those that should."""
        parts = self._parts([mutant])
        there = (task for task in self._manifest.tasks if task.part in parts)
        return [task.id for task in there if task.id not in mutant.tasks]

    def _parts(self, mutants: Sequence[Mutant]) -> set[str]:
        """The parts of the tasks that some mutants name."""
        named = {task for mutant in mutants for task in mutant.tasks}
        return {task.part for task in self._manifest.tasks if task.id in named}


def tests_of(mutants: Sequence[Mutant]) -> list[str]:
    """The test programs that some mutants name."""
    return list(dict.fromkeys(test for mutant in mutants for test in mutant.tests))


def outcome_of(mutant: Mutant, found: Sequence[Found], *, expected: bool) -> Outcome:
    """The verdict on the graders of a mutant."""
    kills = [one for one in found if one.is_kill]
    if kills:
        by, *others = kills
        also = tuple(one.task for one in others)
        return Outcome(mutant, KILLED, by.sentence, by, expected, also, by.seconds)
    no_verdict = [one for one in found if one.verdict != PASSED]
    sentence = " ".join(f"{one.task} is {one.verdict}. {one.sentence}" for one in no_verdict)
    seconds = round(sum(one.seconds for one in found), 3)
    return Outcome(mutant, SURVIVED, sentence.strip(), seconds=seconds)


def outcome_of_right(mutant: Mutant, found: Sequence[Found]) -> Outcome:
    """The verdict on the graders of a solution that is right."""
    seconds = round(sum(one.seconds for one in found), 3)
    for one in found:
        if one.verdict != PASSED:
            return Outcome(mutant, REFUSED, one.sentence, one, expected=True, seconds=seconds)
    return Outcome(mutant, ACCEPTED, seconds=seconds)


def tell(outcome: Outcome) -> None:
    """What came of one mutant, while the others go on."""
    verdict = colour(outcome.verdict, GREEN if outcome.is_well else RED)
    line = f"{outcome.mutant.id}: {verdict}"
    if by := outcome.by:
        seed = "" if by.seed is None else f" at seed {by.seed}"
        line += f" by {by.task} ({by.verdict}){seed} after {by.seconds:.2f} s"
        line += "" if outcome.expected else ", which nobody expected"
    say(line)
    for text in outcome.sentence.splitlines():
        say(f"    {text}")
    if outcome.also:
        say(f"    also by {', '.join(outcome.also)}")


def show(outcomes: Sequence[Outcome]) -> None:
    """The table of all, and how many were killed."""
    heads = ("id", "verdict", "by", "seed", "seconds", "bug")
    rows = [heads, *map(cells, outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    say()
    for row in rows:
        aligned = [
            text.rjust(width) if head in ("seed", "seconds") else text.ljust(width)
            for head, text, width in zip(heads, row, widths)
        ]
        say("  ".join(aligned).rstrip())
    say()
    say(colour(closing_line(outcomes), GREEN if all(one.is_well for one in outcomes) else RED))


def closing_line(outcomes: Sequence[Outcome]) -> str:
    """How many are as they must be."""
    wrong = [one.is_well for one in outcomes if not one.mutant.is_right]
    right = [one.is_well for one in outcomes if one.mutant.is_right]
    killed = f"{sum(wrong)} of {len(wrong)} mutants killed"
    accepted = f"{sum(right)} of {len(right)} right solutions accepted"
    return ", ".join([killed] * bool(wrong or not right) + [accepted] * bool(right))


def cells(outcome: Outcome) -> tuple[str, ...]:
    """A row of the table; a ? follows a task that nobody expected."""
    by = outcome.by
    return (
        outcome.mutant.id,
        outcome.verdict,
        "" if by is None else by.task + ("" if outcome.expected else " ?"),
        "" if by is None or by.seed is None else str(by.seed),
        f"{outcome.seconds:.2f}",
        textwrap.shorten(outcome.mutant.bug, BUG_COLUMNS, placeholder=" …"),
    )


def as_json(outcomes: Sequence[Outcome]) -> str:
    """What --json writes."""
    mutants = [
        {
            "id": outcome.mutant.id,
            "verdict": outcome.verdict,
            "task": outcome.by and outcome.by.task,
            "how": outcome.by and outcome.by.verdict,
            "seed": outcome.by and outcome.by.seed,
            "seconds": outcome.seconds,
            "sentence": outcome.sentence,
            "bug": outcome.mutant.bug,
            "expected": outcome.expected,
            "also": list(outcome.also),
        }
        for outcome in outcomes
        if not outcome.mutant.is_right
    ]
    variants = [
        {
            "id": outcome.mutant.id,
            "verdict": outcome.verdict,
            "task": outcome.by and outcome.by.task,
            "sentence": outcome.sentence,
            "style": outcome.mutant.bug,
        }
        for outcome in outcomes
        if outcome.mutant.is_right
    ]
    report = {"mutants": mutants, "variants": variants}
    return json_library.dumps(report, indent=2, ensure_ascii=False) + "\n"
