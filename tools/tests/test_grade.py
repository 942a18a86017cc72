"""Grading: verdicts, points, limits, and that nothing but a whole and honest pass earns any."""
from __future__ import annotations

import contextlib
import io
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from tinykv import cli, grade, grade_files, points, task_process, verdicts
from tinykv.console import Failure, UsageError
from tinykv.grade import Report, TaskResult, Wishes
from tinykv.state import birth

from .helpers import ScratchTest, python_program

PROGRAM = Path(__file__).parent / "fake_grader.py"


def manifest(names: Sequence[str], seeds: int | None = 3, limit_seconds: float = 60) -> str:
    """A part with these tasks."""
    text = '[[part]]\nid = "1"\ntitle = "Ways to end"\nprogram = "grade-1"\n'
    for name in names:
        text += f'[[task]]\nid = "{name}"\npart = "1"\ntitle = "{name} | ends"\npoints = 5\n'
        text += f'holes = ["1-get"]\nlimit_seconds = {limit_seconds}\n'
        text += "" if seeds is None else f"seeds = {seeds}\n"
    return text


class GradeTest(ScratchTest):
    """A checkout whose grader is fake_grader.py."""

    def setUp(self) -> None:
        super().setUp()
        self.grader = self.workspace.program("release", "grade-1")
        self.grader.parent.mkdir(parents=True)
        self.grader.write_text(python_program(PROGRAM), encoding="utf-8")
        self.grader.chmod(0o755)
        self.file("a.cc", '  YourCodeHere("1-get");\n')
        environment = mock.patch.dict(os.environ, {grade_files.STEP_SUMMARY: ""})
        environment.start()
        self.addCleanup(environment.stop)
        patch = mock.patch("tinykv.build.build")
        self.build = patch.start()
        self.addCleanup(patch.stop)

    def tasks(self, *names: str, seeds: int | None = 3, limit_seconds: float = 60) -> None:
        """Writes a manifest of these tasks, and cuts the program to them."""
        self.file(points.MANIFEST, manifest(names, seeds, limit_seconds))
        text = python_program(PROGRAM)
        keep = f"TASKS = {{name: TASKS[name] for name in {list(names)!r}}}\n\n\ndef list_tasks"
        self.grader.write_text(text.replace("def list_tasks", keep, 1), encoding="utf-8")

    def grade(self, **wishes) -> Report:
        """Grades all tasks of the manifest, and prints nothing."""
        with contextlib.redirect_stdout(io.StringIO()) as text:
            report = grade.grade(self.workspace, Wishes(**wishes))
        self.assertEqual(text.getvalue(), "")
        return report

    def result(self, name: str, **wishes) -> TaskResult:
        """Grades one task that is alone in the manifest."""
        limit_seconds = wishes.pop("limit_seconds", 60)
        self.tasks(name, seeds=wishes.pop("manifest_seeds", 3), limit_seconds=limit_seconds)
        report = self.grade(**wishes)
        self.assertEqual(len(report.tasks), 1)
        return report.tasks[0]


