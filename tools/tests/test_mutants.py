"""Mutants: their form, and what ./tinykv mutants makes of them, on a course of two sums."""
from __future__ import annotations

import contextlib
import difflib
import io
import json
import os
import sys
import threading
import unittest
from pathlib import Path
from unittest import mock

from tinykv import mutant_bench, mutant_files, mutants, verdicts
from tinykv.console import Failure, UsageError
from tinykv.mutants import Wishes
from tinykv.task_process import Ended, Interrupted
from tinykv.workspace import here

from .helpers import ScratchTest

SOURCE = """\
int Twice(int x) {
  return x + x;
}

int Thrice(int x) {
  return Twice(x) + x;
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
id = "1-{id}"
part = "1"
title = "a sum is right"
points = 5
holes = []
limit_seconds = 10
"""

# ./tinykv of the scratch course: a task is wrong if the source lacks its line.
GRADE = f"""#!{sys.executable}
import json, pathlib, sys
words = sys.argv[1:]
options = dict(zip(words[1::2], words[2::2]))
tasks = [word for flag, word in zip(words, words[1:]) if flag == "--only"]
source = pathlib.Path("lsm/sums.cc").read_text()
lines = {{"1-twice": "return x + x;", "1-thrice": "return Twice(x) + x;"}}
def verdict(task):
    if "#error" in source:
        return "not built", "grade-1 could not be built: lsm/sums.cc:2: error: no", None
    if "exit(0)" in source:
        return "not run", "It was to run seed 1, and reports other ones.", None
    if lines[task] not in source:
        return "wrong", f"{{task}}: 1 and 1 is 3.", int(options.get("--seeds", 7))
    return "passed", "", None
print("grading", tasks)
report = []
for task in tasks:
    kind, sentence, seed = verdict(task)
    report.append(
        {{"task": task, "verdict": kind, "seed": seed, "seconds": 0.5, "sentence": sentence}}
    )
pathlib.Path(options["--json"]).write_text(json.dumps({{"tasks": report}}))
sys.exit(any(task["verdict"] != "passed" for task in report))
"""

# cmake of the scratch course: a program of it is a copy of the file that has its name.
CMAKE = f"""#!{sys.executable}
import os, pathlib, shutil, sys
words = sys.argv[1:]
if "--fresh" in words:
    build = pathlib.Path("build/release")
    build.mkdir(parents=True)
    (build / "CMakeCache.txt").write_text(f"CMAKE_HOME_DIRECTORY:INTERNAL={{os.getcwd()}}\\n")
    sys.exit()
build = pathlib.Path(words[words.index("--build") + 1])
(build / "bin").mkdir(exist_ok=True)
for target in words[words.index("--target") + 1 :]:
    source = pathlib.Path("lsm", f"{{target}}.py")
    if source.exists():
        if "#error" in source.read_text():
            sys.exit(print(f"{{source.resolve()}}:3:1: error: that is wrong") or 1)
        shutil.copy(source, build / "bin" / target)
        (build / "bin" / target).chmod(0o755)
"""

# A program that behaves as GoogleTest's do.
TEST = f"""#!{sys.executable}
import os, pathlib, signal
SUM = 2
print("[ RUN      ] Sum.IsRight", flush=True)
if SUM == 0:
    os.kill(os.getpid(), signal.SIGSEGV)
text = f"a.cc:7&#x0A;Failed&#x0A;expected 2, found {{SUM}} with {{os.environ['RC_PARAMS']}}"
trouble = "" if SUM == 2 else f'<failure message="{{text}}"></failure>'
report = f'<s><testcase classname="Sum" name="IsRight" status="run">{{trouble}}</testcase></s>'
folder = os.environ["GTEST_OUTPUT"].removeprefix("xml:")
pathlib.Path(folder, "sum_test.xml").write_text(report)
raise SystemExit(SUM != 2)
"""


def patch(before: str, after: str, name: str = "lsm/sums.cc", source: str = SOURCE) -> str:
    """A diff that replaces one line."""
    lines = source.splitlines(keepends=True)
    changed = [f"{after}\n" if line == f"{before}\n" else line for line in lines]
    diff = difflib.unified_diff(lines, changed, f"a/{name}", f"b/{name}")
    return f"diff --git a/{name} b/{name}\n{''.join(diff)}"


