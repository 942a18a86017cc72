"""A network namespace for each store of a soak. Needs root, and iproute2."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable

from ..address import Address
from ..console import Failure
from .network import CLIENT, Network

STORE_PORT = 20160
STATUS_PORT = 20180


def allowed() -> bool:
    """Whether we may make network namespaces, links and routes: found out by doing it."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"{tag(os.getpid())}-try"
    works = quiet("netns", "add", name) and quiet(
        *("-n", name, "link", "add", "veth0", "type", "veth", "peer", "name", "veth1")
    )
    quiet("netns", "del", name)
    bridge = f"{tag(os.getpid())}t"
    works = works and quiet("link", "add", bridge, "type", "bridge")
    quiet("link", "del", bridge)
    return works


def tag(owner: int) -> str:
    """How the names begin of all that a process makes; names of links have 15 characters at most."""
    return f"tks{owner}"


def quiet(*words: str) -> bool:
    """Whether a call of ip went well."""
    return subprocess.run(["ip", *words], capture_output=True, check=False).returncode == 0


def ip(*words: str) -> str:
    """What a call of ip prints; its failure is ours."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"ip {' '.join(words)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


class Namespaces(Network):
    """Each store in a network namespace of its own; their cables end in one bridge.

    A store is isolated by pulling its cable, and hosts are cut from each other by a route that loses
    what is sent. Both lose packets and tell nobody.
    """

    name = "namespaces"

    def __init__(self, stores: Iterable[int], owner: int) -> None:
        self._stores = list(stores)
        self._tag = tag(owner)
        self._net = free_net(owner)
        self._pulled: list[int] = []
        self._routes: list[tuple[int, str]] = []
        try:
            self._make()
        except BaseException:
            self.close()
            raise

    def _make(self) -> None:
        bridge = f"{self._tag}b"
        ip("link", "add", bridge, "type", "bridge")
        ip("addr", "add", f"{self._host(CLIENT)}/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        for store in self._stores:
            space, cable = self._space(store), self._cable(store)
            ip("netns", "add", space)
            ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("link", "set", cable, "master", bridge)
            ip("link", "set", cable, "up")
            ip("-n", space, "addr", "add", f"{self._host(store)}/24", "dev", "eth0")
            ip("-n", space, "link", "set", "eth0", "up")
            ip("-n", space, "link", "set", "lo", "up")

    def _space(self, store: int) -> str:
        return f"{self._tag}-{store}"

    def _cable(self, store: int) -> str:
        return f"{self._tag}c{store}"

    def _host(self, host: int) -> str:
        return f"{self._net}.{host if host != CLIENT else 254}"

    def listen(self, store: int) -> Address:
        return Address(self._host(store), STORE_PORT)

    def status(self, store: int) -> Address:
        return Address(self._host(store), STATUS_PORT)

    def seen_from(self, host: int, store: int) -> Address:
        return self.listen(store)

    def prefix(self, store: int) -> list[str]:
        return ["ip", "netns", "exec", self._space(store)]

    def isolate(self, store: int) -> None:
        ip("link", "set", self._cable(store), "down")
        self._pulled.append(store)

    def cut(self, sender: int, receiver: int) -> None:
        self._route("add", sender, self._host(receiver))
        self._routes.append((sender, self._host(receiver)))

    def _route(self, verb: str, sender: int, to: str) -> None:
        ip("-n", self._space(sender), "route", verb, "blackhole", f"{to}/32")

    def heal(self) -> None:
        while self._pulled:
            ip("link", "set", self._cable(self._pulled[-1]), "up")
            self._pulled.pop()
        while self._routes:
            self._route("del", *self._routes[-1])
            self._routes.pop()

    def close(self) -> None:
        remove_leftovers(self._tag)


def free_net(owner: int) -> str:
    """The first three numbers of a /24 that nobody here uses; 198.18/15 is set apart for tests."""
    used = set(re.findall(r"\b198\.1[89]\.\d+", subprocess.run(
        ["ip", "-4", "addr"], capture_output=True, text=True, check=False
    ).stdout))
    nets = [f"198.{18 + number // 256}.{number % 256}" for number in range(512)]
    begin = owner % len(nets)
    for net in nets[begin:] + nets[:begin]:
        if net not in used:
            return net
    raise Failure("all networks in 198.18.0.0/15 are in use; which programs have them says: ip addr")


def remove_leftovers(tag: str) -> None:
    """Removes namespaces and links of one run; those of other runs have other tags."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False)
    for line in listed.stdout.splitlines():
        name = line.split()[0] if line.split() else ""
        if name.startswith(f"{tag}-"):
            quiet("netns", "del", name)
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=False)
    for name in re.findall(rf"^\d+: ({tag}[bc]\d?)[@:]", links.stdout, re.MULTILINE):
        quiet("link", "del", name)
