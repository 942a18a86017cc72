"""Reports: what a student sees, and what programs read."""
from __future__ import annotations

import contextlib
import io
import json
import os
import xml.etree.ElementTree as ElementTree
from unittest import mock

from tinykv import grade_files, grade_report, verdicts
from tinykv.grade_result import Report, TaskResult
from tinykv.points import OpenHole, Part

from .helpers import ScratchTest

PASSES = TaskResult("1-get", "1", "gets", "passed", 8, 8, seeds=50, seconds=0.5)
NOT_STARTED = TaskResult("1-put", "1", "puts", "not started", 0, 5, "the hole is to be filled")
WRONG = TaskResult(
    "1-scan",
    "1",
    "scans | yields <pairs>",
    "wrong",
    0,
    7,
    sentence="RawScan yielded " + "too much, " * 20 + "\x1b[31m\x00",
    seed=3,
    seeds=3,
    seconds=1.25,
    peak_memory_mb=30.5,
    program="".join(f"{number}. step\n" for number in range(1, 101)),
    events=[f"event {number}" for number in range(100)],
    stack=["a.cc:7  Scan()"],
    printed="".join(f"print {number}\n" for number in range(100)),
    replay="./tinykv grade --only 1-scan --seed 3",
)
CRASHED = TaskResult("1-crash", "1", "", "crashed", 0, 1, "It died.", printed="x\n", replay="again")


def report(*tasks: TaskResult, **more) -> Report:
    return Report("release", 1, [Part("1", "Storage", "grade-1")], tasks, **more)