class VerdictTest(GradeTest):
    def test_a_pass_earns_the_points(self) -> None:
        self.tasks("passes")
        report = self.grade()
        (task,) = report.tasks
        self.assertEqual((task.verdict, task.points, task.max_points), ("passed", 5, 5))
        self.assertEqual((task.seed, task.seeds, task.replay), (None, 3, None))
        self.assertGreater(task.peak_memory_mb, 1)
        self.assertTrue(report.passed)
        self.assertEqual((report.points, report.max_points), (5, 5))

    def test_what_the_program_reports_is_the_verdict(self) -> None:
        for name, verdict in (("wrong", "wrong"), ("stuck", "stuck"), ("check", "crashed")):
            task = self.result(name)
            self.assertEqual((task.verdict, task.points, task.seed), (verdict, 0, 2))
            self.assertEqual(task.sentence, "a.cc:1: expected | but got <\x1b[2J")
            self.assertEqual(task.events, ["first", "\x00 second"])
            self.assertTrue(task.program.endswith("2. get"))
            self.assertEqual(task.replay, f"./tinykv grade --only {name} --seed 2")

    def test_a_hole_is_not_started(self) -> None:
        self.tasks("not-started")
        report = self.grade()
        self.assertEqual(report.tasks[0].verdict, "not started")
        self.assertEqual(report.first_open_hole, points.OpenHole("1-get", "a.cc", 1))
        self.assertFalse(report.passed)

    def test_a_signal_is_a_crash_at_the_seed_that_ran(self) -> None:
        task = self.result("segfaults", seed_base=1)
        self.assertEqual((task.verdict, task.seed, task.seeds), ("crashed", 1, 1))
        self.assertEqual(task.sentence, "It died of SIGSEGV: it used memory that is not there.")
        self.assertEqual(task.printed, "to stdout\nto stderr\n")
        self.assertEqual((task.program, task.shrunk), ("1. put\n2. get\n", False))
        self.assertEqual(task.stack, [])

    def test_an_early_exit_is_a_crash_whatever_its_status(self) -> None:
        task = self.result("exits")
        self.assertEqual(task.verdict, "crashed")
        self.assertIn("status 0", task.sentence)

    def test_a_sanitizers_report_is_shown_from_its_beginning(self) -> None:
        task = self.result("sanitized")
        self.assertEqual(task.verdict, "crashed")
        self.assertIn("AddressSanitizer: heap-use-after-free", task.sentence)
        self.assertTrue(task.printed.startswith("==7==ERROR"))

    def test_a_leak_that_is_found_at_the_end_is_a_crash(self) -> None:
        task = self.result("leaks")
        self.assertEqual((task.verdict, task.points), ("crashed", 0))
        self.assertIn("LeakSanitizer", task.sentence)

    def test_a_report_that_is_damaged_is_a_crash(self) -> None:
        for name in ("garbles", "goes-on", "invents"):
            task = self.result(name)
            self.assertEqual((task.verdict, task.points), ("crashed", 0), name)
            self.assertIn("damaged", task.sentence)

    def test_a_pass_that_is_not_whole_is_none(self) -> None:
        for name in ("skips-seeds", "claims-seeds", "passes-and-fails"):
            task = self.result(name)
            self.assertEqual((task.verdict, task.points), ("not run", 0), name)

    def test_printing_does_not_pass(self) -> None:
        self.assertEqual(self.result("prints").verdict, "crashed")

    def test_of_what_is_printed_the_end_is_kept(self) -> None:
        printed = self.result("chatters").printed
        self.assertTrue(printed.endswith("line 19999\n"))
        self.assertRegex(printed, r"\Aline \d+\n")
        self.assertLessEqual(len(printed), task_process.PRINTED_BYTES_MAX)


class LimitTest(GradeTest):
    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch("tinykv.task_process.LAST_WORDS_SECONDS", 0.3)
        patch.start()
        self.addCleanup(patch.stop)

    def test_a_task_over_its_limit_tells_where_it_was(self) -> None:
        task = self.result("loops", limit_seconds=1)
        self.assertEqual((task.verdict, task.seed), ("too slow", 2))
        self.assertEqual(
            task.sentence, "It was given up after 1.0 s, in the run of seed 2, number 2 of 3."
        )
        self.assertEqual(task.printed, "in the loop\n")

    def test_one_that_hears_nothing_is_killed(self) -> None:
        task = self.result("deaf", limit_seconds=1)
        self.assertEqual((task.verdict, task.points), ("too slow", 0))
        self.assertIn("did not end", task.sentence)

    def test_limits_grow_with_seeds_and_sanitizers(self) -> None:
        task = points.manifest_of(manifest(["a"], seeds=10, limit_seconds=6)).tasks[0]
        once = points.manifest_of(manifest(["a"], seeds=None, limit_seconds=6)).tasks[0]
        self.assertEqual(Wishes().limit_seconds(task), 6)
        self.assertEqual(Wishes(seeds=50).limit_seconds(task), 30)
        self.assertEqual(Wishes(seeds=5).limit_seconds(task), 6)
        self.assertEqual(Wishes(seeds=50).limit_seconds(once), 6)
        self.assertEqual(Wishes(seed=3, preset="asan").limit_seconds(task), 60)


