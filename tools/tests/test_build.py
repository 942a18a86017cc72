"""Configuring and compiling, with a fake cmake."""
from __future__ import annotations

import contextlib
import io
import os
from unittest import mock

from tinykv import build
from tinykv.console import Failure

from .helpers import ScratchTest

# Logs how it is called; configuring leaves the cache that the real one would.
CMAKE = """#!/bin/sh
echo "$*" >> cmake.log
case "$1" in
--fresh)
  [ ! -e broken ] || { echo "CMake Error: no compiler"; exit 1; }
  mkdir -p "build/$3" && echo "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" > "build/$3/CMakeCache.txt" ;;
--build)
  [ ! -e wrong ] || { echo "[1/2] a.cc"; echo "a.cc:1: error: what?"; exit 1; }
  [ -e built ] && echo "ninja: no work to do." || { echo "[1/1] a.cc"; touch built; } ;;
esac
"""


class BuildTest(ScratchTest):
    def setUp(self) -> None:
        super().setUp()
        self.program("cmake", CMAKE)
        self.file("CMakePresets.json", "{}")
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        for patch in (
            mock.patch.dict(os.environ, {"PATH": path}),
            mock.patch("tinykv.setup.ensure"),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def build(self, *targets: str) -> tuple[str, list[str]]:
        """Builds; what was printed and how cmake was called."""
        log = self.root / "cmake.log"
        log.unlink(missing_ok=True)
        with contextlib.redirect_stdout(io.StringIO()) as text:
            build.build(self.workspace, "release", targets)
        return text.getvalue(), log.read_text().splitlines()

    def test_a_second_build_does_not_configure(self) -> None:
        text, calls = self.build()
        self.assertEqual(calls[0], "--fresh --preset release")
        self.assertIn("1 steps", text)
        text, calls = self.build()
        self.assertEqual([call.split()[0] for call in calls], ["--build"])
        self.assertIn("up to date", text)

    def test_changed_presets_and_a_moved_checkout_are_configured_anew(self) -> None:
        self.build()
        presets = self.root / "CMakePresets.json"
        os.utime(presets, (presets.stat().st_atime, presets.stat().st_mtime + 10))
        self.assertFalse(build.is_configured(self.workspace, "release"))
        build.stamp(self.workspace, "release").touch()
        os.utime(presets, (0, 0))
        self.assertTrue(build.is_configured(self.workspace, "release"))
        self.file("build/release/CMakeCache.txt", "CMAKE_HOME_DIRECTORY:INTERNAL=/elsewhere\n")
        self.assertFalse(build.is_configured(self.workspace, "release"))

    def test_a_failed_configuration_is_tried_again(self) -> None:
        broken = self.file("broken")
        with self.assertRaises(Failure) as caught:
            self.build()
        self.assertIn("no compiler", caught.exception.details)
        broken.unlink()
        self.assertEqual(len(self.build()[1]), 2)

    def test_only_the_targets_wanted_are_built(self) -> None:
        self.assertRegex(self.build("a", "b")[1][-1], "--target a b$")

    def test_a_failed_build_shows_what_the_compiler_said(self) -> None:
        self.file("wrong")
        with self.assertRaisesRegex(Failure, "the release build .* failed") as caught:
            self.build()
        self.assertEqual(caught.exception.details, "a.cc:1: error: what?")