class TextTest(ScratchTest):
    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch.dict(os.environ, {"COLUMNS": "120"})
        patch.start()
        self.addCleanup(patch.stop)

    def show(self, shown: Report) -> tuple[str, str]:
        """What is printed on stdout and on stderr."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            grade_report.show(shown)
        return out.getvalue(), err.getvalue()

    def test_the_table_has_a_line_a_task_and_the_points(self) -> None:
        out, _ = self.show(report(PASSES, NOT_STARTED, WRONG))
        self.assertIn("\n  1-get   passed          8/8  gets\n", out)
        self.assertIn("\n  1-put   not started     0/5  puts\n", out)
        self.assertIn("\npart 1: 8 of 20 points\n", out)
        self.assertEqual(out.splitlines()[-1], "8 of 20 points, 1 of 3 tasks passed")

    def test_a_failure_is_told_in_full(self) -> None:
        out, _ = self.show(report(PASSES, NOT_STARTED, WRONG))
        for line in (
            "1-scan  wrong  0/7",
            "  seed 3",
            "    1. step",
            "    … and 40 lines more",
            "    … 70 lines before",
            "    event 99",
            "    a.cc:7  Scan()",
            "    print 99",
            "  again: ./tinykv grade --only 1-scan --seed 3",
        ):
            self.assertIn(f"\n{line}\n", out)
        self.assertNotIn("    61. step", out)
        self.assertNotIn("    event 69", out)
        self.assertNotIn("the hole is to be filled", out)

    def test_it_fits_the_columns_and_leaves_the_terminal_alone(self) -> None:
        out, _ = self.show(report(WRONG))
        self.assertLessEqual(max(map(len, out.splitlines())), 100)
        self.assertIn("\\x1b[31m\\x00", out)
        self.assertFalse(set(out) & {"\x1b", "\x00"})

    def test_the_reason_why_nothing_runs_is_told_once(self) -> None:
        tasks = [
            TaskResult(name, "1", "", "not run", 0, 1, "no program", replay="again")
            for name in ("a", "b")
        ]
        self.assertEqual(self.show(report(*tasks))[0].count("no program"), 1)

    def test_what_the_compiler_said_is_shown_once(self) -> None:
        task = TaskResult("1-get", "1", "gets", "not built", 0, 8, "grade-1 could not be built")
        out, _ = self.show(report(task, compiler_output={"grade-1": "a.cc:1:2: error: what?"}))
        self.assertIn("\ngrade-1 does not compile:\n  a.cc:1:2: error: what?\n", out)
        self.assertNotIn("could not be built", out)

    def test_a_crash_without_sanitizers_is_remarked_on(self) -> None:
        self.assertIn("--preset asan", self.show(report(CRASHED))[1])
        self.assertEqual(self.show(report(WRONG))[1], "")
        with_asan = Report("asan", 1, report().parts, [CRASHED])
        self.assertEqual(self.show(with_asan)[1], "")

    def test_the_first_open_hole_is_where_to_begin(self) -> None:
        hole = OpenHole("1-put", "stage1-standalone/a.cc", 7)
        out, _ = self.show(report(NOT_STARTED, first_open_hole=hole))
        self.assertIn("\nBegin with the hole 1-put: stage1-standalone/a.cc:7\n", out)

    def test_errors_of_the_manifest_are_shown(self) -> None:
        out, _ = self.show(report(PASSES, errors=["grade-1 has a task x"]))
        self.assertIn("\nerror: grade-1 has a task x\n", out)

    def test_a_sanitizers_report_is_shown_from_its_beginning(self) -> None:
        text = "==7==ERROR: AddressSanitizer: x\n" + "    #0 f\n" * 100
        task = TaskResult("a", "1", "", "crashed", 0, 1, printed=text, replay="again")
        lines = grade_report.details(task)
        self.assertIn("the sanitizer's report:", lines)
        self.assertIn("  ==7==ERROR: AddressSanitizer: x", lines)

    def test_the_first_error_of_a_build_is_found(self) -> None:
        lines = [
            "FAILED: a.o",
            "/usr/bin/c++ -c a.cc -o a.o",
            "b.cc:7: warning: unused",
            "In file included from b.cc:1,",
            "                 from a.cc:1:",
            "b.h: In member function 'f':",
            "b.h:3:4: error: 'x' was not declared",
            *["  note"] * 100,
            "ninja: build stopped: subcommand failed.",
        ]
        output = grade_report.first_errors("\n".join(lines))
        self.assertTrue(output.startswith("In file included from b.cc:1,"))
        self.assertTrue(output.endswith("lines more"))
        self.assertEqual(grade_report.first_error(output), "b.h:3:4: error: 'x' was not declared")
        second = ["c.cc: At global scope:", "c.cc:1:2: error: 'y'", "c.cc:2:2: error: 'z'"]
        output = grade_report.first_errors("\n".join(["a.cc:1:2: error: 'x'", "  note", *second]))
        self.assertEqual(
            output.splitlines(),
            ["a.cc:1:2: error: 'x'", "  note", "… and 2 errors more, which may come of this one"],
        )
        self.assertEqual(grade_report.first_error("all wrong"), "all wrong")
        self.assertEqual(grade_report.first_error(""), "see the compiler's output")


class FilesTest(ScratchTest):
    def test_json_has_the_names_that_tools_rely_on(self) -> None:
        content = json.loads(grade_files.as_json(report(PASSES, WRONG, errors=["e"])))
        tasks = content.pop("tasks")
        self.assertEqual(
            content,
            {"points": 8, "max_points": 15, "seed_base": 1, "preset": "release", "errors": ["e"]},
        )
        self.assertEqual(
            tasks[0],
            {
                **{"task": "1-get", "part": "1", "verdict": "passed", "points": 8, "max_points": 8},
                **{"seed": None, "seeds": 50, "seconds": 0.5, "peak_memory_mb": 0.0},
                **{"sentence": "", "program": "", "shrunk": True, "events": [], "replay": None},
                **{"note": "", "draws": False, "trace": None},
            },
        )
        self.assertEqual(tasks[1]["events"], WRONG.events)
        self.assertEqual((tasks[1]["seed"], tasks[1]["program"]), (3, WRONG.program))

    def test_junit_has_a_case_a_task_and_counts_what_did_not_pass(self) -> None:
        text = grade_files.as_junit(report(PASSES, NOT_STARTED, WRONG, errors=["an error"]))
        root = ElementTree.fromstring(text)
        self.assertEqual((root.get("tests"), root.get("failures")), ("4", "3"))
        suite, errors = root.iter("testsuite")
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("3", "2"))
        self.assertEqual(suite.get("time"), "1.750")
        cases = {case.get("name"): case.find("failure") for case in suite}
        self.assertEqual(list(cases), ["1-get", "1-put", "1-scan"])
        self.assertIsNone(cases["1-get"])
        self.assertEqual(cases["1-put"].get("message"), "not started: the hole is to be filled")
        self.assertIn("again: ./tinykv grade --only 1-scan --seed 3", cases["1-scan"].text)
        self.assertEqual(errors[0].find("failure").get("message"), "an error")

    def test_a_step_of_a_workflow_gets_a_table(self) -> None:
        path = self.file("summary.md", "before\n")
        with mock.patch.dict(os.environ, {grade_files.STEP_SUMMARY: str(path)}):
            grade_files.add_step_summary(report(PASSES, NOT_STARTED, WRONG))
        text = path.read_text()
        self.assertTrue(text.startswith("before\n### Part 1: Storage\n"))
        self.assertIn("| 1-get | ✅ passed | 8/8 | gets |\n", text)
        self.assertIn("| 1-put | ⬜ not started | 0/5 | puts |\n", text)
        self.assertIn("| ❌ wrong | 0/7 | scans \\| yields &lt;pairs&gt; |\n", text)
        self.assertEqual(text.count("<details>"), 1)
        self.assertIn("again: ./tinykv grade --only 1-scan --seed 3", text)
        self.assertIn("**8 of 20 points, 1 of 3 tasks passed**", text)

    def test_elsewhere_there_is_no_table(self) -> None:
        with mock.patch.dict(os.environ):
            os.environ.pop(grade_files.STEP_SUMMARY, None)
            grade_files.add_step_summary(report(PASSES))
        self.assertEqual(list(self.root.iterdir()), [])

    def test_every_verdict_can_be_shown(self) -> None:
        tasks = [
            TaskResult(verdict, "1", "", verdict, 0, 1, replay="again") for verdict in verdicts.ALL
        ]
        text = grade_files.as_markdown(report(*tasks))
        ElementTree.fromstring(grade_files.as_junit(report(*tasks)))
        for verdict in verdicts.ALL:
            self.assertIn(f" {verdict} |", text)
