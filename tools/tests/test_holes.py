"""Holes: what is one, what is none, and what the hand-out has in its place."""
from __future__ import annotations

import unittest

from tinykv import holes

GOOD = """\
int Twice(int x) {
  // >>> SOLUTION 1-twice: add it to itself
  const int y = x;  // }
  return x + y;
  // <<< SOLUTION
}

void Log(const char* text) {
  if (text != nullptr) {
    // >>> SOLUTION 2A-log-it: print it
    Print(text);
    // <<< SOLUTION
  }
}
"""

CUT = """\
int Twice(int x) {
  // TASK 1-twice: add it to itself
  YourCodeHere("1-twice");
}

void Log(const char* text) {
  if (text != nullptr) {
    // TASK 2A-log-it: print it
    YourCodeHere("2A-log-it");
  }
}
"""


def in_function(*lines: str) -> str:
    return "void F() {\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def region(*lines: str, begin: str = "// >>> SOLUTION 1-a: hint") -> str:
    return in_function(begin, *lines, "// <<< SOLUTION")


class HolesTest(unittest.TestCase):
    def complaint(self, text: str) -> str:
        found, (wrong,) = holes.find(text)
        self.assertEqual(found, [])
        return f"{wrong.line}: {wrong.message}"

    def test_finds_holes_in_order(self) -> None:
        found, wrong = holes.find(GOOD)
        self.assertEqual(wrong, [])
        self.assertEqual([hole.id for hole in found], ["1-twice", "2A-log-it"])
        self.assertEqual((found[0].first_line, found[0].last_line), (2, 5))
        self.assertEqual(found[1].hint, "print it")

    def test_cuts_all(self) -> None:
        self.assertEqual(holes.cut(GOOD), CUT)

    def test_puts_a_switch_before_each_solution(self) -> None:
        text = holes.switched(GOOD)
        self.assertIn('  SwitchedHole("1-twice");\n  const int y = x;  // }\n', text)
        self.assertIn('    SwitchedHole("2A-log-it");\n    Print(text);\n  }\n', text)
        self.assertNotIn("SOLUTION", text)

    def test_a_file_without_holes_stays(self) -> None:
        text = "void F() {}\n// The solution is simple.\n"
        self.assertEqual(holes.find(text), ([], []))
        self.assertEqual(holes.cut(text), text)
        self.assertEqual(holes.switched(text), text)

    def test_a_hole_may_not_nest_or_stay_open(self) -> None:
        nested = region("x();", "// >>> SOLUTION 1-b: hint", "y();")
        _, wrong = holes.find(nested)
        self.assertEqual(wrong[0], holes.Malformed(4, "hole 1-b begins inside hole 1-a"))
        self.assertEqual(
            self.complaint(in_function("// >>> SOLUTION 1-a: hint", "x();")),
            "2: hole 1-a does not end",
        )
        self.assertEqual(
            self.complaint(in_function("// <<< SOLUTION")), "2: a hole ends that did not begin"
        )

    def test_a_mark_has_one_form(self) -> None:
        for mark in (
            "// >>> SOLUTION 1-a",
            "// >>> solution 1-a: hint",
            "// >>> SOLUTION 1-a: ",
            "// >>SOLUTION 1-a: hint",
            "x();  // >>> SOLUTION 1-a: hint",
            "//<<< SOLUTION",
            "// <<< SOLUTION 1-a",
        ):
            with self.subTest(mark):
                self.assertIn("a mark is", self.complaint(in_function(mark)))

    def test_a_hole_has_a_name_of_its_part(self) -> None:
        for name in ("vote", "5-vote", "2a-vote", "2A-Vote", "2A-", "2D-vote", "2A-vote_it"):
            with self.subTest(name):
                text = region("x();", begin=f"// >>> SOLUTION {name}: hint")
                self.assertIn("needs a name", self.complaint(text))

    def test_a_hole_has_at_most_60_lines(self) -> None:
        self.assertEqual(len(holes.find(region(*["x();"] * 60))[0]), 1)
        self.assertEqual(
            self.complaint(region(*["x();"] * 61)), "2: hole 1-a has 61 lines; at most 60"
        )

    def test_a_hole_is_whole_statements(self) -> None:
        for lines in (
            ["if (x) {", "y();"],
            ["}", "void G() {"],
            ["x(1,"],
            ["x() +"],
            ["if (x)"],
        ):
            with self.subTest(lines):
                self.assertIn("whole statements", self.complaint(region(*lines)))

    def test_a_hole_has_code(self) -> None:
        self.assertIn("has no code", self.complaint(region()))
        self.assertIn("has no code", self.complaint(region("// nothing")))

    def test_a_hole_has_no_preprocessor_lines(self) -> None:
        self.assertIn("preprocessor", self.complaint(region("#ifdef X", "x();", "#endif")))

    def test_a_hole_is_inside_one_function(self) -> None:
        outside = "// >>> SOLUTION 1-a: hint\nint x = 1;\n// <<< SOLUTION\n"
        self.assertIn("not inside one function", self.complaint(outside))
        whole = "// >>> SOLUTION 1-a: hint\nvoid F() {\n  x();\n}\n// <<< SOLUTION\n"
        self.assertIn("not inside one function", self.complaint(whole))

    def test_a_hole_is_indented_as_its_marks(self) -> None:
        text = "void F() {\n    // >>> SOLUTION 1-a: hint\n    x();\n  // <<< SOLUTION\n}\n"
        self.assertIn("another column", self.complaint(text))
        text = "void F() {\n    // >>> SOLUTION 1-a: hint\n  x();\n    // <<< SOLUTION\n}\n"
        self.assertIn("to the left", self.complaint(text))


if __name__ == "__main__":
    unittest.main()
