"""Which files clang-tidy reads again, and how its output is cut."""
from __future__ import annotations

import os
import unittest
from pathlib import Path
from unittest import mock

from tinykv import clang_tidy

from .helpers import ScratchTest

DEPENDENCIES = """\
lsm/a.o: #deps 2, deps mtime 17 (VALID)
    ../../lsm/a.cc
    /usr/include/stdio.h

lsm/b.o: #deps 1, deps mtime 17 (STALE)
    ../../lsm/b.cc

"""

OUTPUT = """\
/p/lsm/a.cc:3:7: error: no [bugprone-x,-warnings-as-errors]
int a;
    ^
/p/lsm/a.h:1:2: note: because
/p/lsm/a.h:9:1: warning: nor this [performance-y]
"""


class ReadingTest(unittest.TestCase):
    def test_ninjas_dependencies_are_read_where_they_are_valid(self) -> None:
        found = clang_tidy.parse_dependencies(DEPENDENCIES, Path("/p/build/release"))
        source, header = Path("/p/lsm/a.cc"), Path("/usr/include/stdio.h")
        self.assertEqual(found, {source: [source, header]})

    def test_a_finding_keeps_the_lines_that_explain_it(self) -> None:
        first, second = clang_tidy.findings_in(OUTPUT, Path("/p"))
        self.assertTrue(first.startswith("lsm/a.cc:3:7: error"))
        self.assertTrue(first.endswith("note: because"))
        self.assertEqual(second, "lsm/a.h:9:1: warning: nor this [performance-y]")


class CacheTest(ScratchTest):
    def setUp(self) -> None:
        super().setUp()
        self.source = self.file("lsm/a.cc", "int a;")
        self.header = self.file("lsm/a.h", "int b;")
        self.file(".clang-tidy", "Checks: '*'")
        listing = f"a.o: #deps 2 (VALID)\n    {self.source}\n    {self.header}\n"
        self.program("ninja", f"#!/bin/sh\nprintf '%s' '{listing}'\n")
        self.program("clang-tidy-16", "#!/bin/sh\necho version 16\n")
        patch = mock.patch.dict(os.environ, {"PATH": f"{self.root}/bin:{os.environ['PATH']}"})
        patch.start()
        self.addCleanup(patch.stop)
        self.workspace.build("release").mkdir(parents=True)

    def digest(self, command: str = "g++ a.cc") -> str:
        return clang_tidy.digests_of(self.workspace, {self.source: command})[self.source]

    def test_a_digest_changes_with_all_that_clang_tidy_reads(self) -> None:
        digests = {self.digest(), self.digest("g++ -O2 a.cc")}
        self.source.write_text("int c;")
        digests.add(self.digest())
        self.header.write_text("int d;")
        digests.add(self.digest())
        self.file(".clang-tidy", "Checks: '-*'")
        digests.add(self.digest())
        self.program("clang-tidy-16", "#!/bin/sh\necho version 17\n")
        digests.add(self.digest())
        self.assertEqual(len(digests), 6)
        self.assertEqual(self.digest(), self.digest())

    def test_what_was_clean_is_remembered_for_one_digest(self) -> None:
        store = self.root / "clean.json"
        clean = clang_tidy.CleanFiles(store)
        clean.add(self.source, "digest")
        clean.add(self.header, None)
        clean.save()
        again = clang_tidy.CleanFiles(store)
        self.assertTrue(again.holds(self.source, "digest"))
        self.assertFalse(again.holds(self.source, "another"))
        self.assertFalse(again.holds(self.source, None))
        self.assertFalse(again.holds(self.header, None))
