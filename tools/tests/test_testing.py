"""Counting test cases: what GoogleTest and ctest report, and what they fail to."""
from __future__ import annotations

import contextlib
import io
import os
import subprocess
from pathlib import Path
from unittest import mock

from tinykv import gtest_report, testing
from tinykv.grade_result import Report, TaskResult
from tinykv.gtest_report import Program, Tally

from .helpers import ScratchTest

GTEST = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="5" failures="1" disabled="1" errors="0" time="0.1" name="AllTests">
  <testsuite name="Log" tests="5" failures="1" disabled="1" skipped="1" errors="0" time="0.1">
    <testcase name="Passes" status="run" result="completed" time="0" classname="Log" />
    <testcase name="PassesToo" status="run" result="completed" time="0" classname="Log" />
    <testcase name="Fails" status="run" result="completed" time="0" classname="Log">
      <failure message="a.cc:7&#x0A;Expected: 1" type=""><![CDATA[a.cc:7]]></failure>
    </testcase>
    <testcase name="Skips" status="run" result="skipped" time="0" classname="Log">
      <skipped message="a.cc:9&#x0A;no such disk"><![CDATA[]]></skipped>
    </testcase>
    <testcase name="DISABLED_Sleeps" status="notrun" result="suppressed" classname="Log" />
  </testsuite>
