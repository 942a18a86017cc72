"""What a student's tree can and cannot do to the tree that is graded, and what is reported."""
from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from tinykv.workspace import here

from .helpers import ScratchTest

SOURCE = here().root / "graders" / "handout"

OPEN = 'int Answer() { YourCodeHere("1-answer"); }\n'
SOLVED = "int Answer() { return 42; }\n"

# A grader as simple as can be: it believes what the source says, and is as easily tampered with.
GRADER = """#!/bin/sh
if grep -q 'return 42' stage1/answer.cc; then verdict=passed; else verdict='not started'; fi
echo "{\\"tasks\\": [{\\"task\\": \\"1-answer\\", \\"verdict\\": \\"$verdict\\"}]}" > "$3"
"""
POINTS = """
[[task]]
id = "1-answer"
part = "1"
title = "the answer is right"
points = 5
[[task]]
id = "2A-vote"
part = "2A"
title = "a vote"
points = 7
"""
RELEASE = {
    "tinykv": GRADER,
    "CMakeLists.txt": "project(tinykv)\n",
    "HANDOUT": "made from 1\n",
    "common/strings.h": "#pragma once\n",
    "graders/points.toml": POINTS,
    "graders/task.cc": "int main() {}\n",
    "graders/handout-files.txt": "stage1/answer.cc\nstage1/question.cc\n",
    "stage1/answer.cc": OPEN,
    "stage1/question.cc": OPEN,
    "stage1/answer.h": "int Answer();\n",
    "tools/main.py": "pass\n",
}


class ClassroomTest(ScratchTest):
    def setUp(self) -> None:
        super().setUp()
        self.release = self.root / "release"
        self.student = self.root / "student"
        self.graded = self.root / "graded"
        for name, text in RELEASE.items():
            self.file(f"release/{name}", text)
        (self.release / "tinykv").chmod(0o755)
        for script in ("assemble.py", "report.py"):
            self.file(f"release/graders/classroom/{script}", (SOURCE / script).read_text())
        shutil.copytree(self.release, self.student)
        self.file("release/.git/config", "[core]\n")
        self.file("student/.git/config", "[core]\n\tfsmonitor = touch pwned\n")
        self.solve()

    def solve(self) -> None:
        self.file("student/stage1/answer.cc", SOLVED)

    def script(self, name: str, *words: str | Path, env: dict[str, str] | None = None):
        """Runs a script of the release as the workflow does, from the folder above the trees."""
        command = [sys.executable, "-I", f"release/graders/classroom/{name}", *words]
        environment = {**os.environ, **(env or {})}
        return subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )

    def assemble(self) -> str:
        result = self.script("assemble.py", "student", "graded")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return result.stdout

    def files(self, root: Path) -> dict[str, str]:
        """All that a tree holds, links as such."""
        found = {}
        for folder, _, names in os.walk(root):
            for name in names:
                path = Path(folder) / name
                text = f"-> {os.readlink(path)}" if path.is_symlink() else path.read_text()
                found[str(path.relative_to(root))] = text
        return found

    def assert_graded_is_release_but_for(self, **changed: str) -> None:
        """Compares whole trees; names are given with __ for / and end in _cc."""
        expected = self.files(self.release)
        del expected[".git/config"]
        for name, text in changed.items():
            expected[name.replace("__", "/").replace("_cc", ".cc")] = text
        self.assertEqual(self.files(self.graded), expected)


