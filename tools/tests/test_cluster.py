"""up, status and down, with fake_server.py in the place of the server."""
from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import signal
import socket
import unittest
from pathlib import Path
from unittest import mock

from tinykv import address, cluster, leader, plans, server, state
from tinykv.console import Failure, UsageError

from .helpers import ScratchTest, free_port, free_ports, python_program


class RunningTest(ScratchTest):
    """What tests of whole commands need."""

    def setUp(self) -> None:
        super().setUp()
        fake = Path(__file__).with_name("fake_server.py")
        self.server = self.program("stage1-server", python_program(fake))
        self.wishes = plans.Wishes(
            listen=address.parse(f"127.0.0.1:{free_port()}", "test"),
            status_listen=address.parse(f"127.0.0.1:{free_port()}", "test"),
        )
        self.addCleanup(self.kill)

    def kill(self) -> None:
        running = state.load(self.workspace)
        for member in running.members if running else []:
            if member.alive():
                os.kill(member.pid, signal.SIGKILL)

    def up(self, **changes) -> str:
        """Runs `up` and returns what it printed."""
        wishes = dataclasses.replace(self.wishes, **changes)
        return self.output(lambda: cluster.up(self.workspace, wishes, self.server))[1]

    def status(self) -> tuple[int, str]:
        return self.output(lambda: cluster.status(self.workspace, as_json=False))

    def status_json(self) -> tuple[int, dict]:
        code, text = self.output(lambda: cluster.status(self.workspace, as_json=True))
        return code, json.loads(text)

    def down(self) -> tuple[int, str]:
        return self.output(lambda: cluster.down(self.workspace))

    def output(self, command) -> tuple[int, str]:
        with contextlib.redirect_stdout(io.StringIO()) as text:
            code = command()
        return code, text.getvalue()

    def member(self) -> state.Member:
        running = state.load(self.workspace)
        assert running is not None
        return running.members[0]

    def assert_nothing_left(self) -> None:
        self.assertIsNone(state.load(self.workspace))
        self.assertIsNone(server.ask(self.wishes.status_listen))

    def assert_up_fails(self, pattern: str, kind: type = Failure, **changes) -> None:
        with self.assertRaisesRegex(kind, pattern) as caught:
            self.up(**changes)
        self.assertNotIn("\n", str(caught.exception))
        self.assert_nothing_left()


