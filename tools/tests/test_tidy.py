"""The house rules, each on code that breaks it and code that does not."""
from __future__ import annotations

from pathlib import PurePosixPath

from tinykv import lint, tidy

from .helpers import ScratchTest


class TidyTest(ScratchTest):
    def findings(self, rule, **files: str) -> list[str]:
        """What a rule finds; file names are given with __ for / and end in _h or _cc."""
        read = []
        for name, text in files.items():
            path = "".join(name.replace("__", "/").replace("0", "-").rsplit("_", 1)[0])
            path += "." + name.rsplit("_", 1)[1]
            self.file(path, text)
            read.append(tidy.Source(PurePosixPath(path), text))
        return list(rule(self.root, read))

    def test_a_function_of_71_lines_is_too_long(self) -> None:
        body = "  x();\n"
        good = "void F() {\n" + body * 68 + "}\n"
        bad = "void F() {\n" + body * 69 + "}\n"
        self.assertEqual(self.findings(tidy.short_functions, lsm__a_cc=good), [])
        (finding,) = self.findings(tidy.short_functions, lsm__a_cc="\n" + bad)
        self.assertEqual(finding, "lsm/a.cc:2: F has 71 lines; at most 70")

    def test_a_header_of_251_lines_is_too_long(self) -> None:
        self.assertEqual(self.findings(tidy.short_files, lsm__a_h="\n" * 250), [])
        self.assertEqual(len(self.findings(tidy.short_files, lsm__a_h="\n" * 251)), 1)
        self.assertEqual(self.findings(tidy.short_files, lsm__a_cc="\n" * 600), [])
        self.assertEqual(len(self.findings(tidy.short_files, lsm__a_cc="\n" * 601)), 1)

    def test_a_hole_has_a_name_of_its_own(self) -> None:
        text = "void F() {\n  // >>> SOLUTION 1-a: hint\n  x();\n  // <<< SOLUTION\n}\n"
        self.assertEqual(self.findings(tidy.well_formed_holes, lsm__a_cc=text), [])
        (finding,) = self.findings(tidy.well_formed_holes, lsm__a_cc=text, lsm__b_cc=text)
        self.assertEqual(finding, "lsm/b.cc:2: hole 1-a is at lsm/a.cc:2 too; one name, one hole")
        (finding,) = self.findings(tidy.well_formed_holes, lsm__a_cc="// <<< SOLUTION\n")
        self.assertEqual(finding, "lsm/a.cc:1: a hole ends that did not begin")

    def test_only_holes_throw(self) -> None:
        text = "void F() { throw 1; }\nvoid G() { throw; }\n"
        self.assertEqual(self.findings(tidy.no_exceptions, graders__a_cc=text), [])
        self.assertEqual(self.findings(tidy.no_exceptions, common__your_code_here_cc=text), [])
        (finding,) = self.findings(tidy.no_exceptions, lsm__a_cc=text)
        self.assertEqual(
            finding, "lsm/a.cc:1: throws; return a Status, or TKV_CHECK an invariant"
        )

    def test_nobody_sleeps(self) -> None:
        text = "// sleep_for is not for us\nvoid F() { clock.sleep(1); }\n"
        self.assertEqual(self.findings(tidy.no_sleeps, lsm__a_cc=text), [])
        for call in ("std::this_thread::sleep_for(x)", "usleep(1)", "sleep(1)"):
            self.assertEqual(
                len(self.findings(tidy.no_sleeps, graders__a_cc=f"void F() {{ {call}; }}\n")), 1
            )

    def test_a_line_of_101_columns_is_too_long(self) -> None:
        good = "é" * 100 + "\n#include " + "x" * 100 + "\n// https://" + "x" * 100
        self.assertEqual(self.findings(tidy.short_lines, lsm__a_cc=good), [])
        self.assertEqual(len(self.findings(tidy.short_lines, lsm__a_cc="é" * 101)), 1)

    def layers(self, included: str, **where: str) -> list[str]:
        (name,) = where
        return self.findings(tidy.layered_includes, **{name: f'#include "{included}"\n'})

    def test_includes_go_upwards_only(self) -> None:
        self.assertEqual(self.layers("common/status.h", lsm__a_h=""), [])
        self.assertEqual(self.layers("lsm/db.h", stage10standalone__a_h=""), [])
        self.assertEqual(self.layers("absl/status/status.h", common__a_h=""), [])
        self.assertIn(
            "lsm/ stands below stage1-standalone/",
            self.layers("stage1-standalone/storage.h", lsm__a_h="")[0],
        )
        self.assertEqual(len(self.layers("lsm/db.h", common__server__a_cc="")), 1)

    def test_the_engine_knows_nothing_of_the_wire_and_the_server(self) -> None:
        for header in ("proto/kvrpcpb.pb.h", "common/server/server.h", "common/storage/storage.h"):
            self.assertEqual(len(self.layers(header, lsm__a_cc="")), 1, header)
            self.assertEqual(self.layers(header, stage10standalone__a_cc=""), [], header)

    def test_transactions_know_nothing_of_raft(self) -> None:
        self.assertEqual(len(self.layers("stage2-raftkv/raft/raft.h", stage40txn__a_cc="")), 1)
        self.assertEqual(self.layers("stage1-standalone/storage.h", stage40txn__a_cc=""), [])

    def test_only_tests_include_graders(self) -> None:
        self.assertEqual(self.layers("graders/sim/world.h", lsm__a_test_cc=""), [])
        self.assertEqual(self.layers("graders/sim/world.h", graders__bench__a_cc=""), [])
        self.assertEqual(len(self.layers("graders/sim/world.h", lsm__a_cc="")), 1)
        self.assertEqual(self.layers("graders/sim/world.h", lsm__a_test_util_h=""), [])
        self.assertEqual(len(self.layers("graders/sim/world.h", lsm__a_test_h="")), 1)

    def test_only_tests_include_what_tests_share(self) -> None:
        self.assertEqual(self.layers("lsm/a_test_util.h", lsm__a_test_cc=""), [])
        self.assertEqual(len(self.layers("lsm/a_test_util.h", lsm__a_cc="")), 1)

    def test_a_folder_that_is_no_layer_is_named(self) -> None:
        self.assertIn("no layer", self.layers("lsm/db.h", misc__a_cc="")[0])

    def test_includes_are_paths_from_the_root(self) -> None:
        (finding,) = self.findings(
            tidy.rooted_includes,
            lsm__db_h="",
            lsm__a_cc='#include "db.h"\n',
            lsm__b_cc='#include "lsm/db.h"\n',
        )
        self.assertEqual(finding, 'lsm/a.cc:1: includes "db.h"; from the root it is "lsm/db.h"')

    def test_a_source_that_cmake_does_not_name_is_found(self) -> None:
        self.file("lsm/CMakeLists.txt", "tinykv_test(t SOURCES a_test.cc x/b.cc)  # c_test.cc")
        files = {"lsm__a_test_cc": "", "lsm__x__b_cc": "", "lsm__c_test_cc": "", "lsm__d_h": ""}
        (finding,) = self.findings(tidy.built_files, **files)
        self.assertIn("lsm/c_test.cc:1: no CMakeLists.txt names it", finding)

    def test_a_test_that_is_switched_off_is_found(self) -> None:
        off = "\nTEST(Log, DISABLED_Grows) {}\n"
        self.assertEqual(len(self.findings(tidy.running_tests, lsm__a_test_cc=off)), 1)
        told = "// DISABLED_ is not allowed\n"
        self.assertEqual(self.findings(tidy.running_tests, lsm__a_test_cc=told), [])

    def test_cores_take_time_chance_and_threads_from_outside(self) -> None:
        for code in (
            "auto now = std::chrono::steady_clock::now();",
            "std::random_device seed;",
            "int x = rand();",
            "std::uniform_int_distribution<int> d;",
            "std::shuffle(a, b, g);",
            "auto now = absl::Now();",
            "std::thread worker;",
            "std::this_thread::yield();",
        ):
            for name in ("lsm__a_cc", "stage20raftkv__raft__a_cc", "stage40txn__mvcc__a_h"):
                self.assertEqual(len(self.findings(tidy.determinism, **{name: code})), 1, code)
            self.assertEqual(self.findings(tidy.determinism, common__a_cc=code), [])
        for code in ("Operand(x);", "// std::thread", "std::chrono::seconds d;", "options.rand();"):
            self.assertEqual(self.findings(tidy.determinism, lsm__a_cc=code), [], code)

    def test_tests_of_the_engine_may_use_threads_and_no_clock(self) -> None:
        thread, clock = "std::thread t;", "auto now = system_clock::now();"
        self.assertEqual(self.findings(tidy.determinism, lsm__a_test_cc=thread), [])
        self.assertEqual(len(self.findings(tidy.determinism, lsm__a_test_cc=clock)), 1)


class LintTest(ScratchTest):
    def test_what_git_tracks_or_would_is_linted(self) -> None:
        for name in ("lsm/a.cc", "lsm/b.h", "build/c.cc", "d.py"):
            self.file(name)
        self.file(".gitignore", "build/\n")
        lint.capture(["git", "init", "-q", self.root])
        self.assertEqual(lint.sources(self.workspace), ["lsm/a.cc", "lsm/b.h"])
