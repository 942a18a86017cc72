"""Listing the project's files, with git and without."""
from __future__ import annotations

import subprocess

from tinykv.console import Failure
from tinykv.files import listed
from tinykv.workspace import Workspace

from .helpers import ScratchTest


class ListedTest(ScratchTest):
    def setUp(self) -> None:
        super().setUp()
        for name in ("lsm/a.cc", "lsm/b.h", "build/c.cc", "d.py", "e.log", ".tinykv/f.cc"):
            self.file(name)
        self.file(".gitignore", "build/\n.tinykv/\n*.log\n")

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.root, check=True, capture_output=True)

    def test_git_is_asked_what_it_tracks_or_would(self) -> None:
        self.git("init", "-q")
        self.assertEqual(listed(self.workspace), [".gitignore", "d.py", "lsm/a.cc", "lsm/b.h"])
        self.assertEqual(listed(self.workspace, [".cc"]), ["lsm/a.cc"])

    def test_a_deleted_file_is_not_listed(self) -> None:
        self.git("init", "-q")
        self.git("add", "lsm")
        (self.root / "lsm/b.h").unlink()
        self.assertEqual(listed(self.workspace, [".h", ".cc"]), ["lsm/a.cc"])

    def test_without_git_the_tree_is_walked(self) -> None:
        self.assertEqual(listed(self.workspace, [".h", ".cc"]), ["lsm/a.cc", "lsm/b.h"])
        self.assertEqual(listed(self.workspace, [".log"]), ["e.log"])

    def test_a_tree_in_an_ignored_folder_of_a_repository_is_walked(self) -> None:
        self.git("init", "-q")
        self.file("build/tree/common/x.cc")
        inner = Workspace(self.root / "build/tree")
        self.assertEqual(listed(inner), ["common/x.cc"])

    def test_a_broken_repository_is_an_error(self) -> None:
        self.file(".git", "gitdir: nowhere\n")
        with self.assertRaisesRegex(Failure, "git cannot list the files"):
            listed(self.workspace)