class SeedsTest(GradeTest):
    def test_flags_choose_the_seeds(self) -> None:
        task = points.manifest_of(manifest(["a"], seeds=10)).tasks[0]
        once = points.manifest_of(manifest(["a"], seeds=None)).tasks[0]
        for wishes, of_task, of_once in (
            (Wishes(), range(1, 11), range(1, 2)),
            (Wishes(seed=7), range(7, 8), range(7, 8)),
            (Wishes(seed=0), range(0, 1), range(0, 1)),
            (Wishes(seeds=3), range(1, 4), range(1, 2)),
            (Wishes(seed_base=50), range(50, 60), range(50, 51)),
        ):
            self.assertEqual((wishes.seeds_of(task), wishes.seeds_of(once)), (of_task, of_once))

    def test_the_program_runs_the_seeds_that_were_asked_for(self) -> None:
        self.assertEqual(self.result("passes", seeds=5, seed_base=2**63).seeds, 5)
        self.assertEqual(self.result("passes", seed=9).seeds, 1)
        self.assertEqual(self.result("passes", manifest_seeds=None).seeds, 1)

    def test_the_replay_names_the_preset_unless_it_is_the_usual_one(self) -> None:
        self.grader = self.workspace.program("asan", "grade-1")
        self.grader.parent.mkdir(parents=True)
        self.grader.touch(0o755)
        task = self.result("wrong", preset="asan")
        self.assertEqual(task.replay, "./tinykv grade --only wrong --seed 2 --preset asan")


class FailsClosedTest(GradeTest):
    def test_a_build_that_fails_leaves_no_task_built(self) -> None:
        output = "FAILED: a.o\na.cc: In function 'f':\na.cc:1:2: error: what?\nninja: build stopped"
        self.build.side_effect = Failure("the release build failed", f"{self.root}/x.cc\n{output}")
        self.tasks("passes", "wrong")
        report = self.grade()
        self.assertEqual([task.verdict for task in report.tasks], ["not built"] * 2)
        self.assertEqual(report.points, 0)
        self.assertIn("a.cc:1:2: error: what?", report.tasks[0].sentence)
        self.assertEqual(report.tasks[0].replay, "./tinykv grade --only passes")
        shown = "a.cc: In function 'f':\na.cc:1:2: error: what?"
        self.assertEqual(report.compiler_output, {"grade-1": shown})

    def test_only_the_programs_of_the_parts_asked_for_are_built(self) -> None:
        other = manifest(["x"]).replace('"1"', '"2"').replace("grade-1", "grade-2")
        self.tasks("passes")
        self.file(points.MANIFEST, manifest(["passes"]) + other)
        report = self.grade(parts=["1"])
        self.assertEqual([part.id for part in report.parts], ["1"])
        self.build.assert_called_once_with(self.workspace, "release", ["grade-1"])

    def test_a_task_that_the_program_lacks_is_not_run(self) -> None:
        self.tasks("passes")
        self.file(points.MANIFEST, manifest(["passes", "pases"]))
        report = self.grade()
        self.assertEqual([task.verdict for task in report.tasks], ["passed", "not run"])
        self.assertIn("has no task pases; did you mean 'passes'?", report.tasks[1].sentence)
        self.assertFalse(report.passed)

    def test_a_task_that_the_manifest_lacks_is_an_error(self) -> None:
        self.tasks("passes")
        with mock.patch.dict(os.environ, FAKE_GRADER="more"):
            report = self.grade()
        self.assertEqual(report.points, 5)
        self.assertEqual(
            report.errors, ["grade-1 has a task secret, which graders/points.toml has not"]
        )
        self.assertFalse(report.passed)

    def test_a_program_that_cannot_list_its_tasks_runs_none(self) -> None:
        self.tasks("passes")
        with mock.patch.dict(os.environ, FAKE_GRADER="deaf"):
            (task,) = self.grade().tasks
        self.assertEqual(task.verdict, "not run")
        self.assertIn("cannot open libsomething.so", task.sentence)

    def test_a_program_that_is_missing_runs_none(self) -> None:
        self.tasks("passes")
        self.grader.unlink()
        (task,) = self.grade().tasks
        self.assertEqual(task.verdict, "not run")
        self.assertEqual(task.sentence, "grade-1 cannot be started: No such file or directory.")

    def test_a_broken_manifest_and_unknown_names_stop_it(self) -> None:
        with self.assertRaises(Failure):
            self.grade()
        self.tasks("passes")
        for wishes in ({"parts": ["2"]}, {"only": ["pases"]}):
            with self.assertRaises(UsageError):
                self.grade(**wishes)


