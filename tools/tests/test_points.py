"""The manifest of tasks: what is read, and the one line that each mistake gets."""
from __future__ import annotations

import subprocess

from tinykv import points
from tinykv.console import Failure, UsageError
from tinykv.workspace import here

from .helpers import ScratchTest

PART = """
[[part]]
id = "1"
title = "Storage"
program = "grade-1"
"""
TASK = """
[[task]]
id = "1-get"
part = "1"
title = "gets"
points = 8
holes = ["1-get", "1-put"]
seeds = 20
limit_seconds = 1.5
"""
OTHER = TASK.replace('"1-get"', '"1-put"', 1).replace("seeds = 20\n", "")
SOLUTION = "  // >>> SOLUTION {}: hint\n  Work();\n  // <<< SOLUTION\n"


class ManifestTest(ScratchTest):
    def test_parts_and_tasks_are_read_in_order(self) -> None:
        manifest = points.manifest_of(PART + TASK + OTHER)
        self.assertEqual(manifest.parts, (points.Part("1", "Storage", "grade-1"),))
        first, second = manifest.tasks
        self.assertEqual((first.id, first.points, first.seeds), ("1-get", 8, 20))
        self.assertEqual((first.holes, first.limit_seconds), (("1-get", "1-put"), 1.5))
        self.assertEqual((second.id, second.seeds), ("1-put", None))
        self.assertEqual(manifest.tasks_of("grade-1"), ["1-get", "1-put"])

    def test_each_mistake_is_named(self) -> None:
        for wrong, complaint in {
            PART + TASK + "[[tasks]]": "unknown key 'tasks'; did you mean 'task'?",
            PART: "has no [[task]]",
            TASK: "has no [[part]]",
            PART + PART + TASK: "two parts are called 1",
            PART + TASK + TASK: "two tasks are called 1-get",
            PART + TASK.replace('part = "1"', 'part = "2"'): "task 1-get is of part '2'",
            PART + PART.replace('"1"', '"2"') + TASK: "part 2 has no task",
            PART + TASK + "sedes = 3": "1-get has an unknown key 'sedes'; did you mean 'seeds'?",
            PART + TASK.replace("points = 8\n", ""): "task 1-get has no 'points'",
            PART + TASK.replace("8", '"8"'): "task 1-get: 'points' is to be a whole number",
            PART + TASK.replace("8", "true"): "'points' is to be a whole number",
            PART + TASK.replace("8", "-8"): "'points' is negative",
            PART + TASK.replace("20", "0"): "'seeds' is to be positive",
            PART + TASK.replace("1.5", "0"): "'limit_seconds' is to be positive",
            PART + TASK.replace("1.5", "[]"): "'limit_seconds' is to be a number",
            PART + TASK.replace('["1-get", "1-put"]', "[1]"): "'holes' is to be a list of texts",
            PART.replace("grade-1", "") + TASK: "part 1: 'program' is empty",
            PART + TASK.replace('id = "1-get"', ""): "a task has no 'id'",
        }.items():
            with self.subTest(complaint), self.assertRaises(ValueError) as caught:
                points.manifest_of(wrong)
            self.assertIn(complaint, str(caught.exception))

    def test_a_manifest_that_is_missing_or_no_toml_is_a_failure_of_one_line(self) -> None:
        with self.assertRaisesRegex(Failure, "points.toml is missing"):
            points.load(self.workspace)
        self.file(points.MANIFEST, "[[part\n")
        with self.assertRaisesRegex(Failure, r"points.toml: .*line 1"):
            points.load(self.workspace)

    def test_tasks_are_chosen_by_part_and_name(self) -> None:
        second = PART.replace('"1"', '"2"') + OTHER.replace('part = "1"', 'part = "2"')
        manifest = points.manifest_of(PART + second.replace("1-put", "2-vote", 1) + TASK)

        def chosen(parts: list[str], only: list[str]) -> list[str]:
            return [task.id for task in manifest.chosen(parts, only)]

        self.assertEqual(chosen([], []), ["2-vote", "1-get"])
        self.assertEqual(chosen(["1"], []), ["1-get"])
        self.assertEqual(chosen([], ["1-get", "2-vote"]), ["2-vote", "1-get"])
        for parts, only, complaint in (
            (["3"], [], "no part '3' .there is 1, 2"),
            ([], ["1-gte"], "no task '1-gte'; did you mean '1-get'?"),
            (["1"], ["2-vote"], "no task '2-vote' in part 1"),
        ):
            with self.assertRaisesRegex(UsageError, complaint):
                chosen(parts, only)

    def test_the_manifest_of_this_checkout_is_right(self) -> None:
        manifest = points.load(here())
        points.check_holes(here(), manifest)
        for part in manifest.parts:
            tasks = [task for task in manifest.tasks if task.part == part.id]
            self.assertEqual(sum(task.points for task in tasks), 100, f"points of part {part.id}")


class HolesTest(ScratchTest):
    def setUp(self) -> None:
        super().setUp()
        self.manifest = points.manifest_of(PART + TASK)

    def check(self) -> None:
        points.check_holes(self.workspace, self.manifest)

    def test_a_hole_that_no_source_has_is_a_failure(self) -> None:
        self.file("a.cc", SOLUTION.format("1-get") + "// YourCodeHere(\"1-put\"); is no hole\n")
        with self.assertRaisesRegex(Failure, "task 1-get names the hole 1-put"):
            self.check()
        self.file("b.cc", '  YourCodeHere("1-put");\n')
        self.check()

    def test_a_students_tree_may_have_filled_them(self) -> None:
        self.file("HANDOUT", "made from a test")
        self.check()

    def test_the_first_open_hole_is_that_of_the_first_task(self) -> None:
        self.assertIsNone(points.first_open_hole(self.workspace, self.manifest.tasks))
        self.file("a.cc", 'int a;\n  YourCodeHere("1-put");\n')
        self.file("graders/b.cc", '  YourCodeHere("1-get");\n')
        self.file("a_test.cc", '  YourCodeHere("1-get");\n')
        found = points.first_open_hole(self.workspace, self.manifest.tasks)
        self.assertEqual(found, points.OpenHole("1-put", "a.cc", 2))
        self.file("z.cc", '  YourCodeHere("1-get");\n')
        found = points.first_open_hole(self.workspace, self.manifest.tasks)
        self.assertEqual(found, points.OpenHole("1-get", "z.cc", 1))

    def test_what_git_ignores_is_no_source(self) -> None:
        subprocess.run(["git", "init", "-q"], cwd=self.root, check=True)
        self.file(".gitignore", "old/\n")
        self.file("old/a.cc", '  YourCodeHere("1-get");\n')
        self.assertIsNone(points.first_open_hole(self.workspace, self.manifest.tasks))
