"""./tinykv handout --check, on a course of two holes whose grader reads the source."""
from __future__ import annotations

import contextlib
import io
import json
import sys
from unittest import mock

from tinykv import ablation, task_graph
from tinykv.ablation import Wishes
from tinykv.console import Failure

from .helpers import ScratchTest

SOURCE = """\
#include "common/your_code_here.h"

int Twice(int x) {
  // >>> SOLUTION 1-twice: add it to itself
  return x + x;
  // <<< SOLUTION
}

int Thrice(int x) {
  // >>> SOLUTION 1-thrice: and once more
  return Twice(x) + x;
  // <<< SOLUTION
}
"""
POINTS = """\
[[part]]
id = "1"
title = "Sums"
program = "grade-1"
"""
TASK = """
[[task]]
id = "{id}"
part = "1"
title = "a sum is right"
points = 5
holes = {holes}
limit_seconds = 10
"""

# ./tinykv of the scratch course. BEYOND: holes that a task meets although it does not name them.
SCRIPT = f"""#!{sys.executable}
import json, os, re, sys, tomllib
if sys.argv[1] != "grade":
    sys.exit(0 if sys.argv[1] == "build" else 2)
beyond = BEYOND
source = open("stage1-standalone/sums.cc").read()
opened = set(re.findall(r'YourCodeHere."([^"]+)"', source))
switched = set(os.environ.get("TINYKV_OPEN_HOLES", "").split(","))
opened |= switched & set(re.findall(r'SwitchedHole."([^"]+)"', source))
tasks = []
for task in tomllib.load(open("graders/points.toml", "rb"))["task"]:
    needed = set(task["holes"]) | set(beyond.get(task["id"], []))
    verdict = "not started" if needed & opened else "passed"
    tasks.append({{"task": task["id"], "verdict": verdict}})
passed = [task for task in tasks if task["verdict"] == "passed"]
report = {{"points": 5 * len(passed), "max_points": 5 * len(tasks), "tasks": tasks}}
json.dump(report, open(sys.argv[sys.argv.index("--json") + 1], "w"))
sys.exit(0 if passed == tasks else 1)
"""


