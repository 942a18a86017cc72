"""Hand-outs: what is in them, what is not, and when none is written."""
from __future__ import annotations

import contextlib
import io
import subprocess
from pathlib import Path

from tinykv import cli, handout, holes
from tinykv.console import Failure, UsageError
from tinykv.workspace import Workspace, here

from .helpers import ScratchTest

SOLVED = """\
#include "common/your_code_here.h"

int Twice(int x) {
  // >>> SOLUTION 1-twice: add it to itself
  const int the_sum_of_both_of_them = x + x;
  return the_sum_of_both_of_them * Identity(1);
  // <<< SOLUTION
}

int Thrice(int x) {
  // >>> SOLUTION 1-thrice: and once more
  return Twice(x) + x;
  // <<< SOLUTION
}
"""

REFERENCE = {
    "tinykv": "#!/bin/sh\n",
    "README.md": "# For us\n",
    "stage1-standalone/twice.cc": SOLVED,
    "lsm/db.cc": "int Identity(int x) { return x; }\n",
    "docs/instructor.md": "Secrets.\n",
    "docs/book/index.md": "# The book\n",
    "graders/points.toml": "",
    "graders/handout/README.md": "# For you: [the book](docs/book/index.md)\n",
    "graders/handout/classroom.yml": "repository: OWNER/REPOSITORY\nref: '" + "0" * 40 + "'\n",
    "graders/handout/switched_holes.h": "#pragma once\n",
    "graders/mutants/twice.patch": "-  return x + x;\n",
    "tools/tinykv/handout.py": "",
    ".github/workflows/ci.yml": "",
}