class ProcessesTest(GradeTest):
    def test_servers_and_files_that_a_task_leaves_are_cleared_away(self) -> None:
        task = self.result("server")
        self.assertEqual(task.verdict, "passed")
        pid, folder = (self.root / "left-behind").read_text().split()
        deadline = time.monotonic() + 10
        while birth(int(pid)) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual(birth(int(pid)), "")
        self.assertFalse(Path(folder).exists())

    def test_results_come_in_the_manifests_order(self) -> None:
        names = ["chatters", "passes", "wrong", "segfaults", "stuck", "exits"]
        self.tasks(*names)
        self.assertEqual([task.task for task in self.grade().tasks], names)

    def test_a_run_that_is_called_off_leaves_no_process(self) -> None:
        self.tasks("loops")
        stop = threading.Event()
        threading.Timer(0.5, stop.set).start()
        flags = ["--seed-base", 1, "--seeds", 1]
        begin = time.monotonic()
        with self.assertRaises(task_process.Interrupted):
            task_process.run(
                [self.grader, "--task", "loops", *flags],
                cwd=self.root,
                limit_seconds=60,
                stop=stop,
            )
        self.assertLess(time.monotonic() - begin, 30)
        with self.assertRaises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)


class JudgeTest(ScratchTest):
    def test_every_verdict_is_one_of_eight(self) -> None:
        self.assertEqual(len(set(verdicts.ALL)), 8)
        self.assertLess(set(verdicts.REPORTED), set(verdicts.ALL))

    def test_no_event_makes_it_stumble(self) -> None:
        for text in (
            b"\xff\n",
            b"[]\n",
            b"null\n",
            b'"finished"\n',
            b'{"event":"seed"}\n',
            b'{"event":"seed","seed":true}\n',
            b'{"event":"seed","seed":-1}\n',
            b'{"event":"finished"}\n',
            b'{"event":"finished","verdict":[]}\n',
            b'{"event":"finished","verdict":"wrong","seeds":1}\n',
            b'{"event":"finished","verdict":"wrong","seeds":1,"seed":1,"events":[1]}\n',
            b"[" * 100_000,
        ):
            ended = task_process.Ended(0, False, 0.1, 1, text, "", "")
            judgement = verdicts.judge(ended, range(1, 2), 60)
            self.assertEqual(judgement.verdict, "crashed", text[:60])


class CommandTest(GradeTest):
    def command(self, *words: str) -> tuple[int, str, str]:
        """Runs ./tinykv grade; its status and what it printed."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.dispatch(self.workspace, ["grade", *words])
        return status, out.getvalue(), err.getvalue()

    def test_it_exits_with_0_if_all_passed(self) -> None:
        self.tasks("passes", "wrong")
        status, out, _ = self.command()
        self.assertEqual((status, out.splitlines()[-1]), (1, "5 of 10 points, 1 of 2 tasks passed"))
        status, out, _ = self.command("1", "--only", "passes")
        self.assertEqual((status, out.splitlines()[-1]), (0, "5 of 5 points, 1 of 1 tasks passed"))

    def test_parts_may_stand_before_and_behind_flags(self) -> None:
        self.tasks("passes")
        self.assertEqual(self.command("--seed", "3", "1")[0], 0)
        self.assertEqual(self.command("1", "--seeds", "3", "--seed-base", "4")[0], 0)

    def test_json_on_stdout_stands_alone(self) -> None:
        self.tasks("passes")
        _, out, err = self.command("--json", "-")
        self.assertTrue(out.startswith('{\n  "points": 5,'))
        self.assertIn("5 of 5 points", err)

    def test_the_last_result_is_not_taken_for_this_one(self) -> None:
        self.file("grade.json", "old")
        with self.assertRaises(Failure):
            self.command("--json", str(self.root / "grade.json"))
        self.assertEqual((self.root / "grade.json").read_text(), "")

    def test_a_hole_that_is_nowhere_stops_it(self) -> None:
        self.tasks("passes")
        self.file("a.cc", "")
        with self.assertRaisesRegex(Failure, "names the hole 1-get"):
            self.command()
        self.file("HANDOUT")
        self.assertEqual(self.command()[0], 0)

    def test_flags_that_make_no_sense_are_refused(self) -> None:
        self.tasks("passes")
        for words in (
            ["--seed", "1", "--seeds", "2"],
            ["--seed", "1", "--seed-base", "2"],
            ["--seed", "-1"],
            ["--seed", str(2**64)],
            ["--seeds", "0"],
            ["--preset", "fast"],
            ["2"],
            ["--only", "nothing"],
        ):
            with self.subTest(words), self.assertRaises(UsageError):
                self.command(*words)