TWICE = patch("  return x + x;", "  return x * x;")
THRICE = patch("  return Twice(x) + x;", "  return Twice(x);")


class MutantsTest(ScratchTest):
    def setUp(self) -> None:
        super().setUp()
        self.file("lsm/sums.cc", SOURCE)
        self.file("lsm/sum_test.py", TEST)
        self.file("lsm/CMakeLists.txt", "tinykv_test(sum_test\n  SOURCES sum_test.cc)\n")
        self.file(".gitignore", "build/\n")
        self.file("CMakePresets.json", "{}")
        tasks = [TASK.format(id=id_) for id_ in ("twice", "thrice")]
        self.file("graders/points.toml", POINTS + "".join(tasks))
        self.file("tinykv", GRADE).chmod(0o755)
        self.program("cmake", CMAKE)
        self.tree = self.root / "build/mutants/1"

    def mutant(self, id_: str, head: str, diff: str) -> Path:
        return self.file(f"graders/mutants/{id_}.patch", f"Bug: sums are off\n{head}\n\n{diff}")

    def run_all(self, *ids: str, **wishes) -> tuple[int, str, list[dict]]:
        """Runs the command; its status, what it prints and what it writes."""
        report = self.root / "build" / "report.json"
        report.parent.mkdir(exist_ok=True)
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        with contextlib.ExitStack() as patches:
            patches.enter_context(mock.patch("tinykv.setup.ensure"))
            patches.enter_context(mock.patch.dict(os.environ, {"PATH": path}))
            os.environ.pop("RC_PARAMS", None)
            text = patches.enter_context(contextlib.redirect_stdout(io.StringIO()))
            code = mutants.run(self.workspace, Wishes(ids, json=report, **wishes))
        return code, text.getvalue(), json.loads(report.read_text())["mutants"]

    def run_one(self, head: str, diff: str, **wishes) -> tuple[int, str, dict]:
        self.mutant("S01", head, diff)
        code, text, found = self.run_all(**wishes)
        self.assertEqual([one["id"] for one in found], ["S01"])
        return code, text, found[0]


