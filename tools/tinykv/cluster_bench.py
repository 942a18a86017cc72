"""./tinykv bench cluster: starts three stores and the peers', has them measured, and removes all."""
from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import etcd, leader, plans, server, setup
from .address import Address
from .console import Failure, Step
from .packages import PEERS
from .server import Plan

HOST = "127.0.0.1"
NODES = 3


@dataclass(frozen=True)
class Programs:
    """What takes part."""

    bench: Path  # measures, and serves the empty call
    server: Path


@dataclass(frozen=True)
class Subject:
    """Servers that run: where they are called, and the processes that do the work."""

    name: str
    address: Address
    pids: Sequence[int]
    leads: Callable[[], int] = lambda: 1  # the number of the server that leads, right now

    @property
    def flag(self) -> str:
        """As tinykv-bench is told of it."""
        return ",".join([self.name, str(self.address), *map(str, self.pids)])


def peers_of(words: Sequence[str]) -> list[str]:
    """Which peers the flags name. tinykv-bench has accepted the flags."""
    found: list[str] = []
    for place, word in enumerate(words):
        if word == "--against":
            found += words[place + 1].split(",")
        elif word.startswith("--against="):
            found += word.removeprefix("--against=").split(",")
    return found


def find_etcd() -> Path:
    """etcd's server, installed where it is missing."""
    if shutil.which("etcd") is None:
        setup.ensure(PEERS)
    program = shutil.which("etcd")
    if program is None:
        raise Failure("--against etcd: the package etcd-server is installed, and no etcd is in $PATH")
    return Path(program)


def measure(
    state: Path, programs: Programs, words: Sequence[str], call: Callable[[list], int]
) -> int:
    """Starts everybody, and has `call` run tinykv-bench with `words`; its exit status.

    Data and logs are in a folder of their own below `state`, on one file system, and nothing is left
    of them and of the servers, however this ends.
    """
    etcd_program = find_etcd() if "etcd" in peers_of(words) else None
    state.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=state)))
        subjects = [start_echo(programs.bench, folder, stack)]
        if etcd_program is not None:
            subjects.append(start_etcd(etcd_program, folder, stack))
        subjects.append(start_tinykv(programs.server, folder, stack))
        led = [subject.leads() for subject in subjects]
        flags = [word for subject in subjects for word in ("--subject", subject.flag)]
        status = call([programs.bench, "cluster", *words, *flags])
        for subject, before in zip(subjects, led):
            if status == 0 and subject.leads() != before:
                raise Failure(
                    f"the leader of {subject.name} changed while it was measured, so the figures "
                    "are not of one leader; measure again, with less else to do for the machine"
                )
        return status


def end(child: subprocess.Popen) -> None:
    """Ends a server whose data nobody wants."""
    child.kill()
    child.wait()


def free_addresses(count: int) -> list[Address]:
    """Addresses that nobody listens on, a moment ago."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [Address(HOST, probe.getsockname()[1]) for probe in probes]


def launch(
    wanted: Sequence[Plan], stack: contextlib.ExitStack
) -> list[tuple[Plan, subprocess.Popen, int]]:
    """Starts servers of ours and waits until they serve; `stack` ends them."""
    started: list[tuple[Plan, subprocess.Popen, int]] = []
    for plan in wanted:
        log_begin = server.prepare_log(plan.log)
        child = server.spawn(plan)
        stack.callback(end, child)
        started.append((plan, child, log_begin))
    for plan, child, log_begin in started:
        server.wait_until_serving(plan, child, log_begin)
    return started


def start_echo(program: Path, folder: Path, stack: contextlib.ExitStack) -> Subject:
    """The server of the empty call."""
    listen, status = free_addresses(2)
    flags = {
        "--data": str(folder / "echo"),
        "--listen": str(listen),
        "--status-listen": str(status),
    }
    plan = Plan(program, ["serve", *plans.words(flags)], status, folder / "echo.log")
    with Step("starting the server of the empty call") as step:
        [(_, child, _)] = launch([plan], stack)
        step.result("serves")
    return Subject("echo", listen, [child.pid])


def start_tinykv(program: Path, folder: Path, stack: contextlib.ExitStack) -> Subject:
    """Our stores, as `./tinykv up --stage 2` starts them."""
    addresses = free_addresses(2 * NODES)
    clients, status_pages = addresses[:NODES], addresses[NODES:]
    stores = ",".join(f"{n}={client}" for n, client in enumerate(clients, 1))
    wanted = []
    for number, (client, status) in enumerate(zip(clients, status_pages), 1):
        flags = {
            "--data": str(folder / f"store-{number}"),
            "--listen": str(client),
            "--status-listen": str(status),
            "--cluster.store-id": str(number),
            "--cluster.stores": stores,
            "--cluster.new": "true",
        }
        log = folder / f"store-{number}.log"
        wanted.append(Plan(program, plans.words(flags), status, log, number))
    with Step("starting tinykv") as step:
        started = launch(wanted, stack)
        members = [server.newborn(plan, child) for plan, child, _ in started]
        leads = leader.wait_for(members, started)
        step.result(f"store-{leads} leads")
    return Subject(
        "tinykv",
        clients[leads - 1],
        [child.pid for _, child, _ in started],
        lambda: leader.agreed([server.ask_member(member) for member in members]),
    )


def start_etcd(program: Path, folder: Path, stack: contextlib.ExitStack) -> Subject:
    """etcd's servers."""
    with Step("starting etcd") as step:
        nodes = etcd.start(
            program, folder, free_addresses(2 * NODES), lambda child: stack.callback(end, child)
        )
        leads = etcd.wait_for_leader(nodes)
        step.result(f"etcd-{leads} leads")
    pids = [node.child.pid for node in nodes]
    return Subject("etcd", nodes[leads - 1].client, pids, lambda: etcd.leader_of(nodes))
