"""Finding pieces of solutions where they should not be."""
from __future__ import annotations

import unittest

from tinykv import leaks
from tinykv.leaks import Solution

TWO = Solution(
    "1-two", ["  WriteSet writes_of_the_student;", "  co_return;", "  Commit(writes_of_the_student);"]
)
ONE = Solution("1-one", ["  return engine_.Get(snapshot_.get(), key);"])


class SolutionsTest(unittest.TestCase):
    def places(self, solution: Solution, **texts: str) -> list[str]:
        """The places that are found; names are given with _ for a dot."""
        named = {name.replace("_", "."): text for name, text in texts.items()}
        return [finding.split(": ")[0] for finding in leaks.solutions(named, [solution])]

    def test_the_only_line_of_a_hole_is_found_anywhere(self) -> None:
        line = "return engine_.Get(snapshot_.get(), key);"
        self.assertEqual(self.places(ONE, a_md=f"x\ny {line}"), ["a.md:2"])
        self.assertEqual(self.places(ONE, a_cc=line), ["a.cc:1"])
        self.assertEqual(self.places(ONE, a_py=f"'{line}'"), ["a.py:1"])

    def test_it_is_found_when_it_is_broken_or_indented_otherwise(self) -> None:
        broken = "return\n      engine_.Get(snapshot_.get(),\n key);"
        self.assertEqual(self.places(ONE, a_h="\n" + broken), ["a.h:2"])

    def test_one_of_two_lines_is_an_idiom_in_code(self) -> None:
        one, other = TWO.lines[0], TWO.lines[2]
        self.assertEqual(self.places(TWO, a_cc=one), [])
        self.assertEqual(self.places(TWO, a_cc=one * 2), [])
        self.assertEqual(self.places(TWO, a_cc=one, b_cc=other), [])
        self.assertEqual(self.places(TWO, a_cc=f"{one}\nx;\n{other}"), ["a.cc:3", "a.cc:1"])

    def test_text_quotes_a_line_only_if_given_code_has_it(self) -> None:
        line = TWO.lines[0]
        self.assertEqual(self.places(TWO, a_md=line), ["a.md:1"])
        self.assertEqual(self.places(TWO, a_md=line, b_cc=line), [])

    def test_short_lines_say_nothing(self) -> None:
        self.assertEqual(self.places(TWO, a_md="  co_return;"), [])


class MarksTest(unittest.TestCase):
    def test_a_mark_is_found_in_code_and_in_text(self) -> None:
        begin, end = "  // >>> SOLUTION 1-a: hint", "  // <<< SOLUTION\n"
        for name in ("a.cc", "a.md"):
            for mark in (begin, end):
                found = list(leaks.marks({name: f"\n{mark}"}))
                self.assertEqual(found, [f"{name}:2: the mark of a solution"])

    def test_the_script_may_speak_of_marks(self) -> None:
        text = {"tools/tinykv/holes.py": "    // <<< SOLUTION\n", "a.md": "The SOLUTION is 42.\n"}
        self.assertEqual(list(leaks.marks(text)), [])


class LinksTest(unittest.TestCase):
    def test_links_to_files_and_folders_that_are_left_out(self) -> None:
        text = "[a](../secret.md) [b](../mutants/)\n[c](x.md#y) [d](https://e.f/secret.md) [e](../n)"
        found = leaks.dead_links(
            {"docs/x.md": text}, ["secret.md", "mutants/one.patch", "docs/x.md"]
        )
        self.assertEqual(
            list(found),
            [
                "docs/x.md:1: links to secret.md, which is left out",
                "docs/x.md:1: links to mutants, which is left out",
            ],
        )