class VerdictTest(MutantsTest):
    def test_a_mutant_is_killed_by_the_task_that_it_names(self) -> None:
        code, text, found = self.run_one("Tasks: 1-twice", TWICE)
        self.assertEqual(code, 0, text)
        expected = {
            "id": "S01",
            "verdict": "killed",
            "task": "1-twice",
            "how": "wrong",
            "seed": 7,
            "seconds": 0.5,
            "sentence": "1-twice: 1 and 1 is 3.",
            "bug": "sums are off",
            "expected": True,
            "also": [],
        }
        self.assertEqual(found, expected)
        self.assertIn("S01: killed by 1-twice (wrong) at seed 7 after 0.50 s\n", text)
        self.assertIn("S01  killed   1-twice     7     0.50  sums are off\n", text)
        self.assertTrue(text.endswith("\n1 of 1 mutants killed\n"), text)

    def test_a_task_that_nobody_expected_may_kill_it(self) -> None:
        code, text, found = self.run_one("Tasks: 1-thrice", TWICE)
        self.assertEqual((code, found["task"], found["expected"]), (0, "1-twice", False))
        self.assertIn("which nobody expected", text)
        self.assertIn("1-twice ?", text)

    def test_what_no_task_sees_survives(self) -> None:
        harmless = patch("int Thrice(int x) {", "int Thrice(int x) {  // fine")
        code, text, found = self.run_one("Tasks: 1-thrice", harmless)
        self.assertEqual((code, found["verdict"], found["task"]), (1, "survived", None))
        self.assertEqual(found["seconds"], 1.0)
        self.assertIn("\n0 of 1 mutants killed\n", text)

    def test_a_task_that_did_not_run_kills_nothing(self) -> None:
        _, _, found = self.run_one("Tasks: 1-twice", patch("  return x + x;", "  exit(0);"))
        self.assertEqual((found["verdict"], found["task"]), ("survived", None))
        self.assertIn("1-twice is not run. It was to run seed 1", found["sentence"])

    def test_what_does_not_compile_does_not_apply(self) -> None:
        code, _, found = self.run_one("Tasks: 1-twice", patch("  return x + x;", "#error"))
        self.assertEqual((code, found["verdict"]), (1, "does_not_apply"))
        self.assertIn("lsm/sums.cc:2: error: no", found["sentence"])

    def test_a_patch_must_fit_exactly(self) -> None:
        other = TWICE.replace(" int Twice", " int Double")
        code, _, found = self.run_one("Tasks: 1-twice", other)
        self.assertEqual((code, found["verdict"], found["task"]), (1, "does_not_apply", None))
        self.assertIn("patch failed: lsm/sums.cc:1", found["sentence"])

    def test_seeds_are_handed_on(self) -> None:
        _, _, found = self.run_one("Tasks: 1-twice", TWICE, seeds=9)
        self.assertEqual(found["seed"], 9)

    def test_a_reference_that_does_not_pass_proves_nothing(self) -> None:
        self.file("lsm/sums.cc", SOURCE.replace("x + x", "x - x"))
        self.mutant("S01", "Tasks: 1-thrice", THRICE)
        with self.assertRaisesRegex(Failure, "without bugs does not pass; see .*") as caught:
            self.run_all()
        self.assertEqual(caught.exception.details, "1-twice: wrong: 1-twice: 1 and 1 is 3.")

    def test_two_at_a_time_are_listed_in_order(self) -> None:
        self.mutant("S03", "Tasks: 1-twice 1-thrice", TWICE)
        self.mutant("S01", "Tasks: 1-thrice", THRICE)
        self.file("graders/mutants/pairs.txt", "# both\nS01+S03  # at once\n")
        code, text, found = self.run_all(jobs=2)
        self.assertEqual(code, 0, text)
        names = [(one["id"], one["task"], one["also"]) for one in found]
        expected = [
            ("S01", "1-thrice", []),
            ("S03", "1-twice", []),
            ("S01+S03", "1-thrice", ["1-twice"]),
        ]
        self.assertEqual(names, expected)
        self.assertTrue((self.root / "build/mutants/2/lsm").exists())

    def test_some_are_chosen(self) -> None:
        self.mutant("S03", "Tasks: 1-twice", TWICE)
        self.mutant("S01", "Tasks: 1-thrice", THRICE)
        self.assertEqual([one["id"] for one in self.run_all("S03")[2]], ["S03"])
        self.assertEqual([one["id"] for one in self.run_all("S03+S01")[2]], ["S03+S01"])
        with self.assertRaisesRegex(UsageError, "no mutant 'S30'; did you mean 'S03'?"):
            self.run_all("S30")
        with self.assertRaisesRegex(UsageError, "no mutant 'S02'"):
            self.run_all("S03+S02")

    def test_where_there_are_none_that_is_said(self) -> None:
        with self.assertRaisesRegex(Failure, "there are no mutants in graders/mutants"):
            self.run_all()

    def test_one_run_at_a_time(self) -> None:
        self.mutant("S01", "Tasks: 1-thrice", THRICE)
        with mutants.alone(self.workspace):
            with self.assertRaisesRegex(Failure, "another ./tinykv mutants is at work"):
                self.run_all()