class AssembleTest(ClassroomTest):
    def test_solutions_are_taken(self) -> None:
        said = self.assemble()
        self.assert_graded_is_release_but_for(stage1__answer_cc=SOLVED)
        self.assertIn("stage1/answer.cc: the student's", said)
        self.assertNotIn("does not count", said)
        self.assertEqual((self.graded / "tinykv").stat().st_mode & 0o777, 0o755)

    def test_edited_graders_and_build_files_are_not(self) -> None:
        cheat = "everything passes\n"
        for name in RELEASE:
            if name != "stage1/answer.cc" and name != "stage1/question.cc":
                self.file(f"student/{name}", cheat)
        said = self.assemble()
        self.assert_graded_is_release_but_for(stage1__answer_cc=SOLVED)
        for name in ("tinykv", "graders/points.toml", "CMakeLists.txt", "stage1/answer.h"):
            self.assertIn(f"{name}: the release's; the student's differs and does not count", said)

    def test_the_students_list_of_files_and_scripts_are_not_asked(self) -> None:
        self.file("student/graders/handout-files.txt", "tinykv\ngraders/points.toml\n")
        self.file("student/graders/classroom/assemble.py", "raise SystemExit(1)\n")
        self.file("student/tinykv", "#!/bin/sh\necho all passed\n")
        self.assemble()
        self.assert_graded_is_release_but_for(stage1__answer_cc=SOLVED)

    def test_deleted_graders_are_back(self) -> None:
        shutil.rmtree(self.student / "graders")
        (self.student / "tinykv").unlink()
        self.assemble()
        self.assert_graded_is_release_but_for(stage1__answer_cc=SOLVED)

    def test_added_files_stay_behind(self) -> None:
        for name in (
            *("sitecustomize.py", "usercustomize.py", "tools/sitecustomize.py", "conftest.py"),
            *("tools/json.py", "tools/tinykv/grade.py", "graders/classroom/tomllib.py"),
            *("vector", "common/vector", "string.h", "common/asio.hpp", "stage1/answer.inc"),
            *("CMakeUserPresets.json", ".clang-tidy", "stage1/CMakeLists.txt", "build/x"),
            *(".tinykv/state", ".gitattributes", "x\n::set-output name=points::100"),
        ):
            self.file(f"student/{name}", "print('gotcha')\n")
        said = self.assemble()
        self.assert_graded_is_release_but_for(stage1__answer_cc=SOLVED)
        self.assertNotIn("::", said)

    def test_python_of_the_student_is_not_run(self) -> None:
        for folder in ("student", "release/graders/classroom", "."):
            for module in ("sitecustomize", "shutil", "stat"):
                self.file(f"{folder}/{module}.py", "raise SystemExit('gotcha')\n")
        environment = {"PYTHONPATH": str(self.student)}
        result = self.script("assemble.py", "student", "graded", env=environment)
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_links_are_not_followed(self) -> None:
        secret = self.file("secret", "a token\n")
        answer = self.student / "stage1/answer.cc"
        answer.unlink()
        for target in (secret, Path("../../secret"), Path("question.cc"), Path("/dev/zero")):
            with self.subTest(target):
                answer.unlink(missing_ok=True)
                answer.symlink_to(target)
                shutil.rmtree(self.graded, ignore_errors=True)
                said = self.assemble()
                self.assertIn("stage1/answer.cc: the release's, since the student's cannot", said)
                self.assert_graded_is_release_but_for()

    def test_a_folder_that_is_a_link_is_not_entered(self) -> None:
        elsewhere = self.root / "elsewhere"
        shutil.move(self.student / "stage1", elsewhere)
        (self.student / "stage1").symlink_to(elsewhere)
        self.assertIn("is a symbolic link", self.assemble())
        self.assert_graded_is_release_but_for()

    def test_what_is_no_plain_file_is_not_read(self) -> None:
        answer, question = self.student / "stage1/answer.cc", self.student / "stage1/question.cc"
        answer.unlink()
        os.mkfifo(answer)
        question.unlink()
        question.mkdir()
        said = self.assemble()
        self.assertIn("stage1/answer.cc: the release's, since the student's is no plain file", said)
        self.assertIn("stage1/question.cc: the release's", said)
        self.assert_graded_is_release_but_for()

    def test_a_missing_and_a_huge_file_are_not_started(self) -> None:
        (self.student / "stage1/answer.cc").unlink()
        self.file("student/stage1/question.cc", "x" * ((1 << 20) + 1))
        said = self.assemble()
        self.assertIn("stage1/answer.cc: the release's, since the student's is missing", said)
        self.assertIn("stage1/question.cc: the release's, since the student's has more", said)
        self.assert_graded_is_release_but_for()

    def test_the_mode_of_a_taken_file_is_the_releases(self) -> None:
        (self.student / "stage1/answer.cc").chmod(0o777)
        self.assemble()
        self.assertEqual((self.graded / "stage1/answer.cc").stat().st_mode & 0o111, 0)

    def test_a_tree_that_is_there_already_is_not_overwritten(self) -> None:
        self.file("graded/file")
        result = self.script("assemble.py", "student", "graded")
        self.assertEqual(result.returncode, 1)
        self.assertIn("is there already", result.stderr)

    def test_a_release_with_a_list_that_leads_out_of_it_is_refused(self) -> None:
        self.file("secret")
        for name in ("../secret", str(self.root / "secret"), "stage1/none.cc", ""):
            self.file("release/graders/handout-files.txt", f"{name}\n")
            result = self.script("assemble.py", "student", "graded")
            self.assertEqual(result.returncode, 1, name)
            self.assertFalse(self.graded.exists())


