"""./tinykv grade: builds the graders, runs each task in a process of its own, and counts points.

It fails closed: a task earns its points only if its process says so, says it whole, and ends well.
"""
from __future__ import annotations

import contextlib
import io
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from . import build, grade_files, grade_report, points, stack, task_process, verdicts
from .console import Failure, Step, did_you_mean
from .grade_result import Report, TaskResult
from .gtest_report import MARKS, excerpt
from .points import Manifest, Part, Task
from .process import cores
from .verdicts import Judgement
from .workspace import Workspace

# The presets to grade with, and how many times longer than the manifest says a task may take there.
SLOWNESS = {"release": 1, "debug": 5, "asan": 10}

LIST_SECONDS_MAX = 30

# The verdicts where it says something where the program was in the end.
WITH_STACK = (verdicts.CRASHED, verdicts.TOO_SLOW)

SEED_MAX = 2**64 - 1
SEEDS_MAX = 1_000_000


@dataclass(frozen=True)
class Wishes:
    """What to grade and how; nothing in `parts` or `only` means all."""

    parts: Sequence[str] = ()
    only: Sequence[str] = ()
    preset: str = "release"
    seed: int | None = None  # this one alone
    seeds: int | None = None  # this many instead of the manifest's
    seeds_max: int | None = None  # and no more than so many
    seed_base: int = 1
    trace: bool = False  # draw the last run of each task

    def seeds_of(self, task: Task) -> range:
        """The seeds that a task is to run."""
        if self.seed is not None:
            return range(self.seed, self.seed + 1)
        number = 1 if task.seeds is None else self.seeds or task.seeds
        if self.seeds_max is not None:
            number = min(number, self.seeds_max)
        return range(self.seed_base, self.seed_base + number)

    def limit_seconds(self, task: Task) -> float:
        """When a task is given up."""
        more = len(self.seeds_of(task)) / (task.seeds or 1)
        return task.limit_seconds * max(1.0, more) * SLOWNESS[self.preset]


def run(
    workspace: Workspace, wishes: Wishes, json: Path | None = None, junit: Path | None = None
) -> int:
    """The command. With `json` "-" the object alone goes to stdout, and all else to stderr."""
    to_stdout = json == Path("-")
    for file in (None if to_stdout else json, junit):
        if file:
            file.write_text("")  # if we fail, nobody takes the last result for this one's
    points.check_holes(workspace, points.load(workspace))
    with contextlib.redirect_stdout(sys.stderr) if to_stdout else contextlib.nullcontext():
        report = grade(workspace, wishes, quiet=False)
        grade_report.show(report)
        if json and not to_stdout:
            json.write_text(grade_files.as_json(report), encoding="utf-8")
        if junit:
            junit.write_text(grade_files.as_junit(report), encoding="utf-8")
        grade_files.add_step_summary(report)
    if to_stdout:
        print(grade_files.as_json(report), end="", flush=True)
    return 0 if report.passed else 1


def grade(workspace: Workspace, wishes: Wishes, *, quiet: bool = True) -> Report:
    """Builds what is needed and grades.

    Unless `quiet` it tells of its progress on stdout; its results are in the report alone.
    Errors: UsageError if there is no such part or task, Failure if there is no proper manifest.
    """
    manifest = points.load(workspace)
    tasks = manifest.chosen(wishes.parts, wishes.only)
    parts = [part for part in manifest.parts if part.id in [task.part for task in tasks]]
    with contextlib.redirect_stdout(io.StringIO()) if quiet else contextlib.nullcontext():
        grader = Grader(workspace, wishes, manifest)
        grader.prepare(parts)
        results = grader.run(tasks)
    not_started = [task for task in results if task.verdict == verdicts.NOT_STARTED]
    return Report(
        preset=wishes.preset,
        seed_base=wishes.seed_base if wishes.seed is None else wishes.seed,
        parts=parts,
        tasks=results,
        errors=grader.errors,
        compiler_output=grader.compiler_output,
        first_open_hole=points.first_open_hole(workspace, tasks) if not_started else None,
    )


