"""The networks of ./tinykv soak, with real sockets."""
from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import unittest

from tinykv.address import Address
from tinykv.soak import namespaces
from tinykv.soak.namespaces import Namespaces
from tinykv.soak.network import CLIENT
from tinykv.soak.proxies import Proxies

# A bound of what must happen, and how long what must not happen is waited for.
PATIENCE_SECONDS = 30.0
SILENCE_SECONDS = 0.3


def connect(where: Address, seconds: float = PATIENCE_SECONDS) -> socket.socket:
    """A connection, whose calls take no longer than that."""
    return socket.create_connection((where.host, where.port), timeout=seconds)


class ProxyTest(unittest.TestCase):
    def setUp(self) -> None:
        self.network = Proxies([1, 2])
        self.addCleanup(self.network.close)
        self.listener = socket.create_server(("127.0.0.1", self.network.listen(2).port))
        self.listener.settimeout(PATIENCE_SECONDS)
        self.addCleanup(self.listener.close)

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """Store 1's end of a connection to store 2, and that one's."""
        near = connect(self.network.seen_from(1, 2))
        self.addCleanup(near.close)
        far, _ = self.listener.accept()
        far.settimeout(PATIENCE_SECONDS)
        self.addCleanup(far.close)
        return near, far

    def assert_silent(self, end: socket.socket) -> None:
        end.settimeout(SILENCE_SECONDS)
        with self.assertRaises(TimeoutError):
            end.recv(1)
        end.settimeout(PATIENCE_SECONDS)

    def test_bytes_go_both_ways(self) -> None:
        near, far = self.pair()
        near.sendall(b"ask")
        self.assertEqual(far.recv(10), b"ask")
        far.sendall(b"answer")
        self.assertEqual(near.recv(10), b"answer")

    def test_a_cut_holds_back_one_direction_until_it_heals(self) -> None:
        near, far = self.pair()
        self.network.cut(1, 2)
        near.sendall(b"ask")
        far.sendall(b"answer")
        self.assertEqual(near.recv(10), b"answer")
        self.assert_silent(far)
        self.network.heal()
        self.assertEqual(far.recv(10), b"ask")

    def test_a_store_that_is_isolated_neither_hears_nor_is_heard(self) -> None:
        near, far = self.pair()
        self.network.isolate(2)
        near.sendall(b"ask")
        far.sendall(b"answer")
        self.assert_silent(near)
        self.assert_silent(far)
        self.network.heal()
        self.assertEqual(far.recv(10), b"ask")
        self.assertEqual(near.recv(10), b"answer")

    def test_a_new_connection_waits_for_the_end_of_a_cut(self) -> None:
        self.network.isolate(2)
        near = connect(self.network.seen_from(CLIENT, 2))
        self.addCleanup(near.close)
        near.sendall(b"ask")
        self.listener.settimeout(SILENCE_SECONDS)
        with self.assertRaises(TimeoutError):
            self.listener.accept()
        self.listener.settimeout(PATIENCE_SECONDS)
        self.network.heal()
        far, _ = self.listener.accept()
        self.addCleanup(far.close)
        self.assertEqual(far.recv(10), b"ask")

    def test_an_end_is_passed_on(self) -> None:
        near, far = self.pair()
        far.close()
        self.assertEqual(near.recv(10), b"")

    def test_a_store_that_is_down_hangs_up(self) -> None:
        near = connect(self.network.seen_from(2, 1))
        self.addCleanup(near.close)
        self.assertEqual(near.recv(10), b"")

    def test_other_pairs_are_not_concerned(self) -> None:
        self.network.cut(1, 2)
        near = connect(self.network.seen_from(CLIENT, 2))
        self.addCleanup(near.close)
        near.sendall(b"ask")
        far, _ = self.listener.accept()
        self.addCleanup(far.close)
        self.assertEqual(far.recv(10), b"ask")

    def test_nobody_listens_when_it_is_closed(self) -> None:
        network = Proxies([1, 2])
        place = network.seen_from(CLIENT, 1)
        with contextlib.closing(connect(place)):
            network.close()
        with self.assertRaises(ConnectionRefusedError):
            connect(place)
        self.assertNotIn(network._thread, threading.enumerate())


# Answers each connection with one byte for each that comes.
ECHO = """
import socket, sys
listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
print("listens", flush=True)
while True:
    end, _ = listener.accept()
    while data := end.recv(100):
        end.sendall(data)
"""


@unittest.skipUnless(namespaces.allowed(), "network namespaces need root and iproute2")
class NamespacesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.network = Namespaces([1, 2], os.getpid())
        self.addCleanup(self.network.close)

    def serve(self, store: int) -> None:
        """Echoes at the address of a store."""
        place = self.network.listen(store)
        words = [sys.executable, "-c", ECHO, place.host, str(place.port)]
        child = subprocess.Popen([*self.network.prefix(store), *words], stdout=subprocess.PIPE)
        assert child.stdout is not None
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.assertEqual(child.stdout.readline(), b"listens\n")

    def echo(self, seconds: float = PATIENCE_SECONDS) -> bytes:
        """What comes back through a new connection from here to store 1."""
        with contextlib.closing(connect(self.network.seen_from(CLIENT, 1), seconds)) as end:
            end.sendall(b"x")
            return end.recv(1)

    def test_a_store_is_reached_unless_its_cable_is_pulled(self) -> None:
        self.serve(1)
        self.assertEqual(self.echo(), b"x")
        self.network.isolate(1)
        with self.assertRaises(OSError):
            self.echo(SILENCE_SECONDS)
        self.network.heal()
        self.assertEqual(self.echo(), b"x")

    def test_a_cut_loses_what_one_sends_to_the_other(self) -> None:
        self.serve(1)
        self.network.cut(1, CLIENT)  # its answers
        with self.assertRaises(OSError):
            self.echo(SILENCE_SECONDS)
        self.network.heal()
        self.network.cut(1, 2)
        self.assertEqual(self.echo(), b"x")

    def test_nothing_is_left_when_it_is_closed(self) -> None:
        self.network.cut(1, 2)
        self.network.isolate(2)
        self.network.close()
        tag = namespaces.tag(os.getpid())
        self.assertNotIn(f"{tag}-", namespaces.ip("netns", "list"))
        self.assertNotIn(tag, namespaces.ip("-o", "link"))


if __name__ == "__main__":
    unittest.main()