class ClusterTest(RunningTest):
    def test_up_returns_when_it_serves_and_says_where(self) -> None:
        text = self.up()
        answer = server.ask(self.wishes.status_listen)
        self.assertEqual(answer["pid"], self.member().pid)
        self.assertIn(f"address      {self.wishes.listen}", text)
        self.assertIn(".tinykv/stage1/data", text)
        self.assertIn(".tinykv/stage1/server.log", text)
        self.assertIn(f"http://{self.wishes.status_listen}/", text)
        self.assertEqual(text.count(f"tinykv-ctl --address {self.wishes.listen} raw "), 3)

    def test_commands_to_try_need_no_address_inside_the_checkout(self) -> None:
        folder = self.root / "deep" / "inside"
        folder.mkdir(parents=True)
        with contextlib.chdir(folder), mock.patch.dict(os.environ):
            os.environ.pop("TINYKV_ADDRESS", None)
            self.assertNotIn("--address", self.up())
            self.down()
            os.environ["TINYKV_ADDRESS"] = "127.0.0.1:1"
            self.assertIn("tinykv-ctl --address", self.up())

    def test_without_a_stage_what_runs_is_meant_or_else_the_newest(self) -> None:
        self.assertEqual(cluster.stage_meant(self.workspace), 1)
        self.file(plans.SOURCES[1])
        self.file(plans.SOURCES[2])
        self.assertEqual(cluster.stage_meant(self.workspace), 2)
        self.up()
        self.assertEqual(cluster.stage_meant(self.workspace), 1)
        os.kill(self.member().pid, signal.SIGKILL)
        server.gone_within(self.member(), 10)
        self.assertEqual(cluster.stage_meant(self.workspace), 2)

    def test_a_second_up_says_that_it_runs(self) -> None:
        self.up()
        pid = self.member().pid
        text = self.up()
        self.assertIn("up already", text)
        self.assertIn(str(self.wishes.listen), text)
        self.assertEqual(self.member().pid, pid)

    def test_a_second_up_that_wants_something_else_is_refused(self) -> None:
        self.up()
        with self.assertRaisesRegex(Failure, r"up with --data .*, not /elsewhere; first: .* down"):
            self.up(data=Path("/elsewhere"))

    def test_what_an_up_that_was_killed_left_behind_is_named(self) -> None:
        self.up()
        half = dataclasses.replace(self.member(), address="", data="")
        state.save(self.workspace, state.Cluster(1, [half]))
        self.assertEqual(self.status_json()[1]["state"], "starting")
        with self.assertRaisesRegex(Failure, "was cut off and left stage1-server"):
            self.up()
        self.assertEqual(self.down()[0], 0)
        self.assert_nothing_left()

    def test_up_of_another_stage_is_refused(self) -> None:
        self.up()
        with self.assertRaisesRegex(Failure, "stage 1 is up, not stage 2"):
            self.up(stage=2)

    def test_status_follows_the_server(self) -> None:
        self.assertEqual(self.status()[0], 1)
        self.up()
        code, text = self.status()
        self.assertEqual(code, 0)
        self.assertIn("serving", text)
        self.assertEqual(self.down()[0], 0)
        self.assertEqual(self.status()[0], 1)

    def test_status_json_has_its_documented_fields(self) -> None:
        self.assertEqual(
            self.status_json(), (1, {"state": "stopped", "stage": None, "servers": []})
        )
        self.up()
        code, content = self.status_json()
        self.assertEqual((code, content["state"], content["stage"]), (0, "serving", 1))
        self.assertEqual(
            set(content["servers"][0]),
            {"name", "pid", "address", "status_address", "data", "log", "state", "report"},
        )
        self.assertTrue(content["servers"][0]["report"]["serving"])

    def test_down_ends_the_server_and_may_be_repeated(self) -> None:
        self.up()
        member = self.member()
        self.assertEqual(self.down()[0], 0)
        self.assertFalse(member.alive())
        self.assert_nothing_left()
        self.assertEqual(self.down(), (0, "nothing is up\n"))

    def test_down_kills_a_server_that_does_not_listen(self) -> None:
        with mock.patch.dict(os.environ, {"FAKE_SERVER": "stubborn"}):
            self.up()
        member = self.member()
        with mock.patch.object(server, "STOP_SECONDS_MAX", 0.1):
            with contextlib.redirect_stderr(io.StringIO()) as text:
                self.assertEqual(self.down()[0], 0)
                server.gone_within(member, 10)
        self.assertIn("did not finish", text.getvalue())
        self.assertFalse(member.alive())

    def test_a_server_that_died_is_reported_with_its_log(self) -> None:
        self.up()
        os.kill(self.member().pid, signal.SIGKILL)
        server.gone_within(self.member(), 10)
        code, text = self.status()
        self.assertEqual(code, 1)
        self.assertIn("has died", text)
        self.assertIn("starting", text)
        self.assertEqual(self.status_json()[1]["state"], "crashed")

    def test_up_starts_anew_where_a_server_died(self) -> None:
        self.up()
        first = self.member()
        os.kill(first.pid, signal.SIGKILL)
        server.gone_within(first, 10)
        with contextlib.redirect_stderr(io.StringIO()) as text:
            self.up()
        self.assertIn("had died", text.getvalue())
        self.assertEqual(self.status()[0], 0)

    def test_a_taken_port_is_one_line_and_nothing_half_started(self) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", self.wishes.listen.port))
            other.listen()
            self.assert_up_fails(rf"^stage1-server: cannot listen on {self.wishes.listen}: ")

    def test_another_server_at_the_status_address_is_not_taken_for_ours(self) -> None:
        self.up()
        other = state.load(self.workspace)
        state.remove(self.workspace)  # as if it were of another checkout
        with self.assertRaisesRegex(Failure, "cannot listen on"):
            self.up(listen=address.parse(f"127.0.0.1:{free_port()}", "test"))
        self.assertIsNone(state.load(self.workspace))
        state.save(self.workspace, other)

    def test_an_unusable_data_folder_is_one_line(self) -> None:
        file = self.file("file")
        self.assert_up_fails(rf"^stage1-server: {file}/data: Not a directory", data=file / "data")

    def test_a_wrong_configuration_is_one_line_and_starts_nothing(self) -> None:
        config = self.file("a.toml", "lissten = 1\n")
        self.assert_up_fails("unknown key 'lissten'", config=config)
        self.assertFalse((self.workspace.state / "stage1").exists())

    def test_a_missing_configuration_is_named(self) -> None:
        self.assert_up_fails("no such file", UsageError, config=self.root / "none.toml")

    def test_a_server_that_dies_at_its_start_is_noticed_at_once(self) -> None:
        with mock.patch.dict(os.environ, {"FAKE_SERVER": "crash"}):
            self.assert_up_fails("stage1-server was killed by SIGKILL")

    def test_a_server_that_never_serves_is_ended(self) -> None:
        with mock.patch.dict(os.environ, {"FAKE_SERVER": "mute"}):
            with mock.patch.object(server, "START_SECONDS_MAX", 0.5):
                self.assert_up_fails("did not say within")

    def test_an_interrupted_up_leaves_nothing(self) -> None:
        with mock.patch.object(server, "ask", side_effect=KeyboardInterrupt):
            with self.assertRaises(KeyboardInterrupt):
                self.up()
        self.assert_nothing_left()

    def test_the_configuration_file_says_where_a_server_is(self) -> None:
        config = self.file(
            "a.toml",
            f'listen = "{self.wishes.listen}"\nstatus_listen = "{self.wishes.status_listen}"\n',
        )
        text = self.up(config=config, listen=None, status_listen=None)
        self.assertIn(f"address      {self.wishes.listen}", text)
        self.assertEqual(self.status()[0], 0)

    def test_stores_and_unknown_stages_are_refused(self) -> None:
        self.assert_up_fails("replication comes with stage 2", UsageError, stores=3)
        self.assert_up_fails("no such stage", UsageError, stage=9)