class Grader:
    """One call of grade(): first prepare(), then run()."""

    def __init__(self, workspace: Workspace, wishes: Wishes, manifest: Manifest) -> None:
        self.errors: list[str] = []
        self.compiler_output: dict[str, str] = {}
        self._workspace = workspace
        self._wishes = wishes
        self._manifest = manifest
        self._programs = {part.id: part.program for part in manifest.parts}
        self._refused: dict[str, Judgement] = {}  # by task: why it cannot run
        self._stop = threading.Event()

    def prepare(self, parts: Sequence[Part]) -> None:
        """Builds the programs of these parts, and compares their tasks with the manifest's."""
        for program in dict.fromkeys(part.program for part in parts):
            if self._build(program):
                self._compare(program)

    def run(self, tasks: Sequence[Task]) -> list[TaskResult]:
        """Runs tasks, several at a time."""
        total = len(tasks)
        title = f"grading {total} task{'s' if total != 1 else ''}"
        with Step(title) as step, self._pool() as pool:
            futures = [pool.submit(self._result, task) for task in tasks]
            results = []
            for number, (task, future) in enumerate(zip(tasks, futures)):
                step.progress(f"{number}/{total} {task.id}")
                results.append(future.result())
            earned = sum(result.verdict == verdicts.PASSED for result in results)
            step.result(f"{earned} passed")
        return results

    @contextlib.contextmanager
    def _pool(self) -> Iterator[ThreadPoolExecutor]:
        """Threads that each wait for a process; an exception calls the processes off."""
        with ThreadPoolExecutor(cores()) as pool:
            try:
                yield pool
            except BaseException:
                self._stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _refuse(self, program: str, verdict: str, sentence: str) -> None:
        """Has all tasks of a program fail without being run."""
        for task in self._manifest.tasks_of(program):
            self._refused[task] = Judgement(verdict, sentence)

    def _build(self, program: str) -> bool:
        """Builds a program; False if it does not compile."""
        try:
            build.build(self._workspace, self._wishes.preset, [program])
            return True
        except Failure as failure:
            output = grade_report.first_errors(failure.details or str(failure))
            output = relative(output, self._workspace.root)
            self.compiler_output[program] = output
            sentence = f"{program} could not be built: {grade_report.first_error(output)}"
            self._refuse(program, verdicts.NOT_BUILT, sentence)
            return False

    def _compare(self, program: str) -> None:
        """Refuses tasks that a program does not have, and complains of those it has too many."""
        wanted = self._manifest.tasks_of(program)
        try:
            there = self._listed(program)
        except Failure as failure:
            self._refuse(program, verdicts.NOT_RUN, str(failure))
            return
        for task in wanted:
            if task not in there:
                sentence = f"{program} has no task {task}{did_you_mean(task, there)}."
                self._refused[task] = Judgement(verdicts.NOT_RUN, sentence)
        for task in dict.fromkeys(there):
            if task not in wanted:
                self.errors.append(f"{program} has a task {task}, which {points.MANIFEST} has not")
            elif there.count(task) > 1:
                self.errors.append(f"{program} has two tasks {task}")

    def _listed(self, program: str) -> list[str]:
        """The tasks that a program says it has; a Failure if it says nothing."""
        limit = LIST_SECONDS_MAX * SLOWNESS[self._wishes.preset]
        try:
            ended = task_process.run(
                [self._workspace.program(self._wishes.preset, program), "--list"],
                cwd=self._workspace.root,
                limit_seconds=limit,
                stop=self._stop,
                result_flag=None,
            )
        except OSError as error:
            raise Failure(f"{program} cannot be started: {error.strerror or error}.") from error
        if ended.over_limit or ended.status != 0:
            why = "does not end" if ended.over_limit else verdicts.crash(ended)
            last = ended.stderr.strip().splitlines()[-1:]
            raise Failure(" ".join([f"{program} --list fails: {why}", *last]))
        return ended.stdout.split()

    def _result(self, task: Task) -> TaskResult:
        """Runs a task, unless it was refused."""
        result = TaskResult(
            task.id, task.part, task.title, verdicts.NOT_RUN, points=0, max_points=task.points
        )
        if task.id in self._refused:
            return self._judged(result, self._refused[task.id])
        seeds = self._wishes.seeds_of(task)
        limit_seconds = self._wishes.limit_seconds(task)
        program = self._programs[task.part]
        trace = self._trace_file(task)
        try:
            ended = task_process.run(
                [
                    *(self._workspace.program(self._wishes.preset, program), "--task", task.id),
                    *("--seed-base", seeds[0], "--seeds", len(seeds)),
                    *(("--trace", trace) if trace else ()),
                ],
                cwd=self._workspace.root,
                limit_seconds=limit_seconds,
                stop=self._stop,
            )
        except OSError as error:
            sentence = f"{program} cannot be started: {error.strerror or error}."
            return self._judged(result, Judgement(verdicts.NOT_RUN, sentence))
        judgement = verdicts.judge(ended, seeds, limit_seconds)
        root = self._workspace.root
        result = replace(
            self._judged(result, judgement),
            seconds=round(ended.seconds, 3),
            peak_memory_mb=round(ended.peak_memory_mb, 1),
            trace=relative(str(trace), root) if trace and trace.exists() else None,
        )
        if judgement.verdict in (verdicts.PASSED, verdicts.NOT_STARTED):
            return result
        return replace(
            result,
            stack=stack.readable(ended.stderr, root) if judgement.verdict in WITH_STACK else [],
            printed=relative(printed(ended, root), root),
        )

    def _judged(self, result: TaskResult, judgement: Judgement) -> TaskResult:
        """A result with its verdict and what goes with it."""
        passed = judgement.verdict == verdicts.PASSED
        root = self._workspace.root
        return replace(
            result,
            verdict=judgement.verdict,
            points=result.max_points if passed else 0,
            sentence=relative(judgement.sentence, root),
            seed=judgement.seed,
            seeds=judgement.seeds,
            program=relative(judgement.program, root),
            shrunk=judgement.shrunk,
            events=[relative(event, root) for event in judgement.events],
            replay=None if passed else self._replay(result.task, judgement.seed),
            draws=judgement.draws,
            note=judgement.note,
        )

    def _trace_file(self, task: Task) -> Path | None:
        """Where the page with the run is to be, if one is wanted; nothing is there."""
        if not self._wishes.trace:
            return None
        file = self._workspace.root / "build" / "traces" / f"{task.id}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        return file

    def _replay(self, task: str, seed: int | None) -> str:
        """The command that repeats a failure."""
        words = ["./tinykv grade --only", task]
        if seed is not None:
            words += ["--seed", str(seed)]
        if self._wishes.preset != Wishes.preset:
            words += ["--preset", self._wishes.preset]
        return " ".join(words)


def relative(text: str, root: Path) -> str:
    """Text that names files of the checkout as one who stands in it would."""
    return text.replace(f"{root}/", "")


def printed(ended: task_process.Ended, root: Path) -> str:
    """What a task printed: first stdout, then stderr, without what is told elsewhere."""
    stderr = ended.stderr
    if MARKS.search(stderr):
        return stack.with_own_frames(excerpt(stderr, lines_max=None), root)
    if match := stack.HEADER.search(stderr):
        stderr = stderr[: match.start()]
    stderr = stack.PROGRAM.sub("", stderr)
    texts = [text.rstrip("\n") for text in (ended.stdout, stderr)]
    return "".join(f"{text}\n" for text in texts if text)
