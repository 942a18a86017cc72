"""From what the user asks of `up` to the flags that a server is started with."""
from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from . import address as addresses
from .address import Address
from .console import UsageError
from .server import Plan, check_config
from .workspace import Workspace

# The stages that are complete, and the server that each builds.
SERVERS = {1: "stage1-server"}
NEWEST_STAGE = max(SERVERS)

LISTEN_DEFAULT = "127.0.0.1:20160"
STATUS_LISTEN_DEFAULT = "127.0.0.1:20180"


@dataclass(frozen=True)
class Wishes:
    """The flags of `up`; None where the user left it to us."""

    stage: int = NEWEST_STAGE
    stores: int | None = None
    data: Path | None = None
    listen: Address | None = None
    status_listen: Address | None = None
    config: Path | None = None


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
    if wishes.config is not None and not wishes.config.is_file():
        raise UsageError(f"--config {wishes.config}: no such file")


def plan(workspace: Workspace, program: Path, wishes: Wishes) -> Plan:
    """How to start the server, checked by the server itself.

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


def words(flags: dict[str, str]) -> list[str]:
    """--flag value pairs as a command line."""
    return [word for pair in flags.items() for word in pair]


def key_of(flag: str) -> str:
    """The configuration key that a flag overrides."""
    return flag.removeprefix("--").replace("-", "_")


def settings(config: Path) -> dict[str, object]:
    """The top-level keys of a configuration file that the server has found to be valid."""
    return tomllib.loads(config.read_text(encoding="utf-8"))