class TestProgramTest(MutantsTest):
    def sum_is(self, number: int | str) -> str:
        return patch("SUM = 2", f"SUM = {number}", "lsm/sum_test.py", TEST)

    def test_a_case_that_fails_kills(self) -> None:
        code, text, found = self.run_one("Tests: sum_test", self.sum_is(3))
        self.assertEqual((code, found["task"]), (0, "sum_test: Sum.IsRight"), text)
        self.assertEqual((found["how"], found["seed"]), ("wrong", None))
        sentence = "expected 2, found 3 with seed=1 max_success=300"
        self.assertEqual(found["sentence"], sentence)
        _, _, found = self.run_one("Tests: sum_test", self.sum_is(3), seeds=9)
        self.assertTrue(found["sentence"].endswith("max_success=9"))

    def test_a_crash_kills(self) -> None:
        code, _, found = self.run_one("Tests: sum_test", self.sum_is(0))
        self.assertEqual((code, found["task"]), (0, "sum_test: Sum.IsRight"))
        self.assertEqual(found["how"], "crashed")
        self.assertIn("SIGSEGV", found["sentence"])

    def test_the_sentence_of_a_property_is_why_it_fails(self) -> None:
        property_ = "gtest.h:29\nFailed\nFalsifiable after 5 tests\n\nProgram:\n  0. flush\n\n\n"
        why = "../a.cc:34:\nRC_FAIL(failure)\n\nexpected 1, found 2\nthe last operations:\n"
        sentence = mutant_bench.sentence_of(property_ + why)
        self.assertEqual(sentence, "expected 1, found 2 (Falsifiable after 5 tests)")
        cut_off = mutant_bench.sentence_of(property_ + "… and 30 lines more")
        self.assertTrue(cut_off.startswith("Falsifiable after 5 tests Program: 0. flush"))

    def test_a_program_that_passes_does_not_kill(self) -> None:
        code, _, found = self.run_one("Tests: sum_test", self.sum_is("1 + 1"))
        self.assertEqual((code, found["verdict"]), (1, "survived"))

    def test_a_program_that_does_not_compile_does_not_kill(self) -> None:
        code, _, found = self.run_one("Tests: sum_test", self.sum_is("#error"))
        self.assertEqual((code, found["verdict"]), (1, "does_not_apply"))
        self.assertEqual(
            found["sentence"],
            "sum_test could not be built: lsm/sum_test.py:3:1: error: that is wrong",
        )

    def test_a_program_that_does_not_end_is_too_slow(self) -> None:
        begun = "[ RUN      ] Sum.IsFast\n[       OK ] Sum.IsFast\n[ RUN      ] Sum.Ends\n"
        ended = Ended(-6, True, 300.0, 1.0, b"", begun, "")
        found = mutant_bench.found_of_test("sum_test", ended, self.root, self.root)
        self.assertEqual((found.task, found.verdict), ("sum_test: Sum.Ends", verdicts.TOO_SLOW))
        self.assertTrue(found.is_kill)

    def test_a_program_that_cannot_be_started_has_not_run(self) -> None:
        ended = Ended(127, False, 0.0, 1.0, b"", "", "env: no such file\n")
        found = mutant_bench.found_of_test("sum_test", ended, self.root, self.root)
        self.assertEqual((found.verdict, found.is_kill), (verdicts.NOT_RUN, False))

    def test_a_program_without_a_report_has_not_passed(self) -> None:
        ended = Ended(0, False, 0.0, 1.0, b"", "[ RUN      ] Sum.IsRight\n", "")
        found = mutant_bench.found_of_test("sum_test", ended, self.root, self.root)
        self.assertEqual(found.verdict, verdicts.CRASHED)


class TreeTest(MutantsTest):
    def test_the_tree_is_the_reference_again_and_keeps_its_times(self) -> None:
        new = "diff --git a/lsm/new.h b/lsm/new.h\nnew file mode 100644\n--- /dev/null\n"
        new += "+++ b/lsm/new.h\n@@ -0,0 +1 @@\n+int x;\n"
        self.run_one("Tasks: 1-twice", TWICE + new)
        self.assertEqual((self.tree / "lsm/sums.cc").read_text(), SOURCE)
        self.assertFalse((self.tree / "lsm/new.h").exists())
        self.assertFalse((self.tree / "graders/mutants").exists())
        untouched = (self.tree / "lsm/CMakeLists.txt").stat().st_mtime_ns
        self.run_one("Tasks: 1-twice", TWICE)
        self.assertEqual((self.tree / "lsm/CMakeLists.txt").stat().st_mtime_ns, untouched)

    def test_what_an_interrupted_run_left_is_mended(self) -> None:
        self.run_one("Tasks: 1-twice", TWICE)
        (self.tree / "lsm/sums.cc").write_text("half a mut")
        (self.tree / "lsm/rest.cc").write_text("")
        self.assertEqual(self.run_one("Tasks: 1-twice", TWICE)[0], 0)
        self.assertFalse((self.tree / "lsm/rest.cc").exists())

    def test_a_run_that_is_called_off_ends_its_programs(self) -> None:
        stop = threading.Event()
        threading.Timer(0.3, stop.set).start()
        bench = mutant_bench.Bench(self.root, {}, self.root, stop)
        reading, writing = os.pipe()  # at its end once nobody has it open for writing
        pipe = f"/proc/{os.getpid()}/fd/{writing}"
        with self.assertRaises(Interrupted):
            bench._call("x", ["sh", "-c", f"sleep 60 > {pipe} & wait"])
        os.close(writing)
        with open(reading, "rb") as end:
            self.assertEqual(end.read(), b"")

    def test_a_patch_applies_below_another_repository(self) -> None:
        (self.root / ".git").mkdir()
        self.file(".git/HEAD", "ref: refs/heads/main\n")
        self.file(".git/objects/x")
        self.file(".git/refs/x")
        tree = self.file("build/tree/lsm/sums.cc", SOURCE).parents[1]
        with mock.patch.dict(os.environ, {"GIT_DIR": str(self.root / ".git")}):
            self.assertIsNone(mutant_files.apply(tree, TWICE))
        self.assertIn("x * x", (tree / "lsm/sums.cc").read_text())
        self.assertEqual((self.root / "lsm/sums.cc").read_text(), SOURCE)


