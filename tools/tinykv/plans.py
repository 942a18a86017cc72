"""From what the user asks of `up` to the flags that a server is started with."""
from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from . import address as addresses
from .address import Address
from .console import UsageError
from .server import Plan, check_config
from .state import Member
from .workspace import Workspace

# The stages that are complete, and the server that each builds.
SERVERS = {1: "stage1-server", 2: "stage2-server"}
SOURCES = {1: "stage1-standalone/main.cc", 2: "stage2-raftkv/main.cc"}

LISTEN_DEFAULT = "127.0.0.1:20160"
STATUS_LISTEN_DEFAULT = "127.0.0.1:20180"

# Of a cluster: store N takes the Nth port from these on.
FIRST_STORE_LISTEN_DEFAULT = "127.0.0.1:20161"
FIRST_STORE_STATUS_LISTEN_DEFAULT = "127.0.0.1:20181"
STORES_DEFAULT = 3
STORES_MAX = 9  # the ports after the defaults then end where the next defaults begin


@dataclass(frozen=True)
class Wishes:
    """The flags of `up`; None where the user left it to us."""

    stage: int = 1
    stores: int | None = None
    data: Path | None = None
    listen: Address | None = None
    status_listen: Address | None = None
    config: Path | None = None


def newest(workspace: Workspace) -> int:
    """The newest stage that is complete in this tree: a hand-out has not all of them."""
    there = [stage for stage, source in SOURCES.items() if (workspace.root / source).is_file()]
    return max(there, default=min(SOURCES))


def check(wishes: Wishes) -> None:
    """Refuses what no server here can do, before anything is built."""
    if wishes.stage not in SERVERS:
        there = ", ".join(str(stage) for stage in SERVERS)
        raise UsageError(f"--stage {wishes.stage}: no such stage here yet; there is {there}")
    if wishes.stores is not None and wishes.stage < 2:
        raise UsageError(
            f"--stores {wishes.stores}: stage {wishes.stage} is one server; replication comes "
            "with stage 2"
        )
    if wishes.stores is not None and not 0 < wishes.stores <= STORES_MAX:
        raise UsageError(f"--stores {wishes.stores}: want 1 to {STORES_MAX}; 3 survive the loss of one")
    if wishes.config is not None and not wishes.config.is_file():
        raise UsageError(f"--config {wishes.config}: no such file")


def all_plans(workspace: Workspace, program: Path, wishes: Wishes) -> list[Plan]:
    """How to start all servers of the stage."""
    if wishes.stage < 2:
        return [plan(workspace, program, wishes)]
    return cluster_plans(workspace, program, wishes)


def plan(workspace: Workspace, program: Path, wishes: Wishes) -> Plan:
    """How to start a server that is alone, checked by the server itself.

    The order of precedence is: the user's flags, the configuration file, our defaults.
    """
    flags: dict[str, str] = {}
    if wishes.config:
        flags["--config"] = str(wishes.config)
    if wishes.data:
        flags["--data"] = str(wishes.data)
    if wishes.listen:
        flags["--listen"] = str(wishes.listen)
    if wishes.status_listen:
        flags["--status-listen"] = str(wishes.status_listen)
    folder = workspace.state / f"stage{wishes.stage}"
    log = folder / "server.log"
    check_config(program, words(flags))

    configured = settings(wishes.config) if wishes.config else {}
    defaults = {
        "--data": str(folder / "data"),
        "--listen": LISTEN_DEFAULT,
        "--status-listen": STATUS_LISTEN_DEFAULT,
    }
    for flag, value in defaults.items():
        if flag not in flags and key_of(flag) not in configured:
            flags[flag] = value
    status = flags.get("--status-listen") or str(configured[key_of("--status-listen")])
    return Plan(program, words(flags), addresses.parse(status, "--status-listen"), log)


def cluster_plans(workspace: Workspace, program: Path, wishes: Wishes) -> list[Plan]:
    """How to start the stores of a cluster, checked by the server itself.

    What the user or the configuration says of one address is for store 1; the others take the ports
    after it. Only where no store has data yet, a new cluster begins.
    """
    folder = workspace.state / f"stage{wishes.stage}"
    configured = settings(wishes.config) if wishes.config else {}
    check_cluster_settings(wishes, configured)
    data = wishes.data or Path(str(configured.get("data", folder / "data"))).absolute()
    listen = wishes.listen or first_address(configured, "listen", FIRST_STORE_LISTEN_DEFAULT)
    status_listen = wishes.status_listen or first_address(
        configured, "status_listen", FIRST_STORE_STATUS_LISTEN_DEFAULT
    )
    numbers = range(1, (wishes.stores or STORES_DEFAULT) + 1)
    is_new = not any(data.glob("store-*"))
    stores = ",".join(f"{n}={nth(listen, n, '--listen').reachable}" for n in numbers)
    found: list[Plan] = []
    for number in numbers:
        place = data / f"store-{number}"
        status = nth(status_listen, number, "--status-listen")
        flags = {"--config": str(wishes.config)} if wishes.config else {}
        flags |= {
            "--data": str(place),
            "--listen": str(nth(listen, number, "--listen")),
            "--status-listen": str(status),
            "--cluster.store-id": str(number),
            "--cluster.stores": stores,
        }
        if is_new:
            flags["--cluster.new"] = "true"
        log = folder / f"store-{number}.log"
        new_data = None if place.exists() else place
        found.append(Plan(program, words(flags), status, log, number, new_data))
    check_config(program, found[0].flags)
    return found


def check_cluster_settings(wishes: Wishes, configured: dict[str, object]) -> None:
    """Refuses a configuration that speaks of one store where `up` speaks of all."""
    table = configured.get("cluster", {})
    for key in ("store_id", "stores", "new"):
        if isinstance(table, dict) and key in table:
            raise UsageError(
                f"--config {wishes.config}: cluster.{key} is not for up, which says it to each store"
            )


def first_address(configured: dict[str, object], key: str, default: str) -> Address:
    """Where store 1 is unless a flag says so."""
    return addresses.parse(str(configured.get(key, default)), key)


def nth(first: Address, number: int, flag: str) -> Address:
    """The address of store `number`, where `first` is that of store 1."""
    return addresses.parse(f"{first.host}:{first.port + number - 1}", flag)


def revival(program: Path, member: Member) -> Plan:
    """How to start a store again that died while others of its cluster run."""
    pairs = dict(zip(member.flags[::2], member.flags[1::2]))
    pairs.pop("--cluster.new", None)  # it has made promises since then
    status = addresses.parse(member.status_address, "status address")
    return Plan(program, words(pairs), status, Path(member.log), int(pairs["--cluster.store-id"]))


def words(flags: dict[str, str]) -> list[str]:
    """--flag value pairs as a command line."""
    return [word for pair in flags.items() for word in pair]


def key_of(flag: str) -> str:
    """The configuration key that a flag overrides."""
    return flag.removeprefix("--").replace("-", "_")


def settings(config: Path) -> dict[str, object]:
    """The top-level keys of a configuration file."""
    try:
        return tomllib.loads(config.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{config}: {error}") from error