class AblationTest(ScratchTest):
    def setUp(self) -> None:
        super().setUp()
        self.file("stage1-standalone/sums.cc", SOURCE)
        self.file("stage1-standalone/CMakeLists.txt", "tinykv_library(sums SOURCES sums.cc)\n")
        self.file("graders/handout/switched_holes.h", "#pragma once\n")
        self.file(".gitignore", "build/\n")
        self.chapter = self.file(
            "docs/book/stage1/index.md", f"# Sums\n{task_graph.BEGIN}\n{task_graph.END}\n"
        )
        self.manifest(twice=["1-twice"], thrice=["1-twice", "1-thrice"])
        self.script()

    def manifest(self, **tasks: list[str]) -> None:
        tables = [
            TASK.format(id=f"1-{name}", holes=json.dumps(named)) for name, named in tasks.items()
        ]
        self.file("graders/points.toml", POINTS + "".join(tables))

    def script(self, **beyond: list[str]) -> None:
        named = {f"1-{task}": found for task, found in beyond.items()}
        self.file("tinykv", SCRIPT.replace("BEYOND", repr(named), 2)).chmod(0o755)

    def check(self, **wishes) -> tuple[int, str, dict]:
        """Runs the command; its status, what it prints and what it writes."""
        report = self.root / "build" / "report.json"
        report.parent.mkdir(exist_ok=True)
        with contextlib.ExitStack() as patches:
            patches.enter_context(mock.patch("tinykv.setup.ensure"))
            patches.enter_context(mock.patch("tinykv.lint.clang_format", return_value=[]))
            text = patches.enter_context(contextlib.redirect_stdout(io.StringIO()))
            wishes.setdefault("write_graph", True)
            code = ablation.run(self.workspace, Wishes(json=report, **wishes))
        return code, text.getvalue(), json.loads(report.read_text(encoding="utf-8"))

    def test_a_true_manifest_holds(self) -> None:
        code, text, report = self.check()
        self.assertEqual((code, report["holds"], report["findings"]), (0, True, []), text)
        runs = [(run["proof"], run["hole"], len(run["open"])) for run in report["runs"]]
        self.assertEqual(
            runs,
            [
                ("handout", None, 2),
                *(("filling", "1-twice", 1), ("filling", "1-thrice", 1)),
                *(("ablation", "1-twice", 1), ("ablation", "1-thrice", 1)),
            ],
        )
        self.assertIn("hole_1_twice --> task_1_thrice", text)
        self.assertIn("  1-twice   o   +\n", text)
        self.assertIn("  1-thrice  o   o\n", text)

    def test_a_hole_that_a_task_does_not_name_is_found(self) -> None:
        self.script(twice=["1-thrice"])
        code, text, report = self.check(only="ablation")
        self.assertEqual(code, 1)
        self.assertEqual(
            report["findings"], ["only 1-thrice open: 1-twice is not started, should be passed"]
        )
        self.assertIn("  1-twice   o   o?\n", text)
        _, _, report = self.check(only="filling")
        self.assertEqual(
            report["findings"], ["only 1-twice filled: 1-twice is not started, should be passed"]
        )

    def test_a_hole_that_a_task_names_in_vain_is_found(self) -> None:
        script = (self.root / "tinykv").read_text()
        self.file("tinykv", script.replace('task["holes"]', '["1-twice"]'))
        code, _, report = self.check(only="ablation")
        self.assertEqual(
            (code, report["findings"]),
            (1, ["only 1-thrice open: 1-thrice is passed, should be not started"]),
        )

    def test_a_task_that_cannot_meet_a_hole_is_not_run(self) -> None:
        self.file("build/handout-check/switched/build/release/bin/grade-1", "1-twice")
        code, text, report = self.check(only="ablation")
        self.assertEqual((code, report["findings"]), (0, []))
        self.assertIn("  1-twice   o   .\n", text)
        self.assertIn("  1-thrice  o   o\n", text)

    def test_points_for_nothing_are_found(self) -> None:
        self.file("tinykv", (self.root / "tinykv").read_text().replace('5 * len(passed)', "7"))
        _, _, report = self.check(only="handout")
        self.assertEqual(report["findings"], ["all holes open: 7 points, should be 0"])

    def test_graders_that_leave_no_report_are_found(self) -> None:
        self.file("tinykv", "#!/bin/sh\ntest $1 = build\n")
        code, _, report = self.check(only="handout")
        self.assertEqual(code, 1)
        self.assertIn("no report of the graders; see ", report["findings"][0])

    def test_a_hand_out_that_does_not_build_is_found(self) -> None:
        text = (self.root / "tinykv").read_text().replace('0 if sys.argv[1] == "build" else 2', "1")
        self.file("tinykv", text)
        _, _, report = self.check(only="handout")
        self.assertIn("the hand-out does not build; see ", report["findings"][0])

    def test_a_broken_house_rule_is_found(self) -> None:
        self.file("stage1-standalone/other.cc", "int x;\n")
        _, _, report = self.check(only="handout")
        self.assertEqual(
            report["findings"],
            ["stage1-standalone/other.cc:1: no CMakeLists.txt names it, so it is not built"],
        )

    def test_the_book_must_draw_the_same_graph(self) -> None:
        code, _, report = self.check(only="handout", write_graph=False)
        self.assertEqual(code, 1)
        self.assertIn("docs/book/stage1/index.md:2: not the graph", report["findings"][0])
        self.assertEqual(self.check(only="handout")[0], 0)
        self.assertIn("```mermaid\nflowchart LR\n", self.chapter.read_text())
        self.assertEqual(self.check(only="handout", write_graph=False)[0], 0)

    def test_a_manifest_and_holes_that_disagree_are_not_tried(self) -> None:
        self.manifest(twice=["1-twice"], none=["1-none"], empty=[])
        with self.assertRaises(Failure) as caught:
            self.check()
        self.assertEqual(
            caught.exception.details.splitlines(),
            [
                "hole 1-thrice is named by no task",
                "task 1-none names the hole 1-none, which there is not",
                "task 1-empty names no hole, so it passes before anything is written",
            ],
        )

    def test_a_file_that_is_gone_is_taken_out_of_the_work_folder(self) -> None:
        other = self.file("stage1-standalone/old.h", "")
        self.check(only="handout")
        other.unlink()
        self.check(only="handout")
        tree = self.root / "build/handout-check/tree"
        self.assertFalse((tree / "stage1-standalone/old.h").exists())
        self.assertTrue((tree / "HANDOUT").exists())