class StoresTest(RunningTest):

    def setUp(self) -> None:
        super().setUp()
        fake = Path(__file__).with_name("fake_server.py")
        self.server = self.program("stage2-server", python_program(fake))
        first, status = free_ports(3), free_ports(3)
        self.wishes = plans.Wishes(
            stage=2,
            listen=address.parse(f"127.0.0.1:{first}", "test"),
            status_listen=address.parse(f"127.0.0.1:{status}", "test"),
        )
        self.data = self.workspace.state / "stage2" / "data"

    def members(self) -> list[state.Member]:
        running = state.load(self.workspace)
        assert running is not None
        return running.members

    def kill_store(self, number: int) -> state.Member:
        member = self.members()[number - 1]
        os.kill(member.pid, signal.SIGKILL)
        server.gone_within(member, 10)
        return member

    def assert_nothing_left(self) -> None:
        self.assertIsNone(state.load(self.workspace))
        for number in (1, 2, 3):
            self.assertIsNone(server.ask(plans.nth(self.wishes.status_listen, number, "test")))

    def test_up_starts_all_stores_and_says_who_leads(self) -> None:
        text = self.up()
        self.assertEqual([m.name for m in self.members()], ["store-1", "store-2", "store-3"])
        self.assertIn("store-1 leads", text)
        for number in (1, 2, 3):
            self.assertIn(str(plans.nth(self.wishes.listen, number, "test")), text)
        stores = ",".join(str(plans.nth(self.wishes.listen, n, "test")) for n in (1, 2, 3))
        self.assertEqual(text.count(f"tinykv-ctl --address {stores} "), 3)
        self.assertIn(f"--address {stores} cluster\n", text)
        self.assertTrue((self.workspace.state / "stage2" / "store-3.log").exists())

    def test_as_many_stores_as_are_wanted(self) -> None:
        self.up(stores=1)
        self.assertEqual(len(self.members()), 1)
        with self.assertRaisesRegex(Failure, "up with --stores 1, not 3"):
            self.up(stores=3)

    def test_a_second_up_is_the_same_or_refused(self) -> None:
        self.up()
        self.assertIn("up already", self.up())
        self.assertIn("up already", self.up(data=self.data))
        with self.assertRaisesRegex(Failure, "up with --data"):
            self.up(data=Path("/elsewhere"))

    def test_a_cluster_begins_once_and_keeps_its_data(self) -> None:
        self.up()
        self.assertIn("--cluster.new", self.members()[0].flags)
        self.down()
        self.assert_nothing_left()
        self.up()
        self.assertNotIn("--cluster.new", self.members()[0].flags)

    def test_a_store_that_lost_its_data_does_not_begin_anew(self) -> None:
        self.up()
        self.down()
        (self.data / "store-2" / "begun").unlink()
        (self.data / "store-2").rmdir()
        self.assert_up_fails("^store-2: stage2-server: data directory .*: there is no store in it")
        self.assertFalse((self.data / "store-2").exists())
        self.assertTrue((self.data / "store-1").exists())

    def test_where_one_store_does_not_start_nothing_is_left(self) -> None:
        with mock.patch.dict(os.environ, {"FAKE_SERVER": "crash:2"}):
            self.assert_up_fails("store-2: stage2-server was killed by SIGKILL")
        self.assertEqual(list(self.data.glob("*")), [])
        self.up()

    def test_a_taken_port_of_one_store_leaves_nothing(self) -> None:
        taken = plans.nth(self.wishes.listen, 3, "test")
        with socket.socket() as other:
            other.bind(("127.0.0.1", taken.port))
            other.listen()
            self.assert_up_fails(f"^store-3: stage2-server: cannot listen on {taken}: ")

    def test_a_cluster_without_a_leader_is_ended(self) -> None:
        with mock.patch.dict(os.environ, {"FAKE_SERVER": "leaderless"}):
            with mock.patch.object(leader, "ELECTION_SECONDS_MAX", 0.5):
                self.assert_up_fails("no leader was elected within .*store-1: follower")

    def test_status_tells_of_each_store_and_who_leads(self) -> None:
        self.up()
        code, text = self.status()
        self.assertEqual(code, 0)
        self.assertIn("stage 2 is serving, store-1 leads", text)
        self.assertRegex(text, rf"store-1  {self.wishes.listen}  leader")
        self.assertEqual(text.count("follower"), 2)
        self.kill_store(3)
        code, text = self.status()
        self.assertEqual(code, 1)
        self.assertIn("serving with stores missing, store-1 leads", text)
        self.assertRegex(text, "store-3  has died")
        content = self.status_json()[1]
        states = [one["state"] for one in content["servers"]]
        self.assertEqual((content["state"], states), ("crashed", ["serving", "serving", "crashed"]))

    def test_up_starts_again_what_has_died(self) -> None:
        self.up()
        before = self.members()
        self.kill_store(2)
        with contextlib.redirect_stderr(io.StringIO()) as text:
            self.up()
        self.assertIn("store-2", text.getvalue())
        after = self.members()
        self.assertEqual([after[0], after[2]], [before[0], before[2]])
        self.assertNotEqual(after[1].pid, before[1].pid)
        self.assertNotIn("--cluster.new", after[1].flags)
        self.assertEqual(self.status()[0], 0)

    def test_where_a_dead_store_does_not_start_the_others_stay(self) -> None:
        self.up()
        self.kill_store(2)
        with mock.patch.dict(os.environ, {"FAKE_SERVER": "crash:2"}):
            with contextlib.redirect_stderr(io.StringIO()):
                with self.assertRaisesRegex(Failure, "store-2: stage2-server was killed"):
                    self.up()
        self.assertEqual([m.alive() for m in self.members()], [True, False, True])

    def test_down_ends_all_stores_the_dead_among_them(self) -> None:
        self.up()
        self.kill_store(2)
        with contextlib.redirect_stderr(io.StringIO()) as text:
            self.assertEqual(self.down()[0], 0)
        self.assertIn("store-2", text.getvalue())
        self.assert_nothing_left()

    def test_a_configuration_says_nothing_of_single_stores(self) -> None:
        config = self.file("a.toml", "[cluster]\nstore_id = 2\n")
        self.assert_up_fails("cluster.store_id is not for up", UsageError, config=config)

    def test_no_stores_or_too_many_are_refused(self) -> None:
        for stores in (0, -1, plans.STORES_MAX + 1):
            self.assert_up_fails("want 1 to 9", UsageError, stores=stores)


