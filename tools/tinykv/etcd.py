"""etcd, a peer to measure against: a cluster of its servers, as Debian packages them."""
from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import server
from .address import Address
from .console import Failure

# A bound, not a wait: an election takes a second or two.
START_SECONDS_MAX = 60.0

# No setting but this makes it faster or slower than it is by itself: all versions of all values stay
# in its database, and at the default of 2 GiB a run with large values would end in errors.
QUOTA_BYTES = 8 << 30


@dataclass(frozen=True)
class Node:
    """One server of the cluster."""

    number: int
    client: Address
    child: subprocess.Popen
    log: Path


def flags(number: int, clients: Sequence[Address], peers: Sequence[Address], data: Path) -> list[str]:
    """How server `number` (from 1 on) is started; fsync is on, as it is by default."""
    client, peer = clients[number - 1], peers[number - 1]
    members = ",".join(f"etcd-{n}=http://{address}" for n, address in enumerate(peers, 1))
    pairs = {
        "--name": f"etcd-{number}",
        "--data-dir": str(data),
        "--listen-client-urls": f"http://{client}",
        "--advertise-client-urls": f"http://{client}",
        "--listen-peer-urls": f"http://{peer}",
        "--initial-advertise-peer-urls": f"http://{peer}",
        "--initial-cluster": members,
        "--initial-cluster-state": "new",
        "--quota-backend-bytes": str(QUOTA_BYTES),
        "--logger": "zap",
        "--log-level": "warn",
    }
    return [word for pair in pairs.items() for word in pair]


def start(
    program: Path,
    folder: Path,
    addresses: Sequence[Address],
    watch: Callable[[subprocess.Popen], object],
) -> list[Node]:
    """Starts as many servers as there are pairs of addresses; each child is handed to `watch`."""
    count = len(addresses) // 2
    clients, peers = addresses[:count], addresses[count:]
    nodes: list[Node] = []
    for number in range(1, count + 1):
        words = flags(number, clients, peers, folder / f"etcd-{number}")
        log = folder / f"etcd-{number}.log"
        child = server.spawn(server.Plan(program, words, clients[number - 1], log))
        watch(child)
        nodes.append(Node(number, clients[number - 1], child, log))
    return nodes


def status(client: Address) -> dict | None:
    """A server's own account of itself; None where nobody answers, or something else does."""
    return server.ask_json(client, "POST", "/v3/maintenance/status", "{}")


def agreed(reports: Sequence[dict | None]) -> int:
    """The number of the server that all say leads; 0 where they do not agree yet."""
    leaders = {(report or {}).get("leader") for report in reports}
    members = [(report or {}).get("header", {}).get("member_id") for report in reports]
    if len(leaders) != 1 or (leader := leaders.pop()) not in members or leader is None:
        return 0
    return members.index(leader) + 1


def leader_of(nodes: Sequence[Node]) -> int:
    """The number of the server that all say leads right now; 0 where they do not agree."""
    return agreed([status(node.client) for node in nodes])


def wait_for_leader(nodes: Sequence[Node]) -> int:
    """Asks all servers until they agree on who leads."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        for node in nodes:
            if node.child.poll() is not None:
                how = f"ended with status {node.child.returncode} at its start"
                raise Failure(f"etcd-{node.number} {how}", server.tail(node.log))
        if found := leader_of(nodes):
            return found
        if time.monotonic() > deadline:
            raise Failure(
                f"etcd has elected no leader within {START_SECONDS_MAX:.0f} s",
                server.tail(nodes[0].log),
            )
        time.sleep(server.POLL_SECONDS)
