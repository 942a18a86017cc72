"""The drawing of holes and tasks."""
from __future__ import annotations

import unittest

from tinykv import task_graph
from tinykv.points import Task


def task(name: str, *needed: str, part: str = "1") -> Task:
    return Task(name, part, "title", 5, needed, 60)


TASKS = [task("1-a", "1-a"), task("1-ab", "1-a", "1-b"), task("1-all", "1-a", "1-b", "1-c")]
GRAPH = """\
flowchart LR
  subgraph holes ["holes: what you write"]
    hole_1_a["1-a"]
    hole_1_b["1-b"]
    hole_1_c["1-c"]
  end
  subgraph tasks ["tasks: what is graded"]
    task_1_a["1-a: 5"]
    task_1_ab["1-ab: 5"]
    whole["1-all: 5"]
  end
  hole_1_a --> task_1_a
  hole_1_a --> task_1_ab
  hole_1_b --> task_1_ab
  holes ==>|"all three"| whole"""
CHAPTER = f"# Stage\n\n{task_graph.BEGIN}\nold\n{task_graph.END}\n\nMore.\n"


class TaskGraphTest(unittest.TestCase):
    def test_an_arrow_says_what_a_task_needs(self) -> None:
        self.assertEqual(task_graph.mermaid(TASKS), GRAPH)

    def test_few_holes_are_drawn_one_by_one(self) -> None:
        self.assertIn("hole_1_b --> task_1_ab", task_graph.mermaid(TASKS[:2]))
        self.assertNotIn("whole", task_graph.mermaid(TASKS[:2]))

    def test_a_later_part_draws_only_its_own_holes(self) -> None:
        before = [task("2a-x", "2A-a", part="2a")]
        own = ("2B-a", "2B-b", "2B-c")
        later = [task("2b-y", "2B-a", part="2b"), task("2b-all", "2A-a", *own, part="2b")]
        drawn = task_graph.mermaid(before + later)
        self.assertEqual(drawn.count('["2A-a"]'), 1)
        self.assertIn('subgraph holes_2b ["part 2b, holes: what you write"]', drawn)
        self.assertIn("  hole_2B_a --> task_2b_y\n", drawn)
        self.assertTrue(
            drawn.endswith('  holes_2b ==>|"all three"| whole_2b\n  holes_2a ==> whole_2b')
        )

    def test_a_stage_has_the_tasks_of_its_parts(self) -> None:
        tasks = [task("1-a", "1-a"), task("2A-a", "2A-a", part="2A"), task("2B-a", part="2B")]
        self.assertEqual(
            {name: len(found) for name, found in task_graph.by_chapter(tasks).items()},
            {"docs/book/stage1/index.md": 1, "docs/book/stage2/index.md": 2},
        )

    def test_a_drawing_goes_between_the_marks(self) -> None:
        drawn = task_graph.drawn(CHAPTER, GRAPH)
        self.assertIn(f"{task_graph.BEGIN}\n\n```mermaid\n{GRAPH}\n```\n\n{task_graph.END}", drawn)
        self.assertTrue(drawn.startswith("# Stage\n") and drawn.endswith("\n\nMore.\n"))
        self.assertEqual(task_graph.drawn(drawn, GRAPH), drawn)
        self.assertIsNone(task_graph.drawn("# Stage\n", GRAPH))

    def test_a_drawing_that_is_not_the_manifests_is_found(self) -> None:
        def findings(text: str | None) -> list[str]:
            return list(task_graph.findings({"docs/book/stage1/index.md": text}, TASKS))

        self.assertEqual(findings(task_graph.drawn(CHAPTER, GRAPH)), [])
        self.assertIn("docs/book/stage1/index.md:3: not the graph", findings(CHAPTER)[0])
        self.assertIn("has no drawing", findings("# Stage\n")[0])
        self.assertIn("no such chapter", findings(None)[0])
