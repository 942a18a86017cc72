"""The command line: help, typos, exit codes, and being called from anywhere."""
from __future__ import annotations

import subprocess
from pathlib import Path

from tinykv import cli, plans
from tinykv.console import UsageError
from tinykv.workspace import Workspace, here

from .helpers import ScratchTest


class CliTest(ScratchTest):
    def tinykv(self, *words: str, script: Path = here().root / "tinykv") -> tuple[int, str, str]:
        """Runs the real script from a folder of no importance."""
        result = subprocess.run([script, *words], cwd=self.root, capture_output=True, text=True)
        return result.returncode, result.stdout, result.stderr

    def test_alone_it_prints_help_that_names_every_command(self) -> None:
        for words in ([], ["-h"], ["--help"], ["help"]):
            code, out, _ = self.tinykv(*words)
            self.assertEqual(code, 0)
            for group in cli.commands(here()).values():
                for command in group:
                    self.assertRegex(out, rf"(?m)^  {command} ")
            self.assertIn("./tinykv up", out)

    def test_every_command_has_help(self) -> None:
        for group in cli.commands(here()).values():
            for command in group:
                code, out, _ = self.tinykv(command, "-h")
                self.assertEqual(code, 0)
                self.assertIn(f"usage: ./tinykv {command}", out)

    def test_a_typo_gets_one_line_with_a_suggestion(self) -> None:
        self.assert_usage_error(["stauts"], "no command 'stauts'; did you mean 'status'?")
        self.assert_usage_error(["up", "--satge", "1"], "did you mean '--stage'?")
        self.assert_usage_error(["build", "relase"], "did you mean 'release'?")
        self.assert_usage_error(["test", "--preset", "all"], "there are release, debug, asan, tsan")

    def test_what_is_out_of_place_is_named(self) -> None:
        self.assert_usage_error(["frobnicate"], "no command 'frobnicate' (")
        self.assert_usage_error(["up", "--stage", "one"], "--stage")
        self.assert_usage_error(["up", "--stage", "1", "--stores", "3"], "--stores 3")
        self.assert_usage_error(["down", "now"], "'now'")
        self.assert_usage_error(["bench"], "bench what?")

    def assert_usage_error(self, words: list[str], text: str) -> None:
        code, out, err = self.tinykv(*words)
        self.assertEqual((code, out), (2, ""))
        self.assertTrue(err.startswith("tinykv: "), err)
        self.assertIn(text, err)
        self.assertEqual(err.count("\n"), 1)

    def test_it_may_be_called_by_a_symbolic_link(self) -> None:
        link = self.root / "a" / "link"
        link.parent.mkdir()
        link.symlink_to(here().root / "tinykv")
        self.assertEqual(self.tinykv("-h", script=link)[0], 0)

    def test_a_reader_that_leaves_is_no_error(self) -> None:
        command = f"set -o pipefail; {here().root / 'tinykv'} -h | true"
        result = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
        self.assertEqual(result.stderr, "")

    def test_paths_of_up_are_made_absolute(self) -> None:
        wishes: list[plans.Wishes] = []

        def up(_workspace: Workspace, wanted: plans.Wishes) -> int:
            wishes.append(wanted)
            return 0

        original, cli.cluster.up = cli.cluster.up, up
        self.addCleanup(setattr, cli.cluster, "up", original)
        cli.dispatch(self.workspace, ["up", "--data", "d", "--listen", "[::1]:5"])
        self.assertEqual(wishes[0].data, Path.cwd() / "d")
        self.assertEqual(str(wishes[0].listen), "[::1]:5")
        self.assertIsNone(wishes[0].config)

    def test_a_port_out_of_range_is_refused_before_anything_is_done(self) -> None:
        with self.assertRaisesRegex(UsageError, "--listen 'x:70000'"):
            cli.dispatch(self.workspace, ["up", "--listen", "x:70000"])
