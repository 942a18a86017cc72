"""./tinykv bench cluster, with fake servers and a fake tinykv-bench."""
from __future__ import annotations

import contextlib
import io
import os
import sys
import unittest
from pathlib import Path
from unittest import mock

from tinykv import cluster_bench, etcd
from tinykv.address import Address
from tinykv.cluster_bench import Programs
from tinykv.console import Failure
from tinykv.state import birth

from .helpers import ScratchTest, python_program

# An etcd that answers one question. FAKE_ETCD in the environment: "crash" ends at once.
FAKE_ETCD = f"""#!{sys.executable}
import http.server, json, os, sys

flags = dict(zip(sys.argv[1::2], sys.argv[2::2]))
if os.environ.get("FAKE_ETCD") == "crash":
    print("etcd does not like this machine", file=sys.stderr)
    sys.exit(3)
os.makedirs(flags["--data-dir"])

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(200 if self.path == "/v3/maintenance/status" else 404)
        self.end_headers()
        number = flags["--name"].removeprefix("etcd-")
        self.wfile.write(json.dumps({{"header": {{"member_id": number}}, "leader": "2"}}).encode())

    def log_message(self, *_):
        pass

host, port = flags["--listen-client-urls"].removeprefix("http://").rsplit(":", 1)
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""


class FlagsTest(unittest.TestCase):
    def test_peers_are_found_however_they_are_written(self) -> None:
        for words in (["--against", "etcd"], ["--seconds=2", "--against=etcd", "--keys", "9"]):
            self.assertEqual(cluster_bench.peers_of(words), ["etcd"])
        self.assertEqual(cluster_bench.peers_of(["--seconds", "2"]), [])

    def test_addresses_differ(self) -> None:
        found = cluster_bench.free_addresses(6)
        self.assertEqual(len({address.port for address in found}), 6)

    def test_etcd_is_told_of_all_members_and_to_sync(self) -> None:
        places = [Address("127.0.0.1", port) for port in range(1, 7)]
        words = etcd.flags(2, places[:3], places[3:], Path("/data"))
        pairs = dict(zip(words[::2], words[1::2]))
        self.assertEqual(pairs["--listen-client-urls"], "http://127.0.0.1:2")
        self.assertEqual(pairs["--listen-peer-urls"], "http://127.0.0.1:5")
        self.assertEqual(
            pairs["--initial-cluster"],
            "etcd-1=http://127.0.0.1:4,etcd-2=http://127.0.0.1:5,etcd-3=http://127.0.0.1:6",
        )
        self.assertNotIn("--unsafe-no-fsync", words)

    def test_etcds_leader_is_whom_all_name(self) -> None:
        def report(member: str, leads: str | None) -> dict:
            return {"header": {"member_id": member}, **({"leader": leads} if leads else {})}

        self.assertEqual(etcd.agreed([report("a", "b"), report("b", "b")]), 2)
        self.assertEqual(etcd.agreed([report("a", "a"), report("b", "b")]), 0)
        self.assertEqual(etcd.agreed([report("a", None), report("b", None)]), 0)
        self.assertEqual(etcd.agreed([report("a", "b"), None]), 0)
        self.assertEqual(etcd.agreed([None, None]), 0)


class MeasureTest(ScratchTest):
    def setUp(self) -> None:
        super().setUp()
        text = python_program(Path(__file__).parent / "fake_server.py")
        # `tinykv-bench serve FLAGS` is a server too; its first word is no flag.
        serve = text.replace("read_flags(sys.argv[1:])", "read_flags(sys.argv[2:])")
        self.programs = Programs(
            bench=self.program("tinykv-bench", serve), server=self.program("stage2-server", text)
        )
        self.program("etcd", FAKE_ETCD)
        self.environment(PATH=f"{self.root / 'bin'}{os.pathsep}{os.environ['PATH']}")
        self.state = self.root / ".tinykv"
        self.calls: list[list[str]] = []
        self.pids: list[int] = []

    def environment(self, **changes: str) -> None:
        patch = mock.patch.dict(os.environ, changes)
        patch.start()
        self.addCleanup(patch.stop)

    def call(self, command: list) -> int:
        """Stands in for tinykv-bench: all servers run while it does."""
        self.calls.append([str(word) for word in command])
        for place, word in enumerate(self.calls[-1]):
            if word == "--subject":
                self.pids += map(int, self.calls[-1][place + 1].split(",")[2:])
        self.assertTrue(all(birth(pid) for pid in self.pids))
        return 0

    def measure(self, *words: str, call=None) -> int:
        with contextlib.redirect_stdout(io.StringIO()):
            return cluster_bench.measure(self.state, self.programs, words, call or self.call)

    def assert_nothing_left(self) -> None:
        self.assertEqual(list(self.state.iterdir()), [])
        self.assertEqual([pid for pid in self.pids if birth(pid)], [])

    def test_all_servers_are_named_and_nothing_is_left(self) -> None:
        self.assertEqual(self.measure("--against", "etcd", "--seconds", "2"), 0)
        [words] = self.calls
        self.assertEqual(words[1:6], ["cluster", "--against", "etcd", "--seconds", "2"])
        subjects = [words[i + 1].split(",") for i, word in enumerate(words) if word == "--subject"]
        self.assertEqual([subject[0] for subject in subjects], ["echo", "etcd", "tinykv"])
        self.assertEqual([len(subject) for subject in subjects], [3, 5, 5])
        self.assertEqual(len(set(self.pids)), 7)
        self.assert_nothing_left()

    def test_without_peers_none_is_started(self) -> None:
        self.assertEqual(self.measure(), 0)
        self.assertEqual(len(self.pids), 4)
        self.assert_nothing_left()

    def test_an_interrupt_leaves_nothing(self) -> None:
        def interrupted(command: list) -> int:
            self.call(command)
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            self.measure("--against=etcd", call=interrupted)
        self.assertEqual(len(self.pids), 7)
        self.assert_nothing_left()

    def test_a_failure_of_the_measurement_is_its_exit_status(self) -> None:
        self.assertEqual(self.measure(call=lambda command: self.call(command) or 1), 1)
        self.assert_nothing_left()

    def test_an_etcd_that_does_not_start_is_named_with_its_log(self) -> None:
        self.environment(FAKE_ETCD="crash")
        with self.assertRaisesRegex(Failure, "etcd-[123] ended with status 3 at its start") as caught:
            self.measure("--against", "etcd")
        self.assertIn("does not like this machine", caught.exception.details)
        self.assert_nothing_left()

    def test_a_store_that_does_not_start_is_named(self) -> None:
        self.environment(FAKE_SERVER="crash:2")
        with self.assertRaisesRegex(Failure, "store-2: .*killed by SIGKILL"):
            self.measure()
        self.assert_nothing_left()

    def test_a_leader_that_changes_spoils_the_figures(self) -> None:
        leaders = iter([2, 3])
        with mock.patch.object(etcd, "leader_of", lambda _nodes: next(leaders)):
            with mock.patch.object(etcd, "wait_for_leader", lambda _nodes: 2):
                with self.assertRaisesRegex(Failure, "the leader of etcd changed"):
                    self.measure("--against", "etcd")
        self.assert_nothing_left()


if __name__ == "__main__":
    unittest.main()