class LeaderTest(unittest.TestCase):
    def report(self, role: str, term: int, leads: int) -> dict:
        return {"regions": [{"role": role, "term": term, "leader_store": leads}]}

    def test_the_newest_leader_counts(self) -> None:
        old, new = self.report("leader", 6, 1), self.report("leader", 7, 2)
        self.assertEqual(leader.leader([old, new, None]), 2)
        self.assertEqual(leader.leader([self.report("follower", 7, 2)]), 0)

    def test_all_must_agree(self) -> None:
        leads, follows = self.report("leader", 7, 2), self.report("follower", 7, 2)
        self.assertEqual(leader.agreed([follows, leads]), 2)
        self.assertEqual(leader.agreed([self.report("follower", 7, 0), leads]), 0)
        self.assertEqual(leader.agreed([None, leads]), 0)


class PlanTest(ScratchTest):
    def flags(self, wishes: plans.Wishes) -> dict[str, str]:
        words = plans.plan(self.workspace, Path("/bin/true"), wishes).flags
        return dict(zip(words[::2], words[1::2]))

    def test_a_flag_wins_over_the_configuration_which_wins_over_defaults(self) -> None:
        config = self.file("a.toml", 'listen = "127.0.0.1:1"\nstatus_listen = "127.0.0.1:2"\n')
        flags = self.flags(
            plans.Wishes(config=config, listen=address.parse("127.0.0.1:3", "test"))
        )
        self.assertEqual(flags["--listen"], "127.0.0.1:3")
        self.assertNotIn("--status-listen", flags)
        self.assertEqual(flags["--data"], str(self.workspace.state / "stage1/data"))

    def test_without_wishes_the_defaults_are_spelled_out(self) -> None:
        flags = self.flags(plans.Wishes())
        self.assertEqual(flags["--listen"], plans.LISTEN_DEFAULT)
        self.assertEqual(flags["--status-listen"], plans.STATUS_LISTEN_DEFAULT)


class AddressTest(unittest.TestCase):
    def test_an_address_is_host_and_port(self) -> None:
        for text in ("127.0.0.1:1", "localhost:65535", "[::1]:20160", "0.0.0.0:1"):
            self.assertEqual(str(address.parse(text, "x")), text)

    def test_anything_else_is_refused_by_name(self) -> None:
        for text in ("", "1", "host", "host:", ":1", "host:0", "host:65536", "a b:1", "::1:5"):
            with self.assertRaisesRegex(UsageError, "--listen"):
                address.parse(text, "--listen")

    def test_a_server_that_listens_everywhere_is_called_at_home(self) -> None:
        self.assertEqual(str(address.parse("0.0.0.0:7", "x").reachable), "127.0.0.1:7")
        self.assertEqual(str(address.parse("[::]:7", "x").reachable), "[::1]:7")