</testsuites>
"""
PASSING = """<testsuites><testsuite>
<testcase name="Passes" status="run" result="completed" classname="Log" />
</testsuite></testsuites>"""


def ran(
    name: str = "log_test", passed: bool = True, reason: str = "", output: str = ""
) -> Program:
    return Program(name, name, passed, reason, output)


class TallyTest(ScratchTest):
    def tally(self, *programs: Program) -> Tally:
        (self.root / "results").mkdir(exist_ok=True)
        return gtest_report.tally(programs, self.root / "results")

    def test_the_cases_of_a_report_are_counted(self) -> None:
        self.file("results/log_test.xml", GTEST)
        counted = self.tally(ran(passed=False))
        self.assertEqual(str(counted), "2 passed, 1 failed")
        self.assertEqual(counted.failed[0].name, "log_test: Log.Fails")
        self.assertIn("Expected: 1", counted.failed[0].message)
        self.assertEqual(counted.skipped, ["log_test: Log.Skips"])

    def test_a_program_that_crashes_is_a_failed_case_with_its_last_words(self) -> None:
        output = "\n".join(f"line {number}" for number in range(1000))
        counted = self.tally(ran(passed=False, reason="SEGFAULT", output=output))
        self.assertEqual(str(counted), "0 passed, 1 failed")
        self.assertTrue(counted.failed[0].message.startswith("SEGFAULT\n"))
        self.assertIn("line 999", counted.failed[0].message)
        self.assertNotIn("line 9\n", counted.failed[0].message)

    def test_a_report_that_is_cut_off_is_a_failed_case(self) -> None:
        self.file("results/log_test.xml", GTEST[:300])
        self.assertEqual(str(self.tally(ran(passed=False))), "0 passed, 1 failed")

    def test_a_program_that_fails_after_its_last_case_is_a_failed_case(self) -> None:
        self.file("results/log_test.xml", PASSING)
        leak = "x\n" * 500 + "==7==ERROR: LeakSanitizer: detected memory leaks\n" + "y\n" * 500
        counted = self.tally(ran(passed=False, reason="Failed", output=leak))
        self.assertEqual(str(counted), "1 passed, 1 failed")
        self.assertIn("LeakSanitizer", counted.failed[0].message)

    def test_a_program_without_a_report_is_one_case(self) -> None:
        self.assertEqual(str(self.tally(ran("script"))), "1 passed, 0 failed")

    def test_a_program_that_runs_twice_has_two_reports(self) -> None:
        self.file("results/log_test.xml", PASSING)
        self.file("results/log_test_1.xml", PASSING)
        self.file("results/log_test_more.xml", GTEST)  # another program's
        self.assertEqual(str(self.tally(ran())), "2 passed, 0 failed")


# A ctest case that behaves like a GoogleTest program: it writes the report that it is told to.
CMAKE = """
cmake_minimum_required(VERSION 3.22)
project(scratch NONE)
enable_testing()
"""
GOOD = f"""#!/bin/sh
printf '%s' '{PASSING}' > "${{GTEST_OUTPUT#xml:}}good.xml"
"""


class CtestTest(ScratchTest):
    def run_ctest(self, *tests: str) -> Tally:
        """Configures a project with these tests and runs it through the real ctest."""
        lines = [f"add_test(NAME {test} COMMAND {self.root}/bin/{test})\n" for test in tests]
        self.file("CMakeLists.txt", CMAKE + "".join(lines))
        folder = self.workspace.build("release")
        command = ["cmake", "-G", "Ninja", "-S", self.root, "-B", folder]
        subprocess.run(command, check=True, capture_output=True)
        with contextlib.redirect_stdout(io.StringIO()):
            return testing.run_ctest(self.workspace, "release")

    def test_cases_and_programs_are_counted_together(self) -> None:
        self.program("good", GOOD)
        self.program("plain", "#!/bin/sh\n")
        self.program("crash", "#!/bin/sh\necho going down\nkill -SEGV $$\n")
        counted = self.run_ctest("good", "plain", "crash", "absent")
        self.assertEqual(str(counted), "2 passed, 2 failed")
        messages = {case.name: case.message for case in counted.failed}
        self.assertEqual(set(messages), {"crash", "absent"})
        self.assertIn("going down", messages["crash"])

    def test_reports_of_an_earlier_run_do_not_count(self) -> None:
        self.program("good", GOOD)
        self.run_ctest("good")
        self.program("good", "#!/bin/sh\nexit 3\n")
        self.assertEqual(str(self.run_ctest("good")), "0 passed, 1 failed")

    def test_no_tests_are_a_failure(self) -> None:
        self.assertEqual(str(self.run_ctest()), "0 passed, 1 failed")


class RunTest(ScratchTest):
    def run_with(self, tally: Tally) -> tuple[int, str]:
        """The whole command, with everything but the counting left out."""
        with contextlib.ExitStack() as patches:
            patches.enter_context(mock.patch("tinykv.setup.ensure"))
            patches.enter_context(mock.patch("tinykv.build.build"))
            patches.enter_context(mock.patch("tinykv.testing.run_ctest", return_value=tally))
            text = patches.enter_context(contextlib.redirect_stdout(io.StringIO()))
            return testing.run(self.workspace, "debug"), text.getvalue()

    def test_the_last_line_is_the_count(self) -> None:
        code, text = self.run_with(Tally(passed=3))
        self.assertEqual((code, text.splitlines()[-1]), (0, "3 passed, 0 failed"))

    def test_a_failed_case_makes_it_fail(self) -> None:
        case = gtest_report.FailedCase("log_test: Log.Fails", "a.cc:7")
        code, text = self.run_with(Tally(3, [case]))
        self.assertEqual((code, text.splitlines()[-1]), (1, "3 passed, 1 failed"))
        self.assertIn("FAILED log_test: Log.Fails\n    a.cc:7\n", text)

    def test_a_run_without_a_test_fails(self) -> None:
        code, text = self.run_with(Tally())
        self.assertEqual((code, text.splitlines()[-1]), (1, "0 passed, 1 failed"))

    def test_graded_tasks_are_cases_too(self) -> None:
        tasks = [
            TaskResult("1-get", "1", "gets", "passed", 8, 8),
            TaskResult("1-put", "1", "puts", "wrong", 0, 5, "It is wrong.", replay="replay it"),
        ]
        graded = Report("asan", 1, [], tasks, ["grade-1 has a task too many"])
        with contextlib.ExitStack() as patches:
            patches.enter_context(mock.patch("tinykv.points.load"))
            patches.enter_context(mock.patch("tinykv.points.check_holes"))
            patches.enter_context(mock.patch("tinykv.grade.grade", return_value=graded))
            counted = testing.run_graders(self.workspace, "asan")
        self.assertEqual(str(counted), "1 passed, 2 failed")
        self.assertEqual(counted.failed[0].name, "grade: 1-put")
        self.assertIn("It is wrong.", counted.failed[0].message)
        self.assertIn("again: replay it", counted.failed[0].message)
        self.assertEqual(counted.failed[1].message, "grade-1 has a task too many")

    def test_a_broken_manifest_is_a_failed_case(self) -> None:
        counted = testing.run_graders(self.workspace, "release")
        self.assertEqual(counted.failed[0].name, "grade: graders/points.toml")

    def test_the_environments_sanitizer_options_come_last_and_win(self) -> None:
        with mock.patch.dict(os.environ, {"ASAN_OPTIONS": "detect_leaks=0"}):
            environment = testing.test_environment(Path("/r"))
        self.assertTrue(environment["ASAN_OPTIONS"].endswith(":detect_leaks=0"))
        self.assertEqual(environment["GTEST_OUTPUT"], "xml:/r/")