class FormTest(MutantsTest):
    def findings(
        self, head: str = "Tasks: 1-twice", diff: str = TWICE, id_: str = "S01"
    ) -> list[str]:
        self.mutant(id_, head, diff)
        return mutant_files.findings(self.workspace)

    def test_a_good_one_is_good(self) -> None:
        self.assertEqual(mutant_files.findings(self.workspace), [])
        self.assertEqual(self.findings("Tasks: 1-twice 1-thrice\nTests: sum_test\nand so on"), [])

    def test_a_head_says_what_and_by_whom(self) -> None:
        where = "graders/mutants/S01.patch: "
        neither = "names neither 'Tasks: …' nor 'Tests: …' that must kill it"
        self.assertEqual(self.findings("Task: 1-twice"), [where + neither])
        self.assertEqual(self.findings("Tasks:"), [where + neither])
        twice = "Tasks: 1-twice\nTasks: 1-thrice"
        self.assertEqual(self.findings(twice), [where + "has two lines 'Tasks:'"])
        no_diff = where + "has no 'diff --git a/… b/…', as git diff makes it"
        self.assertEqual(self.findings(diff="--- a/x\n"), [no_diff])
        self.file("graders/mutants/S01.patch", f"Tasks: 1-twice\n\n{TWICE}")
        first = [where + "its first line is not 'Bug: …'"]
        self.assertEqual(mutant_files.findings(self.workspace), first)
        with self.assertRaisesRegex(Failure, "its first line"):
            self.run_all()

    def test_a_name_is_an_id(self) -> None:
        found = self.findings(id_="sums")
        self.assertEqual(found, ["graders/mutants/sums.patch: its name is no ID, as S03 or S03b"])

    def test_what_it_names_exists(self) -> None:
        found = self.findings("Tasks: 1-twise\nTests: some_test")
        self.assertIn("no task '1-twise'; did you mean '1-twice'? (see ", found[0])
        self.assertIn("no test program 'some_test'; did you mean 'sum_test'?", found[1])
        with self.assertRaisesRegex(Failure, "mutant S01: no task '1-twise'"):
            self.run_all()

    def test_it_applies_and_leaves_the_graders_alone(self) -> None:
        found = self.findings(diff=TWICE.replace("x + x", "x - x"))
        self.assertIn("does not apply: error: patch failed: lsm/sums.cc:1", found[0])
        self.file("graders/a.cc", SOURCE)
        found = self.findings(diff=TWICE.replace("lsm/sums.cc", "graders/a.cc"))
        self.assertEqual(len(found), 1)
        self.assertIn("changes graders/a.cc; a mutant changes what is graded", found[0])

    def test_pairs_are_pairs_that_apply(self) -> None:
        self.mutant("S02", "Tasks: 1-twice", TWICE)
        self.file("graders/mutants/pairs.txt", "S01\nS01+S03\nS01+S02\n")
        found = self.findings(diff=THRICE)
        self.assertEqual(
            found,
            [
                "graders/mutants/pairs.txt: 'S01' is no pair A+B",
                "graders/mutants/pairs.txt: S01+S03: no mutant S03; did you mean 'S02'?",
            ],
        )
        self.file("graders/mutants/pairs.txt", "S01+S02\n")
        found = self.findings(diff=TWICE)
        self.assertIn("pairs.txt: S01+S02 does not apply: error: ", found[0])


class CommittedMutantsTest(unittest.TestCase):
    def test_they_are_well_formed_and_apply(self) -> None:
        findings = mutant_files.findings(here())
        self.assertEqual(findings, [], "\n".join(findings))
