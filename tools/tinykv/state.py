"""What runs: the members of a cluster that `up` started, kept in .tinykv/cluster.json."""
from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .console import Failure, warn
from .workspace import Workspace, shown


@dataclass(frozen=True)
class Member:
    """One server process. `born` tells it from a later process that got the same pid."""

    name: str
    pid: int
    born: str
    address: str
    status_address: str
    data: str
    log: str
    flags: list[str] = field(default_factory=list)  # that it was started with

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return self.born != "" and birth(self.pid) == self.born


@dataclass(frozen=True)
class Cluster:
    """All servers of one stage: from stage 2 on a store each, in the order of their numbers."""

    stage: int
    members: list[Member]


def birth(pid: int) -> str:
    """When and in which run of the machine a process began; empty if there is none or it is dead.

    A zombie counts as dead: in a container its parent may never collect it.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
    fields = stat[stat.rindex(")") + 2 :].split()  # from field 3 on; see proc(5)
    process_state, start_time = fields[0], fields[19]
    return "" if process_state in "ZX" else f"{boot}/{start_time}"


def path(workspace: Workspace) -> Path:
    """The file that says what runs; absent where nothing was started."""
    return workspace.state / "cluster.json"


def load(workspace: Workspace) -> Cluster | None:
    """What was started last and not ended by `down`; it may have died since."""
    file = path(workspace)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return Cluster(content["stage"], [Member(**member) for member in content["members"]])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(
            f"{shown(file)} is damaged ({error}); end the servers it stands for, if any, by hand "
            "and remove it"
        ) from error


def save(workspace: Workspace, cluster: Cluster) -> None:
    """Replaces the file at once, so that a reader never sees half of it."""
    file = path(workspace)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_text(json.dumps(asdict(cluster), indent=2) + "\n", encoding="utf-8")
    os.replace(draft, file)


def remove(workspace: Workspace) -> None:
    """Forgets the cluster."""
    path(workspace).unlink(missing_ok=True)


@contextlib.contextmanager
def lock(workspace: Workspace) -> Iterator[None]:
    """Lets one `up` or `down` at a time at the cluster; the others wait."""
    workspace.state.mkdir(parents=True, exist_ok=True)
    with open(workspace.state / "lock", "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            warn("another tinykv is at work on the cluster here; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
