"""What runs, as the script remembers it."""
from __future__ import annotations

import dataclasses
import os
import subprocess
import unittest

from tinykv import state
from tinykv.console import Failure

from .helpers import ScratchTest

MEMBER = state.Member("s", os.getpid(), state.birth(os.getpid()), "a:1", "a:2", "/d", "/l")


class StateTest(ScratchTest):
    def test_what_is_saved_is_loaded(self) -> None:
        saved = state.Cluster(1, [MEMBER])
        state.save(self.workspace, saved)
        self.assertEqual(state.load(self.workspace), saved)
        state.remove(self.workspace)
        self.assertIsNone(state.load(self.workspace))

    def test_a_damaged_file_is_named(self) -> None:
        for text in ("{", "[]", '{"stage": 1}', '{"stage": 1, "members": [{"pid": 1}]}'):
            self.file(".tinykv/cluster.json", text)
            with self.assertRaisesRegex(Failure, r"cluster\.json is damaged"):
                state.load(self.workspace)


class MemberTest(unittest.TestCase):
    def test_a_running_process_is_alive(self) -> None:
        self.assertTrue(MEMBER.alive())

    def test_a_later_process_with_the_same_pid_is_not_it(self) -> None:
        self.assertFalse(dataclasses.replace(MEMBER, born="an earlier boot/1").alive())

    def test_a_process_that_was_never_seen_alive_is_not_it(self) -> None:
        self.assertFalse(dataclasses.replace(MEMBER, pid=2**30, born="").alive())

    def test_a_zombie_is_dead(self) -> None:
        child = subprocess.Popen(["sleep", "1000"])
        member = dataclasses.replace(MEMBER, pid=child.pid, born=state.birth(child.pid))
        self.assertTrue(member.alive())
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it ended and is not collected
        self.assertFalse(member.alive())
        child.wait()
        self.assertFalse(member.alive())
