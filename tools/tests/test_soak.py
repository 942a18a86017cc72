"""./tinykv soak without servers: what is drawn, what is judged, what is left behind."""
from __future__ import annotations

import contextlib
import io
import json
import os
import random
import subprocess
import sys
import unittest
from unittest import mock

from tinykv.console import Failure
from tinykv.soak import faults, leftovers, namespaces, run, verdicts
from tinykv.soak.arena import Arena, Sample
from tinykv.soak.load import Load, Violation
from tinykv.soak.run import Outcome, Struck, Wishes
from tinykv.soak.stores import log_entries, what_is_missing
from tinykv.soak.verdicts import MIB, Bounds, Verdict
from tinykv.state import birth

from .helpers import ScratchTest


def report(leads: int, **more) -> dict:
    """A store's /status, where all is well unless told."""
    region = {"leader_store": leads, "role": "follower", "term": 3, "rejoining": ""}
    region |= {"first_index": 11, "last_index": 110, "committed": 110, "applied": 110}
    store = {"error": "", "refuses_writes": ""}
    region |= {key: value for key, value in more.items() if key in region}
    store |= {key: value for key, value in more.items() if key in store}
    return {"serving": more.get("serving", True), "store": store, "regions": [region]}


class DrawingTest(unittest.TestCase):
    def names(self, seed: int, count: int) -> list[str]:
        drawn = faults.drawn(faults.FAULTS, random.Random(seed))
        return [next(drawn).name for _ in range(count)]

    def test_a_seed_is_an_order(self) -> None:
        self.assertEqual(self.names(1, 50), self.names(1, 50))
        self.assertNotEqual(self.names(1, 50), self.names(2, 50))

    def test_each_comes_once_before_any_comes_again(self) -> None:
        count = len(faults.FAULTS)
        names = self.names(5, 3 * count)
        for begin in range(0, 3 * count, count):
            self.assertEqual(len(set(names[begin : begin + count])), count)

    def test_without_minutes_each_comes_once(self) -> None:
        arena = mock.Mock(random=random.Random(1))
        names = [fault.name for fault in run.sequence(faults.FAULTS, arena, 0)]
        self.assertEqual(sorted(names), sorted(fault.name for fault in faults.FAULTS))

    def test_with_minutes_they_go_on_until_these_are_over(self) -> None:
        arena = mock.Mock(random=random.Random(1))
        arena.now.side_effect = range(0, 1000, 25)
        self.assertEqual(len(list(run.sequence(faults.FAULTS, arena, 10))), 24)

    def test_without_a_small_disk_none_is_filled_and_it_is_said(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            chosen, left_out = run.choose(mock.Mock(small_disk=None), [])
        self.assertNotIn("fill-disk", [fault.name for fault in chosen])
        self.assertEqual(len(chosen), len(faults.FAULTS) - 1)
        self.assertIn("fill-disk", left_out[0])
        self.assertIn("fill-disk", out.getvalue())

    def test_only_what_is_asked_for(self) -> None:
        chosen, left_out = run.choose(mock.Mock(), ["kill-all", "cut-pair"])
        self.assertEqual({fault.name for fault in chosen}, {"kill-all", "cut-pair"})
        self.assertEqual(left_out, [])


class WholeTest(unittest.TestCase):
    def missing(self, *reports: dict | None) -> str:
        return what_is_missing(reports, (1, 2, 3))

    def test_a_cluster_is_whole_where_all_agree_and_have_caught_up(self) -> None:
        leads = report(2, role="leader")
        self.assertEqual(self.missing(report(2), leads, report(2)), "")

    def test_what_is_missing_is_named(self) -> None:
        leads = report(2, role="leader", committed=5000, applied=5000)
        self.assertEqual(self.missing(None, leads, report(2)), "store-1 does not serve")
        self.assertIn("store-1", self.missing(report(2, serving=False), leads, report(2)))
        self.assertIn("do not agree", self.missing(report(1), leads, report(2)))
        self.assertIn("do not agree", self.missing(report(2), report(2), report(2)))
        self.assertIn("store-3 is 4890 entries behind", self.missing(report(2, applied=5000), leads, report(2)))
        self.assertEqual(self.missing(report(2, error="EIO"), leads, report(2)), "store-1: EIO")
        self.assertIn("terms", self.missing(report(2), leads, report(2, rejoining="terms")))
        self.assertIn("full", self.missing(report(2), leads, report(2, refuses_writes="full")))

    def test_a_store_that_has_no_region_yet_is_no_error(self) -> None:
        empty = report(2) | {"regions": []}
        self.assertIn("do not agree", self.missing(empty, report(2, role="leader"), report(2)))

    def test_the_log_is_what_is_kept_of_it(self) -> None:
        self.assertEqual(log_entries(report(1)), 100)
        self.assertEqual(log_entries(None), 0)


def samples(memory_mib: list[float], store: int = 1, **more) -> list[Sample]:
    """One each ten seconds."""
    return [
        Sample(10.0 * i, store, 1, int(mib * MIB), more.get("disk", 0), more.get("log"))
        for i, mib in enumerate(memory_mib)
    ]


class VerdictTest(unittest.TestCase):
    def test_memory_that_stays_is_flat_although_it_goes_up_and_down(self) -> None:
        series = [20.0] * 10 + [100.0, 140.0] * 15
        [verdict] = verdicts.memory_flat(samples(series), 10.0 * len(series))
        self.assertTrue(verdict.passed, verdict)

    def test_memory_that_grows_is_not(self) -> None:
        series = [50.0 + 5 * i for i in range(40)]
        [verdict] = verdicts.memory_flat(samples(series), 400.0)
        self.assertFalse(verdict.passed, verdict)
        self.assertIn("store-1", verdict.name)

    def test_each_store_is_judged_by_itself(self) -> None:
        both = samples([50.0] * 40, 1) + samples([50.0 + 5 * i for i in range(40)], 2)
        found = verdicts.memory_flat(both, 400.0)
        self.assertEqual([verdict.passed for verdict in found], [True, False])

    def test_a_bound_is_held_by_the_worst_sample(self) -> None:
        bounds = Bounds(memory_bytes=100 * MIB, disk_bytes=7, log_entries=5)
        found = verdicts.bounded(samples([10.0, 99.0], disk=7, log=5), bounds)
        self.assertEqual([verdict.passed for verdict in found], [True, True, True])
        found = verdicts.bounded(samples([10.0, 101.0], disk=8, log=6), bounds)
        self.assertEqual([verdict.passed for verdict in found], [False, False, False])
        self.assertIn("store-1, after 10 s", found[0].figures)

    def test_only_some_faults_may_fail_calls(self) -> None:
        by_name = {fault.name: fault for fault in faults.FAULTS}
        counts = {"failed_calls": {"put": 2}, "first_failure": "put: gave up"}
        struck = Struck(1.0, "x", "all", 2.0, counts)
        self.assertIsNone(run.within_budget(by_name["kill-leader"], struck))
        verdict = run.within_budget(by_name["rolling-restart"], struck)
        assert verdict is not None
        self.assertFalse(verdict.passed)
        self.assertIn("put: gave up", verdict.figures)
        struck.standstill_seconds = 60.0
        self.assertIsNone(run.within_budget(by_name["rolling-restart"], struck))
        struck.standstill_seconds = 0.0
        struck.counts = {"failed_calls": {}}
        verdict = run.within_budget(by_name["rolling-restart"], struck)
        assert verdict is not None
        self.assertTrue(verdict.passed)

    def test_a_run_passes_only_where_all_holds(self) -> None:
        self.assertTrue(Outcome(1, "proxy", verdicts=[Verdict("a", True, "")]).passed)
        self.assertFalse(Outcome(1, "proxy", verdicts=[Verdict("a", False, "")]).passed)
        self.assertFalse(Outcome(1, "proxy", failure="no leader").passed)


FAKE_LOAD = f"""#!{sys.executable}
import json, sys
def say(**event):
    print(json.dumps(event), flush=True)
say(event="started")
for line in sys.stdin:
    command = line.strip()
    if command == "counts":
        say(event="counts", written=7)
    if command == "phase":
        say(event="violation", what="key 3: it is gone")
        say(event="counts", written=8)
    if command == "check":
        say(event="checked", keys=9, seconds=1, error="reading key 4: no leader")
    if command == "stop":
        say(event="stopped")
print("what a mess", file=sys.stderr)
sys.exit(4)
"""


class LoadTest(ScratchTest):
    def setUp(self) -> None:
        super().setUp()
        program = self.program("load", FAKE_LOAD)
        self.load = Load([program], self.root / "load.log")
        self.addCleanup(self.load.close)

    def test_it_is_asked_and_answers(self) -> None:
        self.assertEqual(self.load.written(), 7)
        self.assertEqual(self.load.written(), 7)
        self.load.check()

    def test_a_violation_is_raised_at_the_next_occasion(self) -> None:
        with self.assertRaisesRegex(Violation, "key 3: it is gone"):
            self.load.end_phase()
        with self.assertRaises(Violation):
            self.load.check()

    def test_why_keys_cannot_be_read_is_said(self) -> None:
        self.assertEqual(self.load.read_all()["error"], "reading key 4: no leader")

    def test_its_exit_status_counts(self) -> None:
        self.load.stop()
        with self.assertRaisesRegex(Failure, "ended with status 4"):
            self.load.finish()

    def test_a_load_that_dies_is_a_failure_with_its_last_words(self) -> None:
        with contextlib.suppress(Failure):
            self.load.finish()
        with self.assertRaisesRegex(Failure, "ended with status 4") as caught:
            self.load.written()
        self.assertIn("what a mess", caught.exception.details)


class ArenaTest(unittest.TestCase):
    def arena(self) -> Arena:
        return Arena({}, mock.Mock(), mock.Mock(), 4, random.Random(1), standstill=mock.Mock())

    def test_what_is_missing_after_the_bound_is_said(self) -> None:
        with self.assertRaisesRegex(Failure, "after 0 s: a leader is missing"):
            self.arena().wait_until(lambda: "a leader is missing", 0.0)

    def test_time_that_the_machine_slept_does_not_count(self) -> None:
        times = iter([0.0, 0.1, 1000.0, 1000.1, 1000.2, 1000.3])
        answers = iter(["no", "no", "no", ""])
        arena = self.arena()
        arena.tick = mock.Mock()
        with mock.patch("tinykv.soak.arena.time", mock.Mock(monotonic=lambda: next(times))):
            arena.wait_until(lambda: next(answers), 60.0)
        self.assertEqual(arena.tick.call_count, 3)

    def test_writes_are_awaited_that_began_after_the_call(self) -> None:
        arena = self.arena()
        arena.load.written.side_effect = [100, 101, 104, 105]
        arena.wait_writes()
        self.assertEqual(arena.load.written.call_count, 4)

    def test_keys_are_read_again_where_one_could_not_be(self) -> None:
        arena = self.arena()
        answers = [{"error": "reading key 4: no leader"}, {"error": "", "keys": 9}]
        arena.load.read_all.side_effect = answers
        self.assertEqual(arena.read_all()["keys"], 9)

    def test_a_violation_ends_any_wait(self) -> None:
        arena = self.arena()
        arena.load.check.side_effect = Violation("key 3: it is gone")
        with self.assertRaises(Violation):
            arena.run_for(1000.0)


class LeftoversTest(ScratchTest):
    def test_what_a_killed_run_left_is_removed(self) -> None:
        folder = self.root / "soak"
        (folder / "run-1").mkdir(parents=True)
        server = subprocess.Popen(["sleep", "1000"])
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        content = {"owner": [1, "long ago"], "servers": [[server.pid, birth(server.pid)]], "tag": ""}
        (folder / "run-1" / "run.json").write_text(json.dumps(content), encoding="utf-8")
        leftovers.remove_all(folder)
        self.assertEqual(server.wait(timeout=60), -9)
        self.assertFalse((folder / "run-1").exists())

    def test_what_still_runs_and_what_is_kept_stays(self) -> None:
        folder = self.root / "soak"
        for name in ("run-1", "run-2"):
            (folder / name).mkdir(parents=True)
        leftovers.Record(folder / "run-1").started(os.getpid())
        leftovers.Record(folder / "run-2").keep()
        leftovers.remove_all(folder)
        self.assertTrue((folder / "run-1").exists())
        self.assertTrue((folder / "run-2").exists())

    def test_a_process_that_only_has_the_same_pid_is_left_alone(self) -> None:
        self.assertTrue(leftovers.is_alive([os.getpid(), birth(os.getpid())]))
        self.assertFalse(leftovers.is_alive([os.getpid(), "another boot/1"]))
        self.assertFalse(leftovers.is_alive([os.getpid(), ""]))


class RunTest(ScratchTest):
    def soak(self, failure: BaseException | None) -> Outcome:
        """A run where nothing is started, and which ends so."""

        def build(folder, *_args):
            (folder / "store-1.log").touch()
            return mock.Mock(now=lambda: 1.0)

        with contextlib.ExitStack() as stack:
            for name, value in {
                "build": build,
                "soak": mock.Mock(side_effect=failure),
                "final_verdicts": lambda *_args: [],
            }.items():
                stack.enter_context(mock.patch.object(run, name, value))
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            return run.run(self.workspace, Wishes(network="proxy"), self.root)

    def folders(self) -> list[str]:
        return sorted(path.name for path in (self.workspace.state / "soak").glob("run-*/*"))

    def test_nothing_is_left_of_a_run_that_passes(self) -> None:
        self.assertTrue(self.soak(None).passed)
        self.assertEqual(self.folders(), [])

    def test_nothing_is_left_of_a_run_that_is_interrupted(self) -> None:
        with self.assertRaises(KeyboardInterrupt):
            self.soak(KeyboardInterrupt())
        self.assertEqual(self.folders(), [])

    def test_data_and_logs_of_a_run_that_fails_are_kept(self) -> None:
        outcome = self.soak(Violation("key 3: it is gone"))
        self.assertFalse(outcome.passed)
        self.assertEqual(outcome.failure, "key 3: it is gone")
        self.assertEqual(self.folders(), ["store-1.log"])

    def test_the_report_is_for_programs(self) -> None:
        outcome = Outcome(3, "proxy", faults=[Struck(1.0, "kill-all", "all", 2.0, {"calls": {}})])
        run.write_json(outcome, self.root / "report.json")
        content = json.loads((self.root / "report.json").read_text(encoding="utf-8"))
        self.assertEqual((content["passed"], content["seed"]), (True, 3))
        self.assertEqual(content["faults"][0]["name"], "kill-all")

    def test_namespaces_that_are_not_allowed_are_refused(self) -> None:
        with mock.patch.object(namespaces, "allowed", lambda: False):
            with self.assertRaisesRegex(Failure, "--network namespaces needs root"):
                run.network_of("namespaces", mock.Mock())
            self.assertEqual(run.best_network(), "proxy")


if __name__ == "__main__":
    unittest.main()