class HandoutTest(ScratchTest):
    def setUp(self) -> None:
        super().setUp()
        self.workspace = Workspace(self.root / "reference")
        self.target = self.root / "handout"
        for name, text in REFERENCE.items():
            self.reference(name, text)
        (self.workspace.root / "tinykv").chmod(0o755)

    def reference(self, name: str, text: str) -> None:
        self.file(f"reference/{name}", text)

    def make(self, release: str | None = None) -> str:
        """Makes the hand-out; what was printed."""
        with contextlib.redirect_stdout(io.StringIO()) as text:
            handout.run(self.workspace, self.target, release)
        return text.getvalue()

    def text(self, name: str) -> str:
        return (self.target / name).read_text(encoding="utf-8")

    def assert_refused(self, *findings: str) -> None:
        """No hand-out is written, and the details have these lines."""
        with self.assertRaises(Failure) as caught:
            self.make()
        self.assertEqual(caught.exception.details.splitlines(), list(findings))
        self.assertFalse(self.target.exists())

    def test_all_holes_are_open(self) -> None:
        self.make()
        text = self.text("stage1-standalone/twice.cc")
        self.assertIn('  // TASK 1-twice: add it to itself\n  YourCodeHere("1-twice");\n', text)
        self.assertIn('YourCodeHere("1-thrice");', text)
        self.assertEqual(text, holes.cut(SOLVED))

    def test_it_has_what_students_need_and_nothing_for_instructors(self) -> None:
        self.make()
        found = {str(path.relative_to(self.target)) for path in self.target.rglob("*")}
        files = {name for name in found if (self.target / name).is_file()}
        self.assertEqual(
            files,
            {
                *("HANDOUT", "README.md", "tinykv", "docs/book/index.md", "lsm/db.cc"),
                *("graders/points.toml", "graders/handout-files.txt"),
                *(".github/workflows/classroom.yml", "stage1-standalone/twice.cc"),
            },
        )
        self.assertIn("For you", self.text("README.md"))
        self.assertEqual(self.text("graders/handout-files.txt"), "stage1-standalone/twice.cc\n")

    def test_holes_of_what_is_left_out_do_not_count(self) -> None:
        later = SOLVED.replace("1-twice", "2B-twice").replace("1-thrice", "2B-thrice")
        self.reference("graders/self/later.cc", later)
        self.assertIn(", 2 holes", self.make())
        self.assertFalse((self.target / "graders/self").exists())

    def test_modes_are_kept(self) -> None:
        self.make()
        self.assertEqual((self.target / "tinykv").stat().st_mode & 0o777, 0o755)
        self.assertEqual((self.target / "lsm/db.cc").stat().st_mode & 0o111, 0)

    def test_it_says_what_it_was_made_from(self) -> None:
        def git(*words: str) -> str:
            who = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
            command = ["git", *who, *words]
            return subprocess.run(
                command, cwd=self.workspace.root, check=True, capture_output=True, text=True
            ).stdout.strip()

        self.assertEqual(handout.origin(self.workspace), "made from a tree that has no commit")
        git("init", "-q")
        self.assertEqual(handout.origin(self.workspace), "made from a tree that has no commit")
        git("add", ".")
        git("commit", "-q", "-m", "All")
        commit = git("rev-parse", "HEAD")
        self.assertEqual(handout.origin(self.workspace), f"made from {commit}")
        self.reference("lsm/db.cc", "// other\n")
        self.make()
        self.assertEqual(self.text("HANDOUT"), f"made from {commit} with uncommitted changes\n")

    def test_a_folder_that_is_not_empty_is_left_alone(self) -> None:
        self.target.mkdir()
        self.make()
        with self.assertRaisesRegex(Failure, "is there already"):
            self.make()
        self.file("a-file")
        with self.assertRaisesRegex(Failure, "a new or empty folder"):
            handout.run(self.workspace, self.root / "a-file", None)

    def test_a_malformed_hole_is_named_and_nothing_is_written(self) -> None:
        self.reference("lsm/a.cc", "void F() {\n  // >>> SOLUTION 1-a: hint\n  x();\n}\n")
        self.reference("lsm/b.cc", SOLVED)
        self.assert_refused(
            "lsm/a.cc:2: hole 1-a does not end",
            "stage1-standalone/twice.cc:4: hole 1-twice is at lsm/b.cc:4 too",
            "stage1-standalone/twice.cc:11: hole 1-thrice is at lsm/b.cc:11 too",
        )

    def test_a_solution_that_is_told_elsewhere_is_found(self) -> None:
        told = "So:\n\n    const int the_sum_of_both_of_them =\n x + x;\n"
        self.reference("docs/book/index.md", told)
        self.assert_refused(
            "docs/book/index.md:3: a line of the solution of 1-twice: "
            "const int the_sum_of_both_of_them = x + x;"
        )

    def test_a_link_to_what_is_left_out_is_found(self) -> None:
        self.reference("docs/book/index.md", "See [this](../instructor.md#x), [that](index.md).\n")
        self.assert_refused("docs/book/index.md:1: links to docs/instructor.md, which is left out")

    def test_a_symbolic_link_is_refused(self) -> None:
        (self.workspace.root / "lsm/link.cc").symlink_to("/etc/passwd")
        with self.assertRaisesRegex(Failure, "lsm/link.cc is no plain file"):
            self.make()

    def test_a_release_is_written_into_the_workflow(self) -> None:
        commit = "0123456789abcdef0123456789abcdef01234567"
        self.assertIn("not tied to a release", self.make())
        self.target = self.root / "pinned"
        self.assertNotIn("not tied", self.make(f"course/db@{commit}"))
        self.assertEqual(
            self.text(".github/workflows/classroom.yml"),
            f"repository: course/db\nref: '{commit}'\n",
        )

    def test_a_release_is_named_by_its_full_commit(self) -> None:
        for release in ("course/db", "course/db@v1", "course/db@0123abc", "db@" + "1" * 40):
            with self.assertRaisesRegex(UsageError, "OWNER/REPOSITORY@COMMIT"):
                self.make(release)
        self.assertFalse(self.target.exists())

    def test_what_is_the_same_is_not_written_again(self) -> None:
        tree = handout.plan(handout.read(self.workspace), "made")
        self.assertEqual(handout.write(tree, self.target), len(tree))
        other = handout.switched(handout.read(self.workspace), "made")
        self.assertEqual(handout.write(other, self.target), 2)
        self.assertTrue((self.target / handout.SWITCH).exists())
        text = self.text("stage1-standalone/twice.cc")
        self.assertIn(f'#include "{handout.SWITCH}"\n#include "common/your_code_here.h"\n', text)
        self.assertIn('  SwitchedHole("1-twice");\n', text)
        self.assertIn("  return Twice(x) + x;\n", text)
        self.assertNotIn("SOLUTION", text)


class CommandTest(ScratchTest):
    def help(self) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as text:
            cli.dispatch(self.workspace, ["-h"])
        return text.getvalue()

    def test_a_hand_out_hides_what_is_for_instructors(self) -> None:
        self.assertIn("handout", self.help())
        self.file("HANDOUT")
        self.assertNotIn("handout", self.help())
        self.assertNotIn("Teach", self.help())
        for command in ("handout", "mutants"):
            with self.assertRaisesRegex(UsageError, f"no command '{command}'"):
                cli.dispatch(self.workspace, [command, "x"])

    def test_a_folder_or_a_check_is_needed(self) -> None:
        for words in ([], ["x", "--check"]):
            with self.assertRaisesRegex(UsageError, "either DIR or --check"):
                cli.dispatch(self.workspace, ["handout", *words])


class ThisCourseTest(ScratchTest):
    def test_its_hand_out_can_be_made(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            handout.run(here(), self.root / "handout", "course/db@" + "1" * 40)
        made = self.root / "handout"
        for name in ("README.md", "AGENTS.md", "graders/classroom/assemble.py", "LICENSE"):
            self.assertTrue((made / name).is_file(), name)
        for name in handout.REFERENCE_ONLY:
            self.assertFalse((made / name).exists() and name != "README.md", name)
        said = subprocess.run([made / "tinykv"], capture_output=True, text=True, check=True).stdout
        self.assertIn("grade", said)
        self.assertNotIn("handout", said)
        self.assertEqual(Path(made / "HANDOUT").read_text().count("\n"), 1)