class ReportTest(ClassroomTest):
    def report(self, *parts: str) -> tuple[int, str, dict[str, str]]:
        """Runs the script on points.json; its status, what it prints, and its outputs."""
        output = self.root / "output"
        output.unlink(missing_ok=True)
        environment = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(self.root / "sum")}
        result = self.script("report.py", "points.json", *parts, env=environment)
        lines = output.read_text().splitlines()
        return result.returncode, result.stdout, dict(line.split("=", 1) for line in lines)

    def verdicts(self, **verdicts: str) -> None:
        tasks = [
            {"task": task.replace("_", "-"), "verdict": verdict, "points": 1000}
            for task, verdict in verdicts.items()
        ]
        self.file("points.json", json.dumps({"points": 1000, "tasks": tasks}))

    def test_points_are_the_manifests(self) -> None:
        self.verdicts(**{"1_answer": "passed", "2A_vote": "wrong", "9_extra": "passed"})
        code, said, outputs = self.report()
        self.assertEqual(code, 1)
        self.assertIn("::notice title=Autograding complete::Points 5/12\n", said)
        totals = '{"totalPoints": 5, "maxPoints": 12}'
        self.assertIn(f"::notice title=Autograding report::{totals}\n", said)
        self.assertEqual((outputs["points"], outputs["max_points"]), ("5", "12"))
        result = json.loads(base64.b64decode(outputs["result"]))
        self.assertEqual((result["status"], result["max_score"]), ("fail", 12))
        scores = [(test["name"], test["status"], test["score"]) for test in result["tests"]]
        self.assertEqual(scores, [("1-answer", "pass", 5), ("2A-vote", "fail", 0)])
        self.assertIn("| 2A-vote | wrong | 0/7 | a vote |", (self.root / "sum").read_text())

    def test_parts_that_are_not_graded_do_not_count(self) -> None:
        self.verdicts(**{"1_answer": "passed"})
        code, said, _ = self.report("1")
        self.assertEqual(code, 0)
        self.assertIn("Points 5/5", said)

    def test_a_verdict_that_there_is_not_is_no_command_to_the_runner(self) -> None:
        self.verdicts(**{"1_answer": "passed\n::notice::", "2A_vote": "not started"})
        code, said, outputs = self.report()
        self.assertEqual((code, outputs["points"], said.count("::notice")), (1, "0", 2))

    def test_no_report_is_no_points(self) -> None:
        for text in (None, "", "[]", '{"tasks": 3}', '{"tasks": [{}]}'):
            if text is not None:
                self.file("points.json", text)
            code, said, outputs = self.report()
            self.assertEqual((code, outputs["points"]), (1, "0"), text)
            self.assertIn("::error::", said)


class WorkflowTest(ClassroomTest):
    """The steps of the workflow, as a runner does them but for the checkouts."""

    def setUp(self) -> None:
        super().setUp()
        self.text = (SOURCE / "classroom.yml").read_text(encoding="utf-8")

    def points(self) -> str:
        """Assembles, grades and reports; what is reported."""
        shutil.rmtree(self.graded, ignore_errors=True)
        self.assemble()
        command = [self.graded / "tinykv", "grade", "--json", self.root / "points.json"]
        subprocess.run(command, cwd=self.graded, check=True)
        return self.script("report.py", "points.json", "1").stdout

    def test_a_solution_earns_points(self) -> None:
        self.assertIn("Points 5/5", self.points())

    def test_nothing_but_a_solution_does(self) -> None:
        self.file("student/stage1/answer.cc", OPEN)
        self.assertIn("Points 0/5", self.points())
        for name in set(RELEASE) - {"stage1/answer.cc"}:
            self.file(f"student/{name}", GRADER.replace("'not started'", "passed"))
        self.file("student/sitecustomize.py", "raise SystemExit(0)\n")
        self.assertIn("Points 0/5", self.points())

    def test_its_steps_are_those_that_are_tested_here(self) -> None:
        for step in (
            "python3 -I release/graders/classroom/assemble.py student graded",
            './tinykv grade $PARTS --json "$RUNNER_TEMP/points.json"',
            'python3 -I release/graders/classroom/report.py "$RUNNER_TEMP/points.json" $PARTS',
        ):
            self.assertIn(step, self.text)

    def test_it_names_the_release_by_literals_and_runs_nothing_of_the_student(self) -> None:
        lines = [line for line in self.text.splitlines() if not line.lstrip().startswith("#")]
        self.assertEqual(sum("student" in line and "run:" in line for line in lines), 1)
        for context in ("github.event", "secrets.", "vars.", "inputs."):
            self.assertNotIn("{{ " + context, "\n".join(lines))
        self.assertNotIn("pull_request", "\n".join(lines))
        self.assertEqual(self.text.count("persist-credentials: false"), 2)
